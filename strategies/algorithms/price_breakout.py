"""Follow a price out of its range (source 000: ``price_breakout``; the channel is Donchian's)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from brokers.terms import Side
from market.bars import Bar
from strategies.algorithms.algorithm import Algorithm, Decision, Lookback, enter, leave
from strategies.parameters import decimal, whole, yes_no


@dataclass(frozen=True, slots=True)
class PriceBreakout(Algorithm):
    """Enter beyond the range of ``entry_bars`` candles; leave beyond the opposite, shorter one."""

    entry_bars: int = whole(
        "Candles whose highest high must be broken to enter", default=20, minimum=2, maximum=500
    )
    exit_bars: int = whole(
        "Candles whose lowest low must be broken to leave", default=10, minimum=1, maximum=500
    )
    buffer_percent: Decimal = decimal(
        "By how many per cent it must be broken to enter", default="0", minimum="0", maximum="10"
    )
    allow_short: bool = yes_no("Sell short as well", default=False)

    @property
    def lookback(self) -> Lookback:
        return Lookback(bars=max(self.entry_bars, self.exit_bars) + 1)

    def contradictions(self) -> Mapping[str, list[str]]:
        if self.exit_bars > self.entry_bars:
            return {"exit_bars": ["It must not be more than the candles to enter on."]}
        return {}

    def decide(self, bars: Sequence[Bar], position: int) -> Decision | None:
        if len(bars) < self.lookback.bars:
            return None
        *before, last = bars
        if position:
            return self._exit(before[-self.exit_bars :], last.close, position)
        return self._entry(before[-self.entry_bars :], last.close)

    def _entry(self, before: Sequence[Bar], close: Decimal) -> Decision | None:
        highest = max(bar.high for bar in before)
        lowest = min(bar.low for bar in before)
        if close > highest * (1 + self.buffer_percent / 100):
            words = f"Closed at {close:.2f}, above {highest:.2f}, the high of {len(before)} candles"
            return enter(Side.BUY, words)
        if self.allow_short and close < lowest * (1 - self.buffer_percent / 100):
            words = f"Closed at {close:.2f}, below {lowest:.2f}, the low of {len(before)} candles"
            return enter(Side.SELL, words)
        return None

    def _exit(self, before: Sequence[Bar], close: Decimal, position: int) -> Decision | None:
        lowest = min(bar.low for bar in before)
        highest = max(bar.high for bar in before)
        if position > 0 and close < lowest:
            words = f"Closed at {close:.2f}, below {lowest:.2f}, the low of {len(before)} candles"
            return leave(position, words)
        if position < 0 and close > highest:
            words = f"Closed at {close:.2f}, above {highest:.2f}, the high of {len(before)} candles"
            return leave(position, words)
        return None
