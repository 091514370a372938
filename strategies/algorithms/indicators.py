"""Readings of the market over time, with how many candles each one needs.

RSI, ADX, +DI and −DI are Wilder's (New Concepts in Technical Trading Systems, 1978), computed by
TA-Lib. They are floats: an indicator is a reading, not money. NaN stands where one is not defined.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import talib
from numpy.typing import NDArray

from market.bars import Bar

Readings = NDArray[np.float64]

# Wilder's smoothing forgets a candle by 1 − 1/period each step: after ten periods 0.005 % is left.
_PERIODS_TO_SETTLE = 10
# A share of the price that no tick is as small as: what is left of moves long past is none.
_NO_MOVE = 1e-9


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Candles until an indicator's ``first`` reading, and until it has ``settled``.

    Before it has settled, a reading still depends on where the history happens to begin.
    """

    first: int
    settled: int


def rsi_warm_up(period: int) -> WarmUp:
    return WarmUp(first=period + 1, settled=period + 1 + _PERIODS_TO_SETTLE * period)


def dmi_warm_up(period: int) -> WarmUp:
    """The ADX is smoothed twice, of readings that begin after one period."""
    return WarmUp(first=2 * period, settled=2 * period + _PERIODS_TO_SETTLE * period)


def relative_strength(bars: Sequence[Bar], period: int) -> Readings:
    """Return the RSI at each candle; without any move there is none."""
    close = _column(bars, "close")
    readings: Readings = talib.RSI(close, timeperiod=period)
    readings[_smoothed_moves(close, period) <= _NO_MOVE * close] = np.nan
    return readings


@dataclass(frozen=True, slots=True)
class Direction:
    """ADX, +DI and −DI at each candle."""

    adx: Readings
    plus: Readings
    minus: Readings


def directional_movement(bars: Sequence[Bar], period: int) -> Direction:
    prices = (_column(bars, "high"), _column(bars, "low"), _column(bars, "close"))
    return Direction(
        adx=talib.ADX(*prices, timeperiod=period),
        plus=talib.PLUS_DI(*prices, timeperiod=period),
        minus=talib.MINUS_DI(*prices, timeperiod=period),
    )


def _column(bars: Sequence[Bar], name: str) -> Readings:
    return np.array([float(getattr(bar, name)) for bar in bars])


def _smoothed_moves(close: Readings, period: int) -> Readings:
    """Gains and losses together, smoothed as Wilder smooths them: what the RSI is a share of."""
    moves = np.abs(np.diff(close, prepend=close[:1]))
    smoothed = np.full_like(close, np.inf)
    if len(close) > period:
        smoothed[period] = moves[1 : period + 1].mean()
        for index in range(period + 1, len(close)):
            smoothed[index] = (smoothed[index - 1] * (period - 1) + moves[index]) / period
    return smoothed
