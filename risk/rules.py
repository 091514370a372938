"""The limits themselves: pure functions over facts, in the words a trader reads when refused.

Quantities are units, prices and amounts are in the account's currency. MAX_DAILY_LOSS is the
``max_loss`` of a desk's RMS sheet, MAX_LOTS its ``max_lots``, PROFIT_LOCK its ``profit_lock`` and
TRAILING_STOP its ``trailing_sl``.

A rule of the whole workspace is kept for each kind of money by itself: real or paper, and each
currency; a replay is a kind of its own. Losses on paper never stop real trading, nor the other way
round. A limit that is an amount (``AMOUNT_RULES``) is stated in one currency and holds in that
currency alone, for real and for paper money each. Counts, percentages and points have no currency
and hold in every one. An account in a currency for which the workspace has stated no such amount,
and which has none of its own, is refused entries until somebody states it: no limit is not known
to be meant, and an exchange rate is nobody's limit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from operations.figures import rupees

# What an amount is stated in that names no currency.
HOME_CURRENCY = "INR"


@dataclass(frozen=True, slots=True)
class Exposure:
    """One book's holding of one instrument, with what its unfinished orders may still add.

    ``at_broker`` is what the whole account holds of it by its broker's word, where that differs
    from ours and may be true: until it is settled, the worse of the two counts.
    """

    quantity: int
    pending_buys: int = 0
    pending_sells: int = 0
    at_broker: "Exposure | None" = None

    def worst_with(self, signed_quantity: int) -> int:
        """The largest |position| that could come of it if only the orders of one side fill."""
        long = self.quantity + self.pending_buys + max(signed_quantity, 0)
        short = self.quantity - self.pending_sells + min(signed_quantity, 0)
        there = self.at_broker.worst_with(signed_quantity) if self.at_broker else 0
        return max(abs(long), abs(short), there)

    def exitable(self, sign: int) -> int:
        """How much an order of that side may still close, after every exit already on its way."""
        if self.quantity * sign >= 0:
            return 0
        leaving = self.pending_buys if sign > 0 else self.pending_sells
        left = max(abs(self.quantity) - leaving, 0)
        return min(left, self.at_broker.exitable(sign)) if self.at_broker else left


@dataclass(frozen=True, slots=True)
class DayFigures:
    """The day's money within a rule's reach. P&L is after charges; ``peak`` is its best so far."""

    pnl: Decimal
    peak: Decimal
    capital_at_start: Decimal
    orders: int
    currency: str = HOME_CURRENCY

    @property
    def equity(self) -> Decimal:
        return self.capital_at_start + self.pnl

    @property
    def fall(self) -> Decimal:
        return max(self.peak, Decimal(0)) - self.pnl


@dataclass(frozen=True, slots=True)
class Reach:
    """What an order would make of its instrument: the worst quantity, at its price, in its lots."""

    quantity: int
    price: Decimal
    lot_size: int
    currency: str = HOME_CURRENCY


@dataclass(frozen=True, slots=True)
class Finding:
    """A limit held against what was found. ``is_beyond`` decides; the words explain."""

    actual: Decimal
    limit: Decimal
    is_beyond: bool
    words: str


def amount(value: Decimal, currency: str) -> str:
    """Write an amount of money; in rupees it goes without saying."""
    return rupees(value) if currency == HOME_CURRENCY else f"{currency} {rupees(value)}"


def largest_position(limit: Decimal, reach: Reach) -> Finding:
    value = reach.quantity * reach.price
    words = (
        f"The position could reach {amount(value, reach.currency)}; "
        f"the limit is {amount(limit, reach.currency)}"
    )
    return Finding(value, limit, value > limit, words)


def most_lots(limit: Decimal, reach: Reach) -> Finding:
    lots = Decimal(-(-reach.quantity // reach.lot_size))
    words = f"The position could reach {rupees(lots, 0)} lots; the limit is {limit.normalize():f}"
    return Finding(lots, limit, lots > limit, words)


def most_orders(limit: Decimal, day: DayFigures) -> Finding:
    words = (
        f"{rupees(day.orders, 0)} orders have been placed today; the limit is {limit.normalize():f}"
    )
    return Finding(Decimal(day.orders), limit, day.orders >= limit, words)


def daily_loss(limit: Decimal, day: DayFigures) -> Finding:
    loss = max(-day.pnl, Decimal(0))
    words = (
        f"The day's loss is {amount(loss, day.currency)}; "
        f"the limit is {amount(limit, day.currency)}"
    )
    return Finding(loss, limit, loss >= limit, words)


def drawdown(limit: Decimal, day: DayFigures) -> Finding:
    """Fall from the day's best P&L (at least zero) in per cent of the capital at its start."""
    if day.capital_at_start <= 0:
        return Finding(Decimal(100), limit, True, "The day began without capital")
    share = day.fall / day.capital_at_start * 100
    words = f"{share:.2f}% below the day's best; the limit is {limit.normalize():f}%"
    return Finding(share, limit, share >= limit, words)


def least_capital(limit: Decimal, day: DayFigures) -> Finding:
    words = (
        f"Capital is {amount(day.equity, day.currency)}; "
        f"trading stops below {amount(limit, day.currency)}"
    )
    return Finding(day.equity, limit, day.equity < limit, words)


def profit_lock(limit: Decimal, day: DayFigures) -> Finding:
    """Beyond once the profit has been reached and then lost again down to the limit."""
    peak, pnl = amount(day.peak, day.currency), amount(day.pnl, day.currency)
    words = f"Profit reached {peak} and fell back to {pnl}; {amount(limit, day.currency)} is kept"
    return Finding(day.pnl, limit, day.peak > limit >= day.pnl, words)


def trailing_stop(points: Decimal, *, best: Decimal, price: Decimal, sign: int) -> Finding:
    """Beyond when the price is that many points worse than the best the position has seen."""
    worse = (best - price) * sign
    words = f"{rupees(worse)} points from its best of {rupees(best)}; the stop is {rupees(points)}"
    return Finding(worse, points, worse >= points, words)


DAY_RULES: dict[str, Callable[[Decimal, DayFigures], Finding]] = {
    "MAX_ORDERS_PER_DAY": most_orders,
    "MAX_DAILY_LOSS": daily_loss,
    "MAX_DRAWDOWN": drawdown,
    "MIN_CAPITAL_THRESHOLD": least_capital,
    "PROFIT_LOCK": profit_lock,
}
REACH_RULES: dict[str, Callable[[Decimal, Reach], Finding]] = {
    "MAX_POSITION_SIZE": largest_position,
    "MAX_LOTS": most_lots,
}
# Their limits are amounts of money, so each is stated in a currency.
AMOUNT_RULES = frozenset(
    {"MAX_POSITION_SIZE", "MAX_DAILY_LOSS", "MIN_CAPITAL_THRESHOLD", "PROFIT_LOCK"}
)
# They measure against the capital that the day began with.
CAPITAL_RULES = frozenset({"MAX_DRAWDOWN", "MIN_CAPITAL_THRESHOLD"})
