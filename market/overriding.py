"""Enter a day on which an exchange differs from its calendar, and take it back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db import transaction

from accounts.models import User
from accounts.permissions import require_operator
from brokers.venue import CalendarUnknown
from market.calendar import regular_hours
from market.models import ScheduleChange, ScheduleOverride
from market.schedules import CALENDARS

EARLIEST = date(2000, 1, 1)
_YEARS_AHEAD = 2


class OverrideRefused(Exception):
    """The day cannot be so; ``field`` names what is wrong, the message says why."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class ScheduleTerms:
    """A day as somebody enters it. Hours are the exchange's; what is empty is as usual.

    ``second`` are the hours of a second session.
    """

    day: date
    reason: str
    is_open: bool
    opens_at: time | None = None
    closes_at: time | None = None
    second: tuple[time, time] | None = None


@transaction.atomic
def enter_override(
    exchanges: Collection[str], terms: ScheduleTerms, *, by: User, now: datetime
) -> list[ScheduleOverride]:
    """Write the day down for each exchange, in place of what was entered before.

    Every process goes by it at once. Derivatives follow their exchange, unless they are named.

    :raises OverrideRefused: when the day or its hours cannot be.
    :raises PermissionDenied: when the person does not run the installation.
    """
    require_operator(by)
    _refuse_day(terms.day, now=now)
    return [_enter(exchange, terms, by=by, now=now) for exchange in exchanges]


@transaction.atomic
def remove_override(override: ScheduleOverride, *, by: User, now: datetime) -> None:
    """Let the calendar hold for the day again, in every process at once.

    :raises PermissionDenied: when the person does not run the installation.
    """
    require_operator(by)
    _note(override, before=_words(override), after="", by=by, now=now)
    override.delete()


def _enter(exchange: str, terms: ScheduleTerms, *, by: User, now: datetime) -> ScheduleOverride:
    known = ScheduleOverride.objects.select_for_update().filter(exchange=exchange, day=terms.day)
    override = known.first() or ScheduleOverride(exchange=exchange, day=terms.day)
    before = _words(override) if override.pk else ""
    override.is_open, override.reason = terms.is_open, terms.reason.strip()
    opens, closes = _hours(exchange, terms) if terms.is_open else (None, None)
    second = terms.second if terms.is_open else None
    override.opens_at, override.closes_at = opens, closes
    override.second_opens_at, override.second_closes_at = second or (None, None)
    override.save()
    _note(override, before=before, after=_words(override), by=by, now=now)
    return override


def _hours(exchange: str, terms: ScheduleTerms) -> tuple[time, time]:
    opens, closes = terms.opens_at, terms.closes_at
    if opens is None or closes is None:
        usual = _usual_hours(exchange, terms.day)
        opens, closes = opens or usual[0], closes or usual[1]
    if closes <= opens:
        words = f"{exchange} would close at {closes:%H:%M}, before it opens at {opens:%H:%M}"
        raise OverrideRefused(words, field="closes_at")
    if terms.second is not None:
        _refuse_second(closes, *terms.second)
    return opens, closes


def _usual_hours(exchange: str, day: date) -> tuple[time, time]:
    try:
        return regular_hours(exchange, day)
    except CalendarUnknown as error:
        raise OverrideRefused(f"{error}: enter both hours", field="opens_at") from error


def _refuse_second(closes: time, second_opens: time, second_closes: time) -> None:
    if second_opens < closes:
        words = f"The second session begins before the first one ends at {closes:%H:%M}"
        raise OverrideRefused(words, field="second_opens_at")
    if second_closes <= second_opens:
        raise OverrideRefused("It ends before it begins", field="second_closes_at")


def _refuse_day(day: date, *, now: datetime) -> None:
    if not day >= EARLIEST or day.year > now.year + _YEARS_AHEAD:
        words = f"Days from {EARLIEST.year} to {now.year + _YEARS_AHEAD} can be entered"
        raise OverrideRefused(words, field="day")


def _note(override: ScheduleOverride, *, before: str, after: str, by: User, now: datetime) -> None:
    ScheduleChange.objects.create(
        at=now,
        by=by,
        exchange=override.exchange,
        day=override.day,
        before=before,
        after=after,
    )


def _words(override: ScheduleOverride) -> str:
    return f"{override.words} ({override.reason})"


def exchanges_with_calendar() -> list[str]:
    return list(CALENDARS)
