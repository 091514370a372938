"""Buy a recovery from oversold once buyers lead (source 001: ``rsi_dmi``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

import numpy as np

from brokers.terms import Side
from market.bars import Bar
from strategies.algorithms import indicators
from strategies.algorithms.algorithm import Algorithm, Decision, Lookback, enter, leave
from strategies.parameters import decimal, whole, yes_no


@dataclass(frozen=True, slots=True)
class Readings:
    """The indicators at each candle, oldest first; NaN where one is not defined."""

    rsi: indicators.Readings
    adx: indicators.Readings
    plus: indicators.Readings
    minus: indicators.Readings

    @classmethod
    def of(cls, bars: Sequence[Bar], *, rsi_period: int, dmi_period: int) -> Self:
        direction = indicators.directional_movement(bars, dmi_period)
        return cls(
            rsi=indicators.relative_strength(bars, rsi_period),
            adx=direction.adx,
            plus=direction.plus,
            minus=direction.minus,
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
        """The fewest candles that give every reading an exit looks at."""
        rsi, dmi = self._warm_ups
        return max(rsi.first, dmi.first)

    @property
    def lookback(self) -> Lookback:
        rsi, dmi = self._warm_ups
        return Lookback(bars=max(rsi.settled + self.memory, dmi.settled))

    @property
    def _warm_ups(self) -> tuple[indicators.WarmUp, indicators.WarmUp]:
        return indicators.rsi_warm_up(self.rsi_period), indicators.dmi_warm_up(self.dmi_period)

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
        if position:
            return self._exit(readings, position)
        # An exit is never kept waiting; an entry waits until no reading rests on a short history.
        return self._entry(readings) if len(bars) >= self.lookback.bars else None

    def _entry(self, readings: Readings) -> Decision | None:
        if readings.adx[-1] < float(self.adx_minimum):
            return None
        recent, now = readings.rsi[-self.memory - 1 : -1], readings.rsi[-1]
        if np.isnan(now) or np.isnan(recent[-1]):
            return None
        is_rising, is_falling = now > recent[-1], now < recent[-1]
        oversold, overbought = float(self.rsi_oversold), float(self.rsi_overbought)
        if not oversold < now < overbought:  # it would be the time to leave, not to enter
            return None
        buyers_lead = readings.plus[-1] > readings.minus[-1]
        if buyers_lead and is_rising and np.nanmin(recent) <= oversold:
            words = f"RSI {now:.1f}, rising from an oversold {np.nanmin(recent):.1f}"
            return enter(Side.BUY, f"{words}; {_direction(readings)}")
        sellers_lead = readings.minus[-1] > readings.plus[-1]
        if not (self.allow_short and sellers_lead):
            return None
        if is_falling and np.nanmax(recent) >= overbought:
            words = f"RSI {now:.1f}, falling from an overbought {np.nanmax(recent):.1f}"
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
