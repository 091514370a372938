"""Buy above one price, sell below another (source 000: ``price_threshold``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from brokers.terms import Side
from market.bars import Bar
from strategies.algorithms.algorithm import Algorithm, Decision, Lookback, enter, leave
from strategies.parameters import choice, decimal, yes_no

PERCENT = "percent"
PRICE = "price"


@dataclass(frozen=True, slots=True)
class PriceThreshold(Algorithm):
    """Thresholds in rupees suit one instrument; in per cent of the day's open, any number."""

    measure: str = choice(
        "Thresholds are given as",
        default=PERCENT,
        choices=((PERCENT, "per cent of the day's open"), (PRICE, "a price in rupees")),
    )
    buy_threshold: Decimal = decimal(
        "Buy when the price closes above", default="0.5", minimum="-50", maximum="1000000"
    )
    sell_threshold: Decimal = decimal(
        "Sell when the price closes below", default="-0.5", minimum="-50", maximum="1000000"
    )
    allow_short: bool = yes_no("Sell short as well", default=False)

    @property
    def lookback(self) -> Lookback:
        return Lookback(bars=1, whole_session=self.measure == PERCENT)

    def contradictions(self) -> Mapping[str, list[str]]:
        errors: dict[str, list[str]] = {}
        if self.sell_threshold >= self.buy_threshold:
            errors["sell_threshold"] = ["It must be below the price to buy at."]
        if self.measure == PRICE and self.sell_threshold <= 0:
            errors.setdefault("sell_threshold", []).append("A price must be above 0.")
        if self.measure == PERCENT and self.buy_threshold > 50:
            errors["buy_threshold"] = ["Per cent of the day's open must be at most 50."]
        return errors

    def decide(self, bars: Sequence[Bar], position: int) -> Decision | None:
        if not bars:
            return None
        close = bars[-1].close
        upper, lower = self._levels(bars)
        above = f"Closed at {close:.2f}, above {upper:.2f}"
        below = f"Closed at {close:.2f}, below {lower:.2f}"
        if position == 0:
            return self._entry(close, upper=(upper, above), lower=(lower, below))
        if position > 0 and close < lower:
            return leave(position, below)
        if position < 0 and close > upper:
            return leave(position, above)
        return None

    def _entry(
        self, close: Decimal, *, upper: tuple[Decimal, str], lower: tuple[Decimal, str]
    ) -> Decision | None:
        if close > upper[0]:
            return enter(Side.BUY, upper[1])
        if self.allow_short and close < lower[0]:
            return enter(Side.SELL, lower[1])
        return None

    def _levels(self, bars: Sequence[Bar]) -> tuple[Decimal, Decimal]:
        if self.measure == PRICE:
            return self.buy_threshold, self.sell_threshold
        today = bars[-1].day
        day_open = next(bar.open for bar in bars if bar.day == today)
        return (
            day_open * (1 + self.buy_threshold / 100),
            day_open * (1 + self.sell_threshold / 100),
        )
