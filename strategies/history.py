"""The candles a decision is made on: closed ones only, restated for the splits known by then."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Protocol

from market.bars import Bar, adjust, grid_of
from market.models import CorporateAction, Instrument, Interval
from market.store import read_candles
from strategies.algorithms.algorithm import Lookback


@dataclass(frozen=True, slots=True)
class Span:
    """Which candles: those an algorithm needs, up to and with the one that opens at ``until``."""

    interval: Interval
    until: datetime
    lookback: Lookback

    def day(self, instrument: Instrument) -> date:
        """The day of its exchange that the newest candle lies in."""
        return grid_of(instrument.exchange).day_of(self.until, self.interval)

    def day_begins(self, instrument: Instrument) -> datetime:
        return grid_of(instrument.exchange).day_begins(self.day(instrument), self.interval)


class BarHistory(Protocol):
    def window(self, instrument: Instrument, span: Span) -> list[Bar]:
        """Return the candles, oldest first; fewer where the store has fewer.

        Where whole sessions are asked for, each candle says of which session it is.
        """


class StoredBars:
    """Reads the store each time: what a live evaluation needs."""

    def window(self, instrument: Instrument, span: Span) -> list[Bar]:
        end, wanted = span.until + span.interval.length, span.lookback.bars
        # One more, since the oldest of candles made from shorter ones may be cut short.
        bars = read_candles(instrument, span.interval, end=end, limit=wanted + 1)[-wanted:]
        begins = span.day_begins(instrument)
        if span.lookback.whole_session and bars and bars[0].at > begins:
            bars = read_candles(instrument, span.interval, start=begins, end=end)
        return _restated(bars, instrument, _actions(instrument), span)


@dataclass(slots=True)
class LoadedBars:
    """Reads an instrument's history once and cuts from it: for a replay, whose past is settled."""

    _bars: dict[tuple[int, Interval], list[Bar]] = field(default_factory=dict)
    _actions: dict[int, list[CorporateAction]] = field(default_factory=dict)

    def window(self, instrument: Instrument, span: Span) -> list[Bar]:
        history = self._history(instrument, span.interval)
        bars = cut(history, span, day_begins=span.day_begins(instrument))
        return _restated(bars, instrument, self._actions[instrument.pk], span)

    def _history(self, instrument: Instrument, interval: Interval) -> list[Bar]:
        key = (instrument.pk, interval)
        if key not in self._bars:
            self._bars[key] = read_candles(instrument, interval)
            self._actions[instrument.pk] = _actions(instrument)
        return self._bars[key]


def cut(bars: Sequence[Bar], span: Span, *, day_begins: datetime | None = None) -> list[Bar]:
    """Return the span's part of a whole history: nothing that opened after ``until``."""
    end = bisect_right(bars, span.until, key=_opening)
    start = max(end - span.lookback.bars, 0)
    if span.lookback.whole_session and day_begins is not None:
        start = min(start, bisect_left(bars, day_begins, key=_opening))
    return list(bars[start:end])


def _actions(instrument: Instrument) -> list[CorporateAction]:
    return list(CorporateAction.objects.filter(instrument=instrument).exclude(factor=1))


def _restated(
    bars: list[Bar], instrument: Instrument, actions: Sequence[CorporateAction], span: Span
) -> list[Bar]:
    """Restate for splits up to the newest candle's day: a later one is not known at that time."""
    today = span.day(instrument)
    known = [action for action in actions if action.ex_date <= today]
    grid = grid_of(instrument.exchange)
    if span.lookback.whole_session:
        bars = [replace(each, session=grid.day_of(each.at, span.interval)) for each in bars]
    return adjust(bars, known, grid=grid, interval=span.interval) if known else bars


def _opening(bar: Bar) -> datetime:
    return bar.at
