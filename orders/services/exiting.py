"""Close positions by market orders of the opposite side, never for more than is open."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied

from accounts.models import User
from brokers.terms import OrderType, Product, Side
from market.models import Instrument
from orders.models import Order, OrderSource
from orders.requests import OrderRequest
from orders.services.placing import LONGEST_KEY, IdempotencyConflict, OrderInvalid, place_order
from orders.states import OrderStatus
from portfolio.models import Position
from risk.selectors import Book, closable


class NothingToExit(Exception):
    """The position is flat, or exits for all of it are already on their way."""


def exit_position(
    position: Position,
    *,
    by: User,
    now: datetime,
    idempotency_key: str,
    source: OrderSource = OrderSource.MANUAL,
) -> list[Order]:
    """Place the orders that close what is open and not yet being closed.

    More than the exchange freezes goes in several, each with a key of its own: the second and
    later end in ``:2``, ``:3``. A key answers the order that was written with it before.

    Two strategies of an account may hold opposite positions, which the broker nets. Closing one of
    them alone would open a position there: risk judges that as the entry it is, and while only
    exits are allowed refuses it. A rule's own exit, and one of all positions at once, then closes
    what is an exit for the account.

    :raises NothingToExit: when nothing is left to close.
    :raises OrderInvalid: when the market is closed, or the instrument cannot be traded.
    """
    is_rules = source is OrderSource.RISK
    asked = _Asked(by, now, idempotency_key, source, at_most_the_net=is_rules)
    return list(_place_slices(position, asked))


def exit_positions(
    positions: Iterable[Position], *, by: User, now: datetime, idempotency_key: str
) -> tuple[list[Order], list[str]]:
    """Exit each position on its own; answer the orders, and why the others could not be exited."""
    orders, complaints = list[Order](), []
    for position in positions:
        key = f"{idempotency_key}:{position.pk}"[-LONGEST_KEY:]
        try:
            asked = _Asked(by, now, key, OrderSource.MANUAL, at_most_the_net=True)
            orders.extend(_place_slices(position, asked))
        except (NothingToExit, OrderInvalid, IdempotencyConflict, PermissionDenied) as error:
            complaints.append(f"{position.instrument.trading_symbol}: {error}")
    return orders, complaints


def orders_needed(instrument: Instrument, quantity: int) -> int:
    """How many orders it takes to send a quantity, with what the exchange takes in one."""
    most = most_in_one_order(instrument)
    return 1 if most is None else -(-quantity // most)


def most_in_one_order(instrument: Instrument) -> int | None:
    """The most that one order may carry, in whole lots; None where nothing is frozen."""
    freeze, lot = instrument.freeze_quantity, instrument.lot_size
    return (freeze - freeze % lot) or None if freeze else None


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks for an exit, when, as what, and with which key."""

    by: User
    now: datetime
    key: str
    source: OrderSource
    at_most_the_net: bool

    def key_of(self, number: int) -> str:
        return self.key if number == 1 else f"{self.key}:{number}"[-LONGEST_KEY:]


def _place_slices(position: Position, asked: _Asked) -> Iterator[Order]:
    """Yield each order as it is placed, so that those before a refusal are not lost from sight."""
    side = Side.SELL if position.quantity > 0 else Side.BUY
    book = Book(position.account, position.instrument, Product(position.product))
    may = closable(book, side, strategy=position.user_strategy_id)
    left = may.now if asked.at_most_the_net else may.now + may.later
    if left <= 0:
        raise NothingToExit(f"{position.instrument.trading_symbol}: {may.words}")
    most = most_in_one_order(position.instrument) or left
    # Never more than the whole position takes: asked again, a key places nothing beyond it.
    for number in range(1, max(-(-abs(position.quantity) // most), 1) + 1):
        order = _written(position, asked, number)
        if order is None:
            if left <= 0:
                return
            order = _place(position, min(left, most), asked, number)
            left -= order.quantity
        yield order
        if order.state is OrderStatus.DENIED:
            return


def _written(position: Position, asked: _Asked, number: int) -> Order | None:
    """The order of this position that was written with this key before."""
    return Order.objects.filter(
        workspace=position.workspace_id,
        source=asked.source,
        idempotency_key=asked.key_of(number),
        account=position.account_id,
        instrument=position.instrument_id,
        user_strategy=position.user_strategy_id,
        product=position.product,
    ).first()


def _place(position: Position, quantity: int, asked: _Asked, number: int) -> Order:
    request = OrderRequest(
        account=position.account,
        instrument=position.instrument,
        side=Side.SELL if position.quantity > 0 else Side.BUY,
        quantity=quantity,
        order_type=OrderType.MARKET,
        product=Product(position.product),
        user_strategy_id=position.user_strategy_id,
        source=asked.source,
        reduce_only=True,
    )
    key = asked.key_of(number)
    return place_order(request, user=asked.by, idempotency_key=key, now=asked.now)
