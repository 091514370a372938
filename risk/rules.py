"""The limits themselves: pure functions over facts, in the words a trader reads when refused.

Quantities are units, prices and amounts are in the account's currency. MAX_DAILY_LOSS is the
``max_loss`` of a desk's RMS sheet, MAX_LOTS its ``max_lots``, PROFIT_LOCK its ``profit_lock`` and
TRAILING_STOP its ``trailing_sl``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from operations.figures import rupees


@dataclass(frozen=True, slots=True)
class Exposure:
    """One book's holding of one instrument, with what its unfinished orders may still add."""

    quantity: int
    pending_buys: int = 0
    pending_sells: int = 0

    def worst_with(self, signed_quantity: int) -> int:
        """The largest |position| that could come of it if only the orders of one side fill."""
        long = self.quantity + self.pending_buys + max(signed_quantity, 0)
        short = self.quantity - self.pending_sells + min(signed_quantity, 0)
        return max(abs(long), abs(short))

    def exitable(self, sign: int) -> int:
        """How much an order of that side may still close, after every exit already on its way."""
        if self.quantity * sign >= 0:
            return 0
        leaving = self.pending_buys if sign > 0 else self.pending_sells
        return max(abs(self.quantity) - leaving, 0)


@dataclass(frozen=True, slots=True)
class DayFigures:
    """The day's money within a rule's reach. P&L is after charges; ``peak`` is its best so far."""

    pnl: Decimal
    peak: Decimal
    capital_at_start: Decimal
    orders: int

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


@dataclass(frozen=True, slots=True)
class Finding:
    """A limit held against what was found. ``is_beyond`` decides; the words explain."""

    actual: Decimal
    limit: Decimal
    is_beyond: bool
    words: str


def largest_position(limit: Decimal, reach: Reach) -> Finding:
    value = reach.quantity * reach.price
    words = f"The position could reach {rupees(value)}; the limit is {rupees(limit)}"
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
    words = f"The day's loss is {rupees(loss)}; the limit is {rupees(limit)}"
    return Finding(loss, limit, loss >= limit, words)


def drawdown(limit: Decimal, day: DayFigures) -> Finding:
    """Fall from the day's best P&L (at least zero) in per cent of the capital at its start."""
    if day.capital_at_start <= 0:
        return Finding(Decimal(100), limit, True, "The day began without capital")
    share = day.fall / day.capital_at_start * 100
    words = f"{share:.2f}% below the day's best; the limit is {limit.normalize():f}%"
    return Finding(share, limit, share >= limit, words)


def least_capital(limit: Decimal, day: DayFigures) -> Finding:
    words = f"Capital is {rupees(day.equity)}; trading stops below {rupees(limit)}"
    return Finding(day.equity, limit, day.equity < limit, words)


def profit_lock(limit: Decimal, day: DayFigures) -> Finding:
    """Beyond once the profit has been reached and then lost again down to the limit."""
    reached = f"Profit reached {rupees(day.peak)} and fell back to {rupees(day.pnl)}"
    words = f"{reached}; {rupees(limit)} is kept"
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
