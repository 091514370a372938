"""Candles out of ticks: bars anchored at the session's opening, closed by time and not by ticks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from brokers.gateway import QuoteTick
from market.bars import Bar, grid_of
from market.calendar import CalendarUnknown, local_day, session_hours
from market.feeds.feed import TickBatch
from market.models import Interval


@dataclass(frozen=True, slots=True)
class TradingWindow:
    """The stretch of one day in which trades make candles, and when it rests in between."""

    opens_at: datetime
    closes_at: datetime
    pauses: tuple[tuple[datetime, datetime], ...] = ()

    def holds(self, at: datetime) -> bool:
        is_paused = any(begins <= at < ends for begins, ends in self.pauses)
        return self.opens_at <= at < self.closes_at and not is_paused

    def session_end(self, at: datetime) -> datetime:
        return min((begins for begins, _ in self.pauses if at < begins), default=self.closes_at)


TradingWindows = Callable[[str, date], TradingWindow | None]


@dataclass(frozen=True, slots=True)
class ClosedBar:
    key: str
    interval: Interval
    bar: Bar


@dataclass(frozen=True, slots=True)
class _Span:
    """Where one bar lies: its name, and the stretch of trading that it covers."""

    named: datetime
    begins: datetime
    ends: datetime

    def holds(self, at: datetime) -> bool:
        return self.begins <= at < self.ends


class _OpenBar:
    __slots__ = ("close", "high", "last_at", "low", "open", "open_interest", "volume")

    def __init__(self, tick: QuoteTick) -> None:
        self.open = self.high = self.low = self.close = tick.ltp
        self.last_at = tick.at
        self.volume = tick.volume
        self.open_interest = tick.open_interest

    def join(self, tick: QuoteTick) -> None:
        self.high = max(self.high, tick.ltp)
        self.low = min(self.low, tick.ltp)
        self.volume += tick.volume
        if tick.at >= self.last_at:
            self.close, self.last_at = tick.ltp, tick.at
            self.open_interest = tick.open_interest

    def closed(self, at: datetime) -> Bar:
        prices = (self.open, self.high, self.low, self.close)
        return Bar(at, *prices, self.volume, self.open_interest)


def trading_window(exchange: str, day: date) -> TradingWindow | None:
    """Return when an exchange's continuous trading of a day begins and ends; None when shut, or
    where the calendar does not reach: no bar is better than one of unknown bounds."""
    try:
        hours = session_hours(exchange, "", day)
    except CalendarUnknown:
        return None
    if hours is None:
        return None
    ends = (end for _, end in hours.sessions)
    starts = (start for start, _ in hours.sessions[1:])
    pauses = tuple(zip(ends, starts, strict=False))
    return TradingWindow(hours.opens_at, hours.closes_at, pauses)


class CandleBuilder:
    """Builds bars of several intervals at once. A bar that was joined midway is never given."""

    def __init__(
        self, intervals: Sequence[Interval], *, windows: TradingWindows = trading_window
    ) -> None:
        self._intervals = tuple(intervals)
        self._windows = windows
        self._spans: dict[tuple[str, Interval], _Span] = {}
        self._open: dict[tuple[_Span, str, Interval], _OpenBar] = {}
        self._last: dict[str, QuoteTick] = {}
        self._since: datetime | None = None
        self._now: datetime | None = None

    def add(self, batch: TickBatch) -> list[ClosedBar]:
        """Take one batch in; return the bars that time has closed, oldest first.

        Ticks that come twice, or after their bar was closed, change nothing.
        """
        self._since = self._since or batch.at
        for tick in batch.ticks:
            if self._last.get(tick.key) != tick:
                self._last[tick.key] = tick
                self._take(tick)
        self._now = max(self._now or batch.at, batch.at)
        return self._close(self._now)

    def _take(self, tick: QuoteTick) -> None:
        exchange = tick.key.partition(":")[0]
        for interval in self._intervals:
            span = self._span(exchange, interval, tick.at)
            if span is None or (self._now is not None and span.ends <= self._now):
                continue
            known = self._open.get((span, tick.key, interval))
            if known is None:
                self._open[span, tick.key, interval] = _OpenBar(tick)
            else:
                known.join(tick)

    def _close(self, now: datetime) -> list[ClosedBar]:
        due = [place for place in self._open if place[0].ends <= now]
        due.sort(key=lambda place: (place[0].ends, place[1], place[2].length))
        closed = []
        for place in due:
            span, key, interval = place
            bar = self._open.pop(place).closed(span.named)
            if self._since is not None and span.begins >= self._since:
                closed.append(ClosedBar(key, interval, bar))
        return closed

    def _span(self, exchange: str, interval: Interval, at: datetime) -> _Span | None:
        known = self._spans.get((exchange, interval))
        if known is not None and known.holds(at):
            return known
        window = self._windows(exchange, local_day(exchange, at))
        if window is None or not window.holds(at):
            return None
        begins = grid_of(exchange).start_of(at, interval)
        ends = min(begins + interval.length, window.session_end(at))
        span = _Span(begins, max(begins, window.opens_at), ends)
        self._spans[exchange, interval] = span
        return span
