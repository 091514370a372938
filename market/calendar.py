"""Which days an exchange trades, and where its day stands; beyond the calendar nothing is guessed.

A ScheduleOverride row beats a known special session, which beats the calendar library. The
simulated exchange never closes, and its trading day is the day in India.
"""

import time as clock
import warnings
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache

import exchange_calendars

from brokers.terms import Exchange, Segment
from brokers.venue import CalendarUnknown, Phase
from market.models import ScheduleOverride
from market.schedules import (
    CALENDARS,
    IST,
    SPECIAL_SESSIONS,
    Board,
    ExchangeCalendar,
    Window,
    timetable,
)

__all__ = [
    "IST",
    "CalendarUnknown",
    "Hours",
    "Phase",
    "forget_overrides",
    "is_trading_day",
    "last_session_date",
    "local_day",
    "next_trading_day",
    "phase",
    "previous_trading_day",
    "session_date",
    "session_hours",
]

# Another process may add a holiday: every process sees it within this many seconds.
_OVERRIDES_LAST = 30.0
# No market pauses longer; a search beyond it means that the calendar is empty.
_LONGEST_PAUSE_DAYS = 20
_ALWAYS = (Window(Phase.OPEN, time.min, time.max),)
_DERIVATIVE_SEGMENTS = frozenset({Segment.NSE_FNO, Segment.BSE_FNO})
_SIMULATED = ExchangeCalendar("", IST)
# A closure of the exchange closes its derivatives too.
_PARENTS = {"NFO": "NSE", "BFO": "BSE"}


@dataclass(frozen=True, slots=True)
class Hours:
    """A day's phases as aware moments. ``opens_at`` and ``closes_at`` bound continuous trading."""

    day: date
    spans: tuple[tuple[Phase, datetime, datetime], ...]

    @property
    def opens_at(self) -> datetime:
        return min(start for phase, start, _ in self.spans if phase is Phase.OPEN)

    @property
    def closes_at(self) -> datetime:
        return max(end for phase, _, end in self.spans if phase is Phase.OPEN)

    @property
    def ends_at(self) -> datetime:
        return max(end for _, _, end in self.spans)

    def phase_at(self, at: datetime) -> Phase:
        for phase, start, end in self.spans:
            if start <= at < end:
                return phase
        return Phase.CLOSED


@dataclass(slots=True)
class _Overrides:
    """The override rows as last read, with what was worked out from them."""

    read_at: float
    rows: dict[tuple[str, date], ScheduleOverride]
    hours: dict[tuple[str, Board, date], Hours | None] = field(default_factory=dict)


_current: list[_Overrides] = []


def phase(exchange: str, segment: str, at: datetime, *, has_closing_auction: bool = False) -> Phase:
    """Say where an exchange's day stands. Shares with derivatives close by auction; say so.

    :raises CalendarUnknown: where the calendar does not reach, or the exchange has none.
    """
    hours = session_hours(
        exchange, segment, local_day(exchange, at), has_closing_auction=has_closing_auction
    )
    return hours.phase_at(at) if hours else Phase.CLOSED


def session_hours(
    exchange: str, segment: str, day: date, *, has_closing_auction: bool = False
) -> Hours | None:
    """Return a day's hours, or None when the exchange is shut that day.

    :raises CalendarUnknown: where the calendar does not reach, or the exchange has none.
    """
    board = _board(exchange, segment, has_closing_auction=has_closing_auction)
    overrides = _overrides()
    cached = (exchange, board, day)
    if cached not in overrides.hours:
        overrides.hours[cached] = _work_out_hours(exchange, board, day, overrides)
    return overrides.hours[cached]


def is_trading_day(exchange: str, day: date) -> bool:
    """:raises CalendarUnknown: where the calendar does not reach, or the exchange has none."""
    return session_hours(exchange, "", day) is not None


def next_trading_day(exchange: str, day: date) -> date:
    """Return the first trading day after ``day``.

    :raises CalendarUnknown: where the calendar does not reach, or the exchange has none.
    """
    return _nearest_trading_day(exchange, day, step=1)


def previous_trading_day(exchange: str, day: date) -> date:
    """Return the last trading day before ``day``.

    :raises CalendarUnknown: where the calendar does not reach, or the exchange has none.
    """
    return _nearest_trading_day(exchange, day, step=-1)


def session_date(exchange: str, at: datetime) -> date:
    """Return the trading day that a moment belongs to: once a day's last phase is over, the next.

    :raises CalendarUnknown: where the calendar does not reach, or the exchange has none.
    """
    day = local_day(exchange, at)
    hours = session_hours(exchange, "", day)
    if hours and at < hours.ends_at:
        return day
    return next_trading_day(exchange, day)


def last_session_date(exchange: str, at: datetime) -> date:
    """Return the latest trading day that has begun: after the close and at night, still that day.

    :raises CalendarUnknown: where the calendar does not reach, or the exchange has none.
    """
    day = local_day(exchange, at)
    hours = session_hours(exchange, "", day)
    if hours and at >= min(start for _, start, _ in hours.spans):
        return day
    return previous_trading_day(exchange, day)


def local_day(exchange: str, at: datetime) -> date:
    """Return the date on the exchange's own wall calendar."""
    known = CALENDARS.get(exchange)
    return at.astimezone(known.zone if known else IST).date()


def forget_overrides() -> None:
    """Read the override rows again at the next question; called when one is written."""
    _current.clear()


def _overrides() -> _Overrides:
    now = clock.monotonic()
    if not _current or now - _current[0].read_at > _OVERRIDES_LAST:
        rows = {(row.exchange, row.day): row for row in ScheduleOverride.objects.all()}
        _current[:] = [_Overrides(now, rows)]
    return _current[0]


def _board(exchange: str, segment: str, *, has_closing_auction: bool) -> Board:
    if exchange in _PARENTS or segment in _DERIVATIVE_SEGMENTS:
        return Board.DERIVATIVES
    return Board.CASH_CLOSING_AUCTION if has_closing_auction else Board.CASH


def _work_out_hours(exchange: str, board: Board, day: date, overrides: _Overrides) -> Hours | None:
    if exchange == Exchange.SIM:
        return _moments(day, _ALWAYS, _SIMULATED)
    calendar = CALENDARS.get(exchange)
    if calendar is None:
        raise CalendarUnknown(f"{exchange} has no trading calendar here")
    windows = _windows(exchange, board, day, overrides)
    return _moments(day, windows, calendar) if windows else None


def _windows(exchange: str, board: Board, day: date, overrides: _Overrides) -> tuple[Window, ...]:
    override = overrides.rows.get((exchange, day)) or overrides.rows.get(
        (_PARENTS.get(exchange, exchange), day)
    )
    if override:
        return _override_windows(override, board)
    calendar = CALENDARS[exchange]
    if calendar.zone is IST and day in SPECIAL_SESSIONS:
        return SPECIAL_SESSIONS[day].windows
    known = _library(calendar.code)
    if not known.first <= day <= known.last:
        raise CalendarUnknown(
            f"The {exchange} calendar is known from {known.first:%-d %b %Y} "
            f"to {known.last:%-d %b %Y}, not on {day:%-d %b %Y}: import the exchange's holidays"
        )
    if day not in known.sessions:
        return ()
    windows = _regular_windows(exchange, board, day)
    return _closed_early(windows, known.early_closes.get(day))


def _override_windows(override: ScheduleOverride, board: Board) -> tuple[Window, ...]:
    if not override.is_open or override.opens_at is None or override.closes_at is None:
        return ()
    cash_day = _regular_windows(override.exchange, Board.CASH, override.day)
    open_window = next(window for window in cash_day if window.phase is Phase.OPEN)
    if (override.opens_at, override.closes_at) == (open_window.starts, open_window.ends):
        # A full day on an unusual date: every board keeps its own regular phases.
        return _regular_windows(override.exchange, board, override.day)
    return (Window(Phase.OPEN, override.opens_at, override.closes_at),)


def _regular_windows(exchange: str, board: Board, day: date) -> tuple[Window, ...]:
    hours = timetable(exchange, board, day) or timetable(exchange, Board.CASH, day)
    if hours is None:
        raise CalendarUnknown(f"{exchange} has no trading hours here on {day:%-d %b %Y}")
    return hours.windows


def _closed_early(windows: tuple[Window, ...], close: time | None) -> tuple[Window, ...]:
    if close is None:
        return windows
    return tuple(
        Window(window.phase, window.starts, min(window.ends, close))
        for window in windows
        if window.starts < close
    )


def _moments(day: date, windows: tuple[Window, ...], calendar: ExchangeCalendar) -> Hours:
    return Hours(
        day,
        tuple(
            (
                window.phase,
                datetime.combine(day, window.starts, calendar.zone),
                _end_of(day, window, calendar),
            )
            for window in windows
        ),
    )


def _end_of(day: date, window: Window, calendar: ExchangeCalendar) -> datetime:
    if window.ends == time.max:  # the end of a day is the beginning of the next
        return datetime.combine(day + timedelta(days=1), time.min, calendar.zone)
    return datetime.combine(day, window.ends, calendar.zone)


def _nearest_trading_day(exchange: str, day: date, *, step: int) -> date:
    for distance in range(1, _LONGEST_PAUSE_DAYS + 1):
        candidate = day + timedelta(days=step * distance)
        if is_trading_day(exchange, candidate):
            return candidate
    raise CalendarUnknown(f"No {exchange} trading day near {day:%-d %b %Y}")


@dataclass(frozen=True, slots=True)
class _Library:
    first: date
    last: date
    sessions: frozenset[date]
    early_closes: dict[date, time]


@cache
def _library(code: str) -> _Library:
    with warnings.catch_warnings():
        # The library still uses what the next pandas will take away; its tests watch that.
        warnings.simplefilter("ignore")
        calendar = exchange_calendars.get_calendar(code)
        early = {
            moment.date(): calendar.session_close(moment).tz_convert(calendar.tz).time()
            for moment in calendar.early_closes
        }
    return _Library(
        first=calendar.first_session.date(),
        last=calendar.last_session.date(),
        sessions=frozenset(calendar.sessions.date),
        early_closes=early,
    )
