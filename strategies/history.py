"""The candles a decision is made on: closed ones only, restated for the splits known by then."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from market.bars import Bar, adjust
from market.calendar import IST
from market.models import CorporateAction, Instrument, Interval
from market.store import read_candles
from strategies.algorithms.algorithm import Lookback


@dataclass(frozen=True, slots=True)
class Span:
    """Which candles: those an algorithm needs, up to and with the one that opens at ``until``."""

    interval: Interval
    until: datetime
    lookback: Lookback

    @property
    def midnight(self) -> datetime:
        """The beginning of the day, in India, that the newest candle lies in."""
        local = self.until.astimezone(IST)
        return local.replace(hour=0, minute=0, second=0, microsecond=0)


class BarHistory(Protocol):
    def window(self, instrument: Instrument, span: Span) -> list[Bar]:
        """Return the candles, oldest first; fewer where the store has fewer."""


class StoredBars:
    """Reads the store each time: what a live evaluation needs."""

    def window(self, instrument: Instrument, span: Span) -> list[Bar]:
        end, wanted = span.until + span.interval.length, span.lookback.bars
        # One more, since the oldest of candles made from shorter ones may be cut short.
        bars = read_candles(instrument, span.interval, end=end, limit=wanted + 1)[-wanted:]
        if span.lookback.whole_session and bars and bars[0].at > span.midnight:
            bars = read_candles(instrument, span.interval, start=span.midnight, end=end)
        return _restated(bars, _actions(instrument), span)


@dataclass(slots=True)
class LoadedBars:
    """Reads an instrument's history once and cuts from it: for a replay, whose past is settled."""

    _bars: dict[tuple[int, Interval], list[Bar]] = field(default_factory=dict)
    _actions: dict[int, list[CorporateAction]] = field(default_factory=dict)

    def window(self, instrument: Instrument, span: Span) -> list[Bar]:
        bars = cut(self._history(instrument, span.interval), span)
        return _restated(bars, self._actions[instrument.pk], span)

    def _history(self, instrument: Instrument, interval: Interval) -> list[Bar]:
        key = (instrument.pk, interval)
        if key not in self._bars:
            self._bars[key] = read_candles(instrument, interval)
            self._actions[instrument.pk] = _actions(instrument)
        return self._bars[key]


def cut(bars: Sequence[Bar], span: Span) -> list[Bar]:
    """Return the span's part of a whole history: nothing that opened after ``until``."""
    end = bisect_right(bars, span.until, key=_opening)
    start = max(end - span.lookback.bars, 0)
    if span.lookback.whole_session:
        start = min(start, bisect_left(bars, span.midnight, key=_opening))
    return list(bars[start:end])


def _actions(instrument: Instrument) -> list[CorporateAction]:
    return list(CorporateAction.objects.filter(instrument=instrument).exclude(factor=1))


def _restated(bars: list[Bar], actions: Sequence[CorporateAction], span: Span) -> list[Bar]:
    """Restate for splits up to the newest candle's day: a later one is not known at that time."""
    today = span.midnight.date()
    known = [action for action in actions if action.ex_date <= today]
    return adjust(bars, known) if known else bars


def _opening(bar: Bar) -> datetime:
    return bar.at
