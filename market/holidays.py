"""Extend a calendar by a year from the exchange's own list of holidays.

The calendar library ends with the years that its makers know; beyond it every day is refused.
The list that an exchange publishes each December makes the next year known.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from brokers.venue import CalendarUnknown, Phase
from market.calendar import forget_overrides, is_trading_day
from market.models import ScheduleOverride
from market.schedules import CALENDARS, Board, timetable

_FRIDAY = 4


class HolidaysRefused(Exception):
    """The list cannot be the holidays of that year; the message says why."""


def publish_year(exchange: str, *, year: int, holidays: Mapping[date, str]) -> int:
    """Make every day of a year known: shut on weekends and holidays (day: reason), else regular.

    A day that somebody has set already stays as it is, unless it is one of the holidays.
    Returns how many days were written. Derivatives follow their exchange.

    :raises HolidaysRefused: when the exchange has no calendar, or a day is not of that year.
    """
    if exchange not in CALENDARS:
        raise HolidaysRefused(f"{exchange} has no trading calendar here")
    strays = sorted(day for day in holidays if day.year != year)
    if strays or not holidays:
        words = f"{strays[0]:%-d %b %Y} is not in {year}" if strays else "The list is empty"
        raise HolidaysRefused(words)
    closed = [
        ScheduleOverride(exchange=exchange, day=day, is_open=False, reason=reason[:200])
        for day, reason in holidays.items()
    ]
    ScheduleOverride.objects.bulk_create(
        closed,
        update_conflicts=True,
        unique_fields=["exchange", "day"],
        update_fields=["is_open", "opens_at", "closes_at", "reason"],
    )
    taken = set(
        ScheduleOverride.objects.filter(exchange=exchange, day__year=year).values_list(
            "day", flat=True
        )
    )
    others = [_usual_day(exchange, day) for day in _days(year) if day not in taken]
    ScheduleOverride.objects.bulk_create(others)
    forget_overrides()
    return len(closed) + len(others)


def first_unknown_day(exchange: str, *, since: date, within: int) -> date | None:
    """Return the first of so many days of which nobody knows whether the exchange trades."""
    for distance in range(within + 1):
        day = since + timedelta(days=distance)
        try:
            is_trading_day(exchange, day)
        except CalendarUnknown:
            return day
    return None


def _days(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def _usual_day(exchange: str, day: date) -> ScheduleOverride:
    if day.weekday() > _FRIDAY:
        return ScheduleOverride(exchange=exchange, day=day, is_open=False, reason="Weekend")
    return _open_day(exchange, day)


def _open_day(exchange: str, day: date) -> ScheduleOverride:
    regular = timetable(exchange, Board.CASH, day) or timetable(exchange, Board.DERIVATIVES, day)
    windows = regular.windows if regular else ()
    opening = next((window for window in windows if window.phase is Phase.OPEN), None)
    if opening is None:
        raise HolidaysRefused(f"{exchange} has no trading hours here on {day:%-d %b %Y}")
    return ScheduleOverride(
        exchange=exchange,
        day=day,
        is_open=True,
        opens_at=opening.starts,
        closes_at=opening.ends,
        reason="Regular day of the published calendar",
    )
