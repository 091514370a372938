"""Positions in the database: what one fill does to them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from operations.ids import new_id
from portfolio.booking import Book, Execution, apply_fill, share_of, split_at_flat
from portfolio.fills import Fill
from portfolio.models import Position, PositionSide, PositionStatus, PositionType
from portfolio.models.positions import PositionQuerySet

NOTHING = Decimal(0)
_FIGURES = (
    "quantity",
    "open_cost",
    "buy_quantity",
    "buy_value",
    "sell_quantity",
    "sell_value",
    "realized_pnl",
    "unrealized_pnl",
    "charges",
    "last_price",
    "marked_at",
    "side",
    "status",
    "closed_at",
    "updated_at",
)


@dataclass(frozen=True, slots=True)
class Booking:
    """One fill on its way into the books, with what it was charged."""

    fill: Fill
    charges: Decimal

    @property
    def execution(self) -> Execution:
        return Execution(side=self.fill.side, quantity=self.fill.quantity, price=self.fill.price)


def book_net(booking: Booking) -> Decimal:
    """Fold a fill into the open position; return what it realised.

    A fill that turns long into short closes one position and opens another, and its charges are
    shared between the two by quantity.
    """
    fill = booking.fill
    position = _positions(fill).open().first()
    if position is None:
        position = _new_position(fill, PositionType.NET)
    first, *rest = split_at_flat(book_of(position), booking.execution)
    charges = share_of(booking.charges, part=first.quantity, whole=fill.quantity)
    realized = _apply(position, fill, first, charges=charges)
    for execution in rest:
        opposite = _new_position(fill, PositionType.NET)
        _apply(opposite, fill, execution, charges=booking.charges - charges)
    return realized


def book_day(booking: Booking) -> None:
    """Fold a fill into the session's own row, which counts that day's trades only."""
    fill = booking.fill
    position = (
        _positions(fill)
        .filter(position_type=PositionType.DAY, session_date=fill.session_date)
        .first()
    )
    if position is None:
        position = _new_position(fill, PositionType.DAY)
    _apply(position, fill, booking.execution, charges=booking.charges)


def book_of(position: Position) -> Book:
    return Book(
        quantity=position.quantity,
        open_cost=position.open_cost,
        realized=position.realized_pnl,
        buy_quantity=position.buy_quantity,
        buy_value=position.buy_value,
        sell_quantity=position.sell_quantity,
        sell_value=position.sell_value,
    )


def mark(position: Position, *, price: Decimal, at: datetime) -> None:
    """Value what is open at a price that is not older than the last one."""
    if position.marked_at is None or at >= position.marked_at:
        position.last_price = price
        position.marked_at = at
    position.unrealized_pnl = position.unrealized_at(position.last_price or price)


def _positions(fill: Fill) -> PositionQuerySet:
    return Position.objects.filter(
        account=fill.account,
        instrument=fill.instrument,
        product=fill.product,
        user_strategy_id=fill.user_strategy_id,
    )


def _new_position(fill: Fill, position_type: PositionType) -> Position:
    return Position(
        pk=new_id(),
        workspace_id=fill.account.workspace_id,
        user_id=fill.account.connection.user_id,
        account=fill.account,
        instrument=fill.instrument,
        product=fill.product,
        user_strategy_id=fill.user_strategy_id,
        opening_order_id=fill.order_id,
        position_type=position_type,
        session_date=fill.session_date,
        opened_at=fill.traded_at,
    )


def _apply(position: Position, fill: Fill, execution: Execution, *, charges: Decimal) -> Decimal:
    before = book_of(position)
    after = apply_fill(before, execution)
    set_book(position, after)
    position.charges += charges
    mark(position, price=fill.price, at=fill.traded_at)
    position.closed_at = fill.traded_at if after.is_flat else None
    if position._state.adding:
        position.save(force_insert=True)
    else:
        position.save(update_fields=_FIGURES)
    return after.realized - before.realized


def set_book(position: Position, book: Book) -> None:
    position.quantity = book.quantity
    position.open_cost = book.open_cost
    position.realized_pnl = book.realized
    position.buy_quantity = book.buy_quantity
    position.buy_value = book.buy_value
    position.sell_quantity = book.sell_quantity
    position.sell_value = book.sell_value
    position.status = PositionStatus.CLOSED if book.is_flat else PositionStatus.OPEN
    if not book.is_flat:  # a closed position remembers which side it was
        position.side = PositionSide.LONG if book.quantity > 0 else PositionSide.SHORT
