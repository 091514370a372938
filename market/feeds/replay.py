"""Stored candles played again as ticks: four prices a bar, every instrument merged in time."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from brokers.gateway import QuoteTick
from market.bars import Bar, grid_of
from market.calendar import IST, CalendarUnknown, session_hours
from market.feeds.feed import TickBatch
from market.models import Candle, Instrument, Interval
from market.store import read_candles

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What to play; ``day`` alone of the exchanges' days, where it is set.

    ``speed`` is how many times as fast as it happened; 0 is as fast as it goes.
    """

    instruments: Sequence[Instrument]
    interval: Interval
    start: datetime | None = None
    end: datetime | None = None
    day: date | None = None
    speed: float = 0
    stopped: threading.Event = field(default_factory=threading.Event)


class ReplayFeed:
    """One day after the other; each day ends with an empty batch that closes its last bars."""

    def __init__(self, plan: ReplayPlan) -> None:
        self._plan = plan

    def batches(self) -> Iterator[TickBatch]:
        before: datetime | None = None
        for day in self._days():
            for batch in self._day(day):
                if self._wait(before, batch.at):
                    return
                before = batch.at
                yield batch

    def _days(self) -> list[date]:
        """The exchanges' days on which anything that is played was traded."""
        if self._plan.day is not None:
            return [self._plan.day]
        candles = Candle.objects.filter(instrument__in=self._plan.instruments)
        if self._plan.start is not None:
            candles = candles.filter(timestamp__gte=self._plan.start)
        if self._plan.end is not None:
            candles = candles.filter(timestamp__lt=self._plan.end)
        found: set[date] = set()
        for exchange in {each.exchange for each in self._plan.instruments}:
            zone = grid_of(exchange).zone
            its = candles.filter(instrument__exchange=exchange)
            for rows, named in (
                (its.exclude(interval=Interval.D1), zone),
                (its.filter(interval=Interval.D1), IST),
            ):
                days = rows.datetimes("timestamp", "day", tzinfo=named)
                found.update(each.date() for each in days)
        return sorted(found)

    def _day(self, day: date) -> Iterator[TickBatch]:
        moments: dict[datetime, list[QuoteTick]] = defaultdict(list)
        ends: set[datetime] = set()
        for instrument in self._plan.instruments:
            for bar in self._bars(instrument, day):
                begins, finish = _span(instrument, self._plan.interval, bar)
                ends.add(finish)
                for tick in ticks_of(instrument.key, bar, begins=begins, ends=finish):
                    moments[tick.at].append(tick)
        for at in sorted(moments.keys() | ends):
            yield TickBatch(at, tuple(moments.get(at, ())))

    def _bars(self, instrument: Instrument, day: date) -> list[Bar]:
        grid = grid_of(instrument.exchange)
        begins, over = (grid.day_begins(each, self._plan.interval) for each in (day, day + _DAY))
        start = max(filter(None, (begins, self._plan.start)))
        end = min(filter(None, (over, self._plan.end)))
        return read_candles(instrument, self._plan.interval, start=start, end=end)

    def _wait(self, before: datetime | None, at: datetime) -> bool:
        """Sleep as long as the plan's speed asks; tell whether the replay was stopped."""
        if before is None or not self._plan.speed:
            return self._plan.stopped.is_set()
        return self._plan.stopped.wait((at - before).total_seconds() / self._plan.speed)


def ticks_of(key: str, bar: Bar, *, begins: datetime, ends: datetime) -> Iterator[QuoteTick]:
    """Walk a bar: open, its two extremes (the nearer one first), close a second before its end.

    A quarter of the volume goes to each, what is left over to the close.
    """
    high_first = abs(bar.high - bar.open) < abs(bar.low - bar.open)
    extremes = (bar.high, bar.low) if high_first else (bar.low, bar.high)
    third = (ends - begins) / 3
    moments = (begins, begins + third, begins + 2 * third, ends - _SECOND)
    quarter = bar.volume // 4
    volumes = (quarter, quarter, quarter, bar.volume - 3 * quarter)
    for price, at, volume in zip((bar.open, *extremes, bar.close), moments, volumes, strict=True):
        yield QuoteTick(key, price, at, volume, open_interest=bar.open_interest)


def _span(instrument: Instrument, interval: Interval, bar: Bar) -> tuple[datetime, datetime]:
    """Return when a bar's trading began and ended; a day's bar is named by its midnight."""
    ends = bar.at + interval.length
    day = grid_of(instrument.exchange).day_of(bar.at, interval)
    try:
        hours = session_hours(instrument.exchange, instrument.segment, day)
    except CalendarUnknown:
        return bar.at, ends
    if hours is None or not bar.at < hours.closes_at or ends <= hours.opens_at:
        return bar.at, ends
    return max(bar.at, hours.opens_at), min(ends, hours.closes_at)
