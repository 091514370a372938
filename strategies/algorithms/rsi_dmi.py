"""Buy a recovery from oversold once buyers lead (source 001: ``rsi_dmi``).

RSI, ADX, +DI and −DI are Wilder's (New Concepts in Technical Trading Systems, 1978), computed by
TA-Lib. They are floats: an indicator is a reading, not money.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

import numpy as np
import talib
from numpy.typing import NDArray

from brokers.terms import Side
from market.bars import Bar
from strategies.algorithms.algorithm import Algorithm, Decision, Lookback, enter, leave
from strategies.parameters import decimal, whole, yes_no

# Wilder's smoothing forgets a candle by 1 − 1/period each step: after ten periods 0.005 % is left.
_PERIODS_TO_SETTLE = 10


@dataclass(frozen=True, slots=True)
class Readings:
    """The indicators at each candle, oldest first; NaN where there are too few candles yet."""

    rsi: NDArray[np.float64]
    adx: NDArray[np.float64]
    plus: NDArray[np.float64]
    minus: NDArray[np.float64]

    @classmethod
    def of(cls, bars: Sequence[Bar], *, rsi_period: int, dmi_period: int) -> Self:
        high = np.array([float(bar.high) for bar in bars])
        low = np.array([float(bar.low) for bar in bars])
        close = np.array([float(bar.close) for bar in bars])
        return cls(
            rsi=talib.RSI(close, timeperiod=rsi_period),
            adx=talib.ADX(high, low, close, timeperiod=dmi_period),
            plus=talib.PLUS_DI(high, low, close, timeperiod=dmi_period),
            minus=talib.MINUS_DI(high, low, close, timeperiod=dmi_period),
        )


@dataclass(frozen=True, slots=True)
class RsiDmi(Algorithm):
    """Enter when RSI turns up out of oversold, +DI is above −DI and ADX shows a trend."""

    rsi_period: int = whole("Candles of the RSI", default=14, minimum=2, maximum=50)
    rsi_oversold: Decimal = decimal(
        "RSI at or below this is oversold", default="30", minimum="5", maximum="50"
    )
    rsi_overbought: Decimal = decimal(
        "RSI at or above this is overbought", default="70", minimum="50", maximum="95"
    )
    dmi_period: int = whole("Candles of the DMI and ADX", default=14, minimum=2, maximum=50)
    adx_minimum: Decimal = decimal(
        "Least ADX to call it a trend", default="20", minimum="0", maximum="60"
    )
    memory: int = whole(
        "Candles for which oversold is remembered", default=10, minimum=1, maximum=50
    )
    allow_short: bool = yes_no("Sell short as well", default=False)

    @property
    def warm_up(self) -> int:
        """The fewest candles that give every reading a decision looks at."""
        return max(self.rsi_period + 1 + self.memory, 2 * self.dmi_period)

    @property
    def lookback(self) -> Lookback:
        settling = _PERIODS_TO_SETTLE * max(self.rsi_period, self.dmi_period)
        return Lookback(bars=self.warm_up + settling)

    def contradictions(self) -> Mapping[str, list[str]]:
        if self.rsi_oversold >= self.rsi_overbought:
            return {"rsi_overbought": ["It must be above the oversold level."]}
        return {}

    def decide(self, bars: Sequence[Bar], position: int) -> Decision | None:
        if len(bars) < self.warm_up:
            return None
        readings = Readings.of(
            bars[-self.lookback.bars :], rsi_period=self.rsi_period, dmi_period=self.dmi_period
        )
        return self._exit(readings, position) if position else self._entry(readings)

    def _entry(self, readings: Readings) -> Decision | None:
        if readings.adx[-1] < float(self.adx_minimum):
            return None
        recent, now = readings.rsi[-self.memory - 1 : -1], readings.rsi[-1]
        is_rising, is_falling = now > recent[-1], now < recent[-1]
        oversold, overbought = float(self.rsi_oversold), float(self.rsi_overbought)
        if not oversold < now < overbought:  # it would be the time to leave, not to enter
            return None
        buyers_lead = readings.plus[-1] > readings.minus[-1]
        if buyers_lead and is_rising and recent.min() <= oversold:
            words = f"RSI {now:.1f}, rising from an oversold {recent.min():.1f}"
            return enter(Side.BUY, f"{words}; {_direction(readings)}")
        sellers_lead = readings.minus[-1] > readings.plus[-1]
        if not (self.allow_short and sellers_lead):
            return None
        if is_falling and recent.max() >= overbought:
            words = f"RSI {now:.1f}, falling from an overbought {recent.max():.1f}"
            return enter(Side.SELL, f"{words}; {_direction(readings)}")
        return None

    def _exit(self, readings: Readings, position: int) -> Decision | None:
        rsi, plus, minus = readings.rsi[-1], readings.plus[-1], readings.minus[-1]
        if position > 0 and rsi >= float(self.rsi_overbought):
            return leave(position, f"RSI {rsi:.1f}, overbought")
        if position < 0 and rsi <= float(self.rsi_oversold):
            return leave(position, f"RSI {rsi:.1f}, oversold")
        turned = minus > plus if position > 0 else plus > minus
        return leave(position, f"The trend turned: {_direction(readings)}") if turned else None


def _direction(readings: Readings) -> str:
    plus, minus, adx = readings.plus[-1], readings.minus[-1], readings.adx[-1]
    return f"+DI {plus:.1f}, −DI {minus:.1f}, ADX {adx:.1f}"
