"""Close positions by market orders of the opposite side, never for more than is open."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied

from accounts.models import User
from brokers.terms import OrderType, Product, Side
from market.rules.lots import odd_lot_words
from operations.errors import contained
from orders.models import Order, OrderSource
from orders.requests import OrderRequest
from orders.services.placing import LONGEST_KEY, IdempotencyConflict, OrderInvalid, place_order
from orders.services.protecting import tell_odd_lot
from orders.services.slicing import slice_key
from orders.slicing import slices_for
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
    later end in ``:2``, ``:3``. The same key answers the orders written with it before, and places
    what they do not cover. What is less than a lot stays, and its owner is told.

    Two strategies of an account may hold opposite positions, which the broker nets. Closing one of
    them alone would open a position there: risk judges that as the entry it is, and while only
    exits are allowed refuses it. A rule's own exit, and one of all positions at once, then closes
    what is an exit for the account.

    :raises NothingToExit: when nothing is left to close.
    :raises OrderInvalid: when the market is closed, or the instrument cannot be traded.
    """
    is_rules = source is OrderSource.RISK
    request = ExitRequest(by, now, idempotency_key, source, at_most_the_net=is_rules)
    return list(place_exits(position, request))


def exit_positions(
    positions: Iterable[Position], *, by: User, now: datetime, idempotency_key: str
) -> tuple[list[Order], list[str]]:
    """Exit each position on its own; answer the orders, and why the others could not be exited."""
    orders, complaints = list[Order](), []
    for position in positions:
        key = f"{idempotency_key}:{position.pk}"[-LONGEST_KEY:]
        complaint = "an error, which is recorded, kept it from being closed: exit again"
        with contained("exiting a position", account_id=position.account_id):
            complaint = _exit(position, ExitRequest(by, now, key, OrderSource.MANUAL), orders)
        if complaint:
            complaints.append(f"{position.instrument.trading_symbol}: {complaint}")
    return orders, complaints


def _exit(position: Position, request: "ExitRequest", orders: list[Order]) -> str:
    """Add the orders that close a position; say why it could not be exited."""
    try:
        orders.extend(place_exits(position, request))
    except (NothingToExit, OrderInvalid, IdempotencyConflict, PermissionDenied) as error:
        return str(error)
    return ""


@dataclass(frozen=True, slots=True)
class ExitRequest:
    """Who asks for an exit, when, as what, and with which key.

    ``at_most`` is the most to close, None for all; ``at_most_the_net`` leaves out what would open
    a position of the account while only exits are allowed.
    """

    by: User
    now: datetime
    key: str
    source: OrderSource
    at_most: int | None = None
    at_most_the_net: bool = True

    def key_of(self, number: int) -> str:
        return slice_key(self.key, number)


def place_exits(position: Position, request: ExitRequest) -> Iterator[Order]:
    """Yield each order as it is placed, so that those before a refusal are not lost from sight.

    :raises NothingToExit: when nothing is left that an order can close.
    """
    instrument, written = position.instrument, _written(position, request)
    left = _left_to_close(position, request)
    slices = slices_for(instrument, left, at=request.now)
    if slices.odd_lot:
        tell_odd_lot(position, slices.odd_lot, now=request.now)
    if not slices.count:
        raise NothingToExit(odd_lot_words(instrument, slices.odd_lot))
    yield from written
    if written:
        # A worker died, or somebody pressed twice: place what the key has not covered yet.
        left = min(left, _not_covered(position, request, written))
        slices = slices_for(instrument, left, at=request.now)
    for number, quantity in enumerate(slices.quantities, start=len(written) + 1):
        order = _place(position, quantity, request, number)
        yield order
        if order.state is OrderStatus.DENIED:
            return


def _left_to_close(position: Position, request: ExitRequest) -> int:
    side = Side.SELL if position.quantity > 0 else Side.BUY
    book = Book(position.account, position.instrument, Product(position.product))
    may = closable(book, side, strategy=position.user_strategy_id)
    left = may.now if request.at_most_the_net else may.now + may.later
    if left <= 0:
        raise NothingToExit(f"{position.instrument.trading_symbol}: {may.words}")
    return left if request.at_most is None else min(left, request.at_most)


def _not_covered(position: Position, request: ExitRequest, written: list[Order]) -> int:
    """What the orders already written leave of the exit; nothing after one that was denied.

    What was open is what is open still and what these orders have closed of it.
    """
    if written[-1].state is OrderStatus.DENIED:
        return 0
    whole = abs(position.quantity) + sum(order.filled_quantity for order in written)
    if request.at_most is not None:
        whole = min(whole, request.at_most)
    return max(whole - sum(order.quantity for order in written), 0)


def _written(position: Position, request: ExitRequest) -> list[Order]:
    """The orders of this position that were written with this key before, in their sequence."""
    of_position = Order.objects.filter(
        workspace=position.workspace_id,
        source=request.source,
        account=position.account_id,
        instrument=position.instrument_id,
        user_strategy=position.user_strategy_id,
        product=position.product,
    )
    orders = list[Order]()
    while order := of_position.filter(idempotency_key=request.key_of(len(orders) + 1)).first():
        orders.append(order)
    return orders


def _place(position: Position, quantity: int, request: ExitRequest, number: int) -> Order:
    order = OrderRequest(
        account=position.account,
        instrument=position.instrument,
        side=Side.SELL if position.quantity > 0 else Side.BUY,
        quantity=quantity,
        order_type=OrderType.MARKET,
        product=Product(position.product),
        user_strategy_id=position.user_strategy_id,
        source=request.source,
        reduce_only=True,
    )
    key = request.key_of(number)
    return place_order(order, user=request.by, idempotency_key=key, now=request.now)
