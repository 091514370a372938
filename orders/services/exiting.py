"""Close positions by market orders of the opposite side, never for more than is open."""

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import PermissionDenied

from accounts.models import User
from brokers.terms import OrderType, Product, Side
from orders.models import Order, OrderSource
from orders.requests import OrderRequest
from orders.services.cancelling import cancel_orders
from orders.services.placing import IdempotencyConflict, OrderInvalid, place_order
from portfolio.models import Position
from risk.selectors import Book, exposure


class NothingToExit(Exception):
    """The position is flat, or exits for all of it are already on their way."""


def exit_position(
    position: Position,
    *,
    by: User,
    now: datetime,
    idempotency_key: str,
    source: OrderSource = OrderSource.MANUAL,
) -> Order:
    """Place the order that closes what is open and not yet being closed.

    :raises NothingToExit: when nothing is left to close.
    :raises OrderInvalid: when the market is closed, or the instrument cannot be traded.
    """
    side = Side.SELL if position.quantity > 0 else Side.BUY
    quantity = _exitable(position, side)
    if quantity <= 0:
        raise NothingToExit(f"{position.instrument.trading_symbol}: nothing is left to exit")
    request = OrderRequest(
        account=position.account,
        instrument=position.instrument,
        side=side,
        quantity=quantity,
        order_type=OrderType.MARKET,
        product=Product(position.product),
        user_strategy_id=position.user_strategy_id,
        source=source,
        reduce_only=True,
    )
    return place_order(request, user=by, idempotency_key=idempotency_key, now=now)


def exit_positions(
    positions: Iterable[Position], *, by: User, now: datetime, idempotency_key: str
) -> tuple[list[Order], list[str]]:
    """Exit each position on its own; answer the orders, and why the others could not be exited."""
    orders, complaints = [], []
    for position in positions:
        key = f"{idempotency_key}:{position.pk}"[-100:]
        try:
            orders.append(exit_position(position, by=by, now=now, idempotency_key=key))
        except (NothingToExit, OrderInvalid, IdempotencyConflict, PermissionDenied) as error:
            complaints.append(f"{position.instrument.trading_symbol}: {error}")
    return orders, complaints


def cancel_entries(orders: Iterable[Order], *, now: datetime) -> tuple[int, list[str]]:
    """Cancel every order that could open or enlarge a position, as a halt does."""
    return cancel_orders([order for order in orders if not order.is_exit], by=None, now=now)


def _exitable(position: Position, side: Side) -> int:
    """What is open now and no order is closing yet; judged again when the exit is placed."""
    book = Book(position.account, position.instrument, Product(position.product))
    return exposure(book, strategy=position.user_strategy_id, own=True).exitable(side.sign)
