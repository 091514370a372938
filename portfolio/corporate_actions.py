"""What a split, a bonus or a consolidation makes of the shares held: a plain rule.

From the ex-date one old share is ``factor`` new ones (split A:B gives A/B, bonus A:B gives (A+B)/B,
ten into one 0.1). Whole shares are credited over all that an account holds; what is left over is a
fraction that the company pays in money later. A bonus share costs nothing, so a bonus leaves the
whole cost with the shares held; in a split or consolidation the fraction takes its share of the
cost along. Sources: zerodha bulletins quoting the exchanges' circulars; BSE notices of 23-Dec-2025
(Caspian, ten into one).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from portfolio.booking import SMALLEST, Book

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class ShareChange:
    """One action as the books take it; ``keeps_cost`` is a bonus, whose fraction costs nothing."""

    instrument_id: int
    ex_date: date
    factor: Decimal
    keeps_cost: bool


@dataclass(frozen=True, slots=True)
class Credit:
    """Whole shares of each holding afterwards, and the fraction paid in money instead."""

    quantities: tuple[int, ...]
    fraction: Decimal


def credited(quantities: Sequence[int], factor: Decimal) -> Credit:
    """Turn the shares of one account's books into new ones, whole over all of them.

    The whole shares that rounding each down would lose go to the largest fractions first.
    """
    exact = [quantity * factor for quantity in quantities]
    whole = [int(each.to_integral_value(ROUND_FLOOR)) for each in exact]
    together = sum(exact, NOTHING)
    left = int(together.to_integral_value(ROUND_FLOOR)) - sum(whole)
    order = sorted(range(len(exact)), key=lambda place: (whole[place] - exact[place], place))
    for place in order[:left]:
        whole[place] += 1
    return Credit(tuple(whole), together - sum(whole))


def restated(book: Book, quantity: int, change: ShareChange) -> Book:
    """Return a long book after the change, with so many shares. Its sums stay what trades moved.

    What the fraction cost is realised as a loss until the company's money comes.
    """
    cost = kept_cost(book.open_cost, before=book.quantity, after=quantity, change=change)
    return replace(
        book,
        quantity=quantity,
        open_cost=cost,
        realized=book.realized - (book.open_cost - cost),
        buy_quantity=book.buy_quantity + quantity - book.quantity,
    )


def kept_cost(cost: Decimal, *, before: int, after: int, change: ShareChange) -> Decimal:
    """Return what of a cost stays with the whole shares."""
    if not after:
        return NOTHING
    exact = before * change.factor
    if change.keeps_cost or after >= exact:
        return cost
    return (cost * after / exact).quantize(SMALLEST, ROUND_HALF_EVEN)


def restated_price(price: Decimal, factor: Decimal) -> Decimal:
    """Return an old share's price as a new share's, to four decimals."""
    return (price / factor).quantize(SMALLEST, ROUND_HALF_EVEN)
