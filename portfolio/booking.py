"""How trades make a position: a pure fold at average cost, exact to the last digit.

Whatever is bought and sold, ``realized - open_cost`` is the cash that the trades moved. Average
price is a quotient for the eye; only sums are carried, so no rounding ever accumulates.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

from brokers.terms import Side

NOTHING = Decimal(0)
SMALLEST = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Execution:
    """So many units at one price."""

    side: Side
    quantity: int
    price: Decimal

    @property
    def value(self) -> Decimal:
        return self.price * self.quantity

    @property
    def signed_quantity(self) -> int:
        return self.side.sign * self.quantity


@dataclass(frozen=True, slots=True)
class Book:
    """What a run of executions has come to. Quantity and cost are signed: short is negative."""

    quantity: int = 0
    open_cost: Decimal = NOTHING
    realized: Decimal = NOTHING
    buy_quantity: int = 0
    buy_value: Decimal = NOTHING
    sell_quantity: int = 0
    sell_value: Decimal = NOTHING

    @property
    def is_flat(self) -> bool:
        return self.quantity == 0

    @property
    def cash_moved(self) -> Decimal:
        return self.sell_value - self.buy_value

    def unrealized_at(self, price: Decimal) -> Decimal:
        return price * self.quantity - self.open_cost


def apply_fill(book: Book, execution: Execution) -> Book:
    """Return the book after one execution, also when it turns long into short."""
    for part in split_at_flat(book, execution):
        book = _apply_within_side(book, part)
    return book


def fold(executions: Iterable[Execution]) -> Book:
    """Return the book that these executions make, from flat, in their order."""
    book = Book()
    for execution in executions:
        book = apply_fill(book, execution)
    return book


def split_at_flat(book: Book, execution: Execution) -> tuple[Execution, ...]:
    """Cut an execution in two where it closes one position and opens the opposite one."""
    crosses = book.quantity * execution.side.sign < 0 and execution.quantity > abs(book.quantity)
    if not crosses:
        return (execution,)
    closing = abs(book.quantity)
    return (
        replace(execution, quantity=closing),
        replace(execution, quantity=execution.quantity - closing),
    )


def share_of(amount: Decimal, *, part: int, whole: int) -> Decimal:
    """Return the share that falls on a part, to four decimals; all of it when part is whole."""
    if part == whole:
        return amount
    return (amount * part / whole).quantize(SMALLEST, rounding=ROUND_HALF_EVEN)


def _apply_within_side(book: Book, execution: Execution) -> Book:
    traded = _count(book, execution)
    signed_value = execution.value * execution.side.sign
    if book.quantity * execution.side.sign >= 0:
        return replace(traded, open_cost=book.open_cost + signed_value)
    cost_removed = share_of(book.open_cost, part=execution.quantity, whole=abs(book.quantity))
    return replace(
        traded,
        open_cost=book.open_cost - cost_removed,
        realized=book.realized - signed_value - cost_removed,
    )


def _count(book: Book, execution: Execution) -> Book:
    quantity = book.quantity + execution.signed_quantity
    if execution.side is Side.BUY:
        return replace(
            book,
            quantity=quantity,
            buy_quantity=book.buy_quantity + execution.quantity,
            buy_value=book.buy_value + execution.value,
        )
    return replace(
        book,
        quantity=quantity,
        sell_quantity=book.sell_quantity + execution.quantity,
        sell_value=book.sell_value + execution.value,
    )
