"""Split one fill over the books it closes: a pure rule, the same for everyone who applies it.

An order that nobody here placed, such as a broker's square-off, names no strategy. Its fills close
what the strategies hold on the other side, the longest open first, each up to what it holds; the
rest is the account's own. So no strategy's book is ever turned round by somebody else's order.
Strategies come first even where the account holds some of its own: a strategy that wrongly believes
to hold a position would sell again what is not there any more.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from brokers.terms import Side
from portfolio.fills import Fill, FillPart

PAISA = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class OpenBook:
    """What one strategy holds of an instrument. Quantity is signed: short is negative."""

    user_strategy_id: uuid.UUID
    quantity: int
    opened_at: datetime
    position_id: uuid.UUID


def split_over_books(side: Side, quantity: int, books: Iterable[OpenBook]) -> tuple[FillPart, ...]:
    """Divide a quantity among the books that it closes, the rest to the account's own book."""
    left, parts = quantity, []
    for book in sorted(books, key=lambda each: (each.opened_at, each.position_id)):
        closing = min(abs(book.quantity), left) if book.quantity * side.sign < 0 else 0
        if closing:
            parts.append(FillPart(book.user_strategy_id, closing))
            left -= closing
    if left:
        parts.append(FillPart(None, left))
    return tuple(parts)


def split_amount(amount: Decimal, quantities: Sequence[int]) -> tuple[Decimal, ...]:
    """Divide an amount in proportion to quantities, to the paisa; the parts add up to it exactly.

    What is given out so far is rounded, not each part, so none is off by more than a paisa.
    """
    whole, given, so_far, parts = sum(quantities), Decimal(0), 0, []
    for quantity in quantities:
        so_far += quantity
        due = (amount * so_far / whole).quantize(PAISA, rounding=ROUND_HALF_UP)
        due = amount if so_far == whole else due
        parts.append(due - given)
        given = due
    return tuple(parts)


def parts_of(fill: Fill, charges: Decimal) -> Iterator[tuple[Fill, Decimal]]:
    """Yield each book's part of a fill as a fill of its own, with its part of the charges."""
    parts = fill.parts or (FillPart(fill.user_strategy_id, fill.quantity),)
    amounts = split_amount(charges, [part.quantity for part in parts])
    for part, amount in zip(parts, amounts, strict=True):
        whose = part.user_strategy_id
        yield replace(fill, user_strategy_id=whose, quantity=part.quantity, parts=()), amount
