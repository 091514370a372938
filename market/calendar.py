"""Which days an exchange trades, and where its day stands; beyond the calendar nothing is guessed.

An owner's ScheduleOverride beats the dated rows of India's sessions and the library of America's.
The simulated exchange never closes, and its trading day is the day in India.
"""

import warnings
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache

import exchange_calendars

from brokers.terms import Exchange, Segment
from brokers.venue import CalendarUnknown, Phase
from market.models import ScheduleOverride
from market.overrides import Overrides, current_overrides, forget_overrides
from market.schedules import (
    AMERICAN_DAY,
    CALENDARS,
    IST,
    PARENTS,
    Board,
    ExchangeCalendar,
    Hours,
    Window,
)

__all__ = [
    "IST",
    "CalendarUnknown",
    "Hours",
    "Phase",
    "day_begins",
    "forget_overrides",
    "is_trading_day",
    "last_session_date",
    "local_day",
    "next_trading_day",
    "phase",
    "previous_trading_day",
    "session_date",
    "session_hours",
    "usual_hours",
]

# No market pauses longer; a search beyond it means that the calendar is empty.
_LONGEST_PAUSE_DAYS = 20
_ALWAYS = (Window(Phase.OPEN, time.min, time.max),)
_DERIVATIVE_SEGMENTS = frozenset({Segment.NSE_FNO, Segment.BSE_FNO})
_SIMULATED = ExchangeCalendar("", IST)


def phase(
    exchange: str,
    segment: str,
    at: datetime,
    *,
    has_closing_auction: bool = False,
    has_pre_open: bool = False,
) -> Phase:
    """Say where an exchange's day stands. Shares with derivatives close by auction; say so.

    Of derivatives futures alone have a pre-open; say so.

    :raises CalendarUnknown: where the calendar does not reach, or the exchange has none.
    """
    board = _board(
        exchange, segment, has_closing_auction=has_closing_auction, has_pre_open=has_pre_open
    )
    hours = _hours(exchange, board, local_day(exchange, at))
    return hours.phase_at(at) if hours else Phase.CLOSED


def session_hours(
    exchange: str, segment: str, day: date, *, has_closing_auction: bool = False
) -> Hours | None:
    """Return a day's hours, or None when the exchange is shut that day.

    :raises CalendarUnknown: where the calendar does not reach, or the exchange has none.
    """
    board = _board(exchange, segment, has_closing_auction=has_closing_auction)
    return _hours(exchange, board, day)


def is_trading_day(exchange: str, day: date) -> bool:
    """Tell whether it trades that day, be its hours known or not.

    :raises CalendarUnknown: where the calendar does not reach, or the exchange has none.
    """
    known = CALENDARS.get(exchange)
    overrides = current_overrides()
    if known and known.code is None and _override(exchange, day, overrides) is None:
        return overrides.rules.is_trading_day(exchange, day)
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
    if hours and at >= hours.begins_at:
        return day
    return previous_trading_day(exchange, day)


def local_day(exchange: str, at: datetime) -> date:
    """Return the date on the exchange's own wall calendar."""
    known = CALENDARS.get(exchange)
    return at.astimezone(known.zone if known else IST).date()


def day_begins(exchange: str, day: date) -> datetime:
    """Return the midnight that begins a date at the exchange."""
    known = CALENDARS.get(exchange)
    return datetime.combine(day, time.min, known.zone if known else IST)


def regular_hours(exchange: str, day: date) -> tuple[time, time]:
    """Return when an ordinary day's continuous trading begins and ends, by the local clock.

    :raises CalendarUnknown: where no hours are on file.
    """
    opening = [each for each in _regular(exchange, Board.CASH, day) if each.phase is Phase.OPEN]
    return min(each.starts for each in opening), max(each.ends for each in opening)


def usual_hours(
    exchange: str, segment: str, day: date, *, has_closing_auction: bool = False
) -> Hours:
    """Return the hours that an ordinary day would have on ``day``, be it one or not.

    :raises CalendarUnknown: where no hours are on file, or the exchange has none.
    """
    calendar = CALENDARS.get(exchange)
    if calendar is None:
        raise CalendarUnknown(f"{exchange} has no trading calendar here")
    board = _board(exchange, segment, has_closing_auction=has_closing_auction)
    return _moments(day, _regular(exchange, board, day), calendar)


def _hours(exchange: str, board: Board, day: date) -> Hours | None:
    overrides = current_overrides()
    cached = (exchange, board, day)
    if cached not in overrides.hours:
        overrides.hours[cached] = _work_out_hours(exchange, board, day, overrides)
    return overrides.hours[cached]


def _board(
    exchange: str, segment: str, *, has_closing_auction: bool = False, has_pre_open: bool = False
) -> Board:
    if exchange in PARENTS or segment in _DERIVATIVE_SEGMENTS:
        return Board.FUTURES if has_pre_open else Board.DERIVATIVES
    return Board.CASH_CLOSING_AUCTION if has_closing_auction else Board.CASH


def _work_out_hours(exchange: str, board: Board, day: date, overrides: Overrides) -> Hours | None:
    if exchange == Exchange.SIM:
        return _moments(day, _ALWAYS, _SIMULATED)
    calendar = CALENDARS.get(exchange)
    if calendar is None:
        raise CalendarUnknown(f"{exchange} has no trading calendar here")
    windows = _windows(exchange, board, day, overrides)
    return _moments(day, windows, calendar) if windows else None


def _windows(exchange: str, board: Board, day: date, overrides: Overrides) -> tuple[Window, ...]:
    override = _override(exchange, day, overrides)
    if override:
        return _override_windows(override, exchange, board)
    code = CALENDARS[exchange].code
    if code is None:
        return overrides.rules.windows(exchange, board, day)
    known = _library(code)
    if not known.first <= day <= known.last:
        return _published_windows(exchange, day, overrides)
    if day not in known.sessions:
        return ()
    return _closed_early(AMERICAN_DAY, known.early_closes.get(day))


def _published_windows(exchange: str, day: date, overrides: Overrides) -> tuple[Window, ...]:
    """Return the hours of a day beyond the library, of a year whose holidays were published."""
    try:
        is_open = overrides.rules.is_trading_day(exchange, day)
    except CalendarUnknown as error:
        known = _library(CALENDARS[exchange].code or "")
        raise CalendarUnknown(
            f"The {exchange} calendar is known from {known.first:%-d %b %Y} "
            f"to {known.last:%-d %b %Y}, not on {day:%-d %b %Y}: import the exchange's holidays"
        ) from error
    return AMERICAN_DAY if is_open else ()


def _override(exchange: str, day: date, overrides: Overrides) -> ScheduleOverride | None:
    """Find an exchange's own override; a closure or special hours hold for its derivatives too."""
    parent = PARENTS.get(exchange, exchange)
    return overrides.rows.get((exchange, day)) or overrides.rows.get((parent, day))


def _override_windows(
    override: ScheduleOverride, exchange: str, board: Board
) -> tuple[Window, ...]:
    if not override.sessions:
        return ()
    opens, closes = override.sessions[0][0], override.sessions[-1][1]
    usual = _regular(exchange, board, override.day)
    usual_opens, usual_closes = regular_hours(override.exchange, override.day)
    # Where the day begins or ends as usual, every board keeps its own phases of that end.
    windows = [each for each in usual if opens == usual_opens and each.phase is Phase.PRE_OPEN]
    if closes == usual_closes:
        closing = [each for each in usual if each.phase not in (Phase.PRE_OPEN, Phase.OPEN)]
        closes = max(each.ends for each in usual if each.phase is Phase.OPEN)
    else:
        closing = []
    sessions = [*override.sessions[:-1], (override.sessions[-1][0], closes)]
    windows += [Window(Phase.OPEN, start, end) for start, end in sessions]
    return (*windows, *closing)


def _regular(exchange: str, board: Board, day: date) -> tuple[Window, ...]:
    if CALENDARS[exchange].code is not None:
        return AMERICAN_DAY
    return current_overrides().rules.regular_windows(exchange, board, day)


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
