"""Extend a calendar by a year from the exchange's own list of holidays.

A calendar ends with the last year whose holidays are on file; beyond it every day is refused.
The list that an exchange publishes each December makes the next year known.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from django.db import transaction

from brokers.venue import CalendarUnknown
from market.calendar import is_trading_day
from market.models import Certainty, HolidayRule
from market.overrides import announce_rules
from market.schedules import CALENDARS, PARENTS

_SEGMENT = "cash,fno"


class HolidaysRefused(Exception):
    """The list cannot be the holidays of that year; the message says why."""


@transaction.atomic
def publish_year(exchange: str, *, year: int, holidays: Mapping[date, str]) -> int:
    """Make every day of a year known: shut on weekends and holidays (day: reason), else regular.

    The list replaces an earlier one of the year; an owner's override still beats it.
    Returns how many holidays were written. Derivatives follow their exchange.

    :raises HolidaysRefused: when the exchange has no calendar, or a day is not of that year.
    """
    if exchange not in CALENDARS:
        raise HolidaysRefused(f"{exchange} has no trading calendar here")
    strays = sorted(day for day in holidays if day.year != year)
    if strays or not holidays:
        words = f"{strays[0]:%-d %b %Y} is not in {year}" if strays else "The list is empty"
        raise HolidaysRefused(words)
    exchange = PARENTS.get(exchange, exchange)
    published = HolidayRule.objects.filter(exchange=exchange, day__year=year)
    published.filter(is_shipped=False).delete()
    HolidayRule.objects.bulk_create(
        HolidayRule(
            exchange=exchange,
            segment=_SEGMENT,
            day=day,
            state=HolidayRule.State.CLOSED,
            name=reason[:200],
            source=f"The exchange's list for {year}",
            certainty=Certainty.SURE,
            is_shipped=False,
        )
        for day, reason in holidays.items()
    )
    announce_rules()
    return len(holidays)


def first_unknown_day(exchange: str, *, since: date, within: int) -> date | None:
    """Return the first of so many days of which nobody knows whether the exchange trades."""
    for distance in range(within + 1):
        day = since + timedelta(days=distance)
        try:
            is_trading_day(exchange, day)
        except CalendarUnknown:
            return day
    return None
