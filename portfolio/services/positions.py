"""Positions in the database: what fills do to them."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from operations.ids import new_id
from portfolio.booking import Book, Execution, apply_fill, share_of, split_at_flat
from portfolio.fills import Fill
from portfolio.models import Position, PositionSide, PositionStatus, PositionType
from portfolio.splitting import OpenBook

NOTHING = Decimal(0)
_FIGURES = (
    "quantity",
    "open_cost",
    "buy_quantity",
    "buy_value",
    "sell_quantity",
    "sell_value",
    "realized_pnl",
    "booked_pnl",
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


class Positions:
    """The positions that the fills of one instrument, product and day move.

    They are read once, changed in memory and written once, by whoever holds the account's lock.
    ``gained`` is by how much what is open has changed its unrealised gain meanwhile.
    """

    def __init__(self, fill: Fill) -> None:
        self.gained = NOTHING
        self._net: dict[uuid.UUID | None, Position] = {}
        self._day: dict[uuid.UUID | None, Position] = {}
        self._changed: dict[uuid.UUID, Position] = {}
        is_open = Q(position_type=PositionType.NET, status=PositionStatus.OPEN)
        is_of_day = Q(position_type=PositionType.DAY, session_date=fill.session_date)
        for position in Position.objects.filter(
            is_open | is_of_day,
            account=fill.account,
            instrument=fill.instrument,
            product=fill.product,
        ):
            is_net = position.position_type == PositionType.NET
            (self._net if is_net else self._day)[position.user_strategy_id] = position

    def strategies_books(self) -> list[OpenBook]:
        """What each strategy holds now."""
        return [
            OpenBook(strategy, each.quantity, each.opened_at, each.pk)
            for strategy, each in self._net.items()
            if strategy is not None
        ]

    def book(self, booking: Booking) -> Decimal:
        """Fold a fill into the open position and its day's; return what it realised.

        A fill that turns long into short closes one position and opens another, and its charges
        are shared between the two by quantity.
        """
        fill = booking.fill
        whose = fill.user_strategy_id
        position = self._net.get(whose) or _new_position(fill, PositionType.NET)
        first, *rest = split_at_flat(book_of(position), booking.execution)
        charges = share_of(booking.charges, part=first.quantity, whole=fill.quantity)
        realized = self._apply_net(position, fill, first, charges=charges)
        for execution in rest:
            opposite = _new_position(fill, PositionType.NET)
            self._apply_net(opposite, fill, execution, charges=booking.charges - charges)
        # The session's own row counts that day's trades only.
        if whose not in self._day:
            self._day[whose] = _new_position(fill, PositionType.DAY)
        self._apply(self._day[whose], fill, booking.execution, charges=booking.charges)
        self._day[whose].booked_pnl += realized
        return realized

    def write(self) -> None:
        for position in self._changed.values():
            if position._state.adding:
                position.save(force_insert=True)
            else:
                position.save(update_fields=_FIGURES)
        self._changed.clear()

    def _apply_net(
        self, position: Position, fill: Fill, execution: Execution, *, charges: Decimal
    ) -> Decimal:
        before = position.unrealized_pnl
        realized = self._apply(position, fill, execution, charges=charges)
        self.gained += position.unrealized_pnl - before
        self._net[fill.user_strategy_id] = position
        if position.status == PositionStatus.CLOSED:
            del self._net[fill.user_strategy_id]
        return realized

    def _apply(
        self, position: Position, fill: Fill, execution: Execution, *, charges: Decimal
    ) -> Decimal:
        self._changed[position.pk] = position
        return _apply(position, fill, execution, charges=charges)


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
