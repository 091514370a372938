"""Read one value of a file strictly: a number, a date, a name; refused in words where it is not.

Strict because a spreadsheet may have been there before: 1E10 was a symbol, 45975 was a date, and
=cmd|… is nobody's name.
"""

import re
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from market.importing.dates import DateOrder, chosen, readings_of
from market.importing.rows import RowRefused

_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,20})?", re.ASCII)
_SCIENTIFIC = re.compile(r"[0-9.]+[eE][+-]?[0-9]+", re.ASCII)
_SERIAL = re.compile(r"[0-9]{5}(\.[0-9]+)?", re.ASCII)
_EPOCH = re.compile(r"[0-9]{10}|[0-9]{13}", re.ASCII)
# What a spreadsheet would run when the name is opened there again.
_FORMULA_STARTS = ("=", "+", "@", "\t", "\r", "-", "|")
_MONEY_LIMIT = Decimal("100000000000")  # what the columns hold: 15 digits, 4 of them decimals
_FIRST_YEAR, _LAST_YEAR = 1980, 2100
_DAY_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d-%b-%Y", "%d%b%Y", "%d-%b-%y", "%d %b %Y")
_CLOCK = re.compile(
    r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?( ?[AaPp][Mm])?", re.ASCII
)
# How programs write that there is nothing: no instrument bears such a name.
_NOTHING = frozenset({"None", "null", "NULL", "nan", "NaN", "<NA>", "undefined"})


@lru_cache(maxsize=20_000)
def decimal_of(text: str, what: str) -> Decimal:
    """:raises RowRefused: when it is not a plain number, or too large to keep."""
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        raise RowRefused(_not_a_number(stripped, what))
    number = Decimal(stripped)
    if abs(number) >= _MONEY_LIMIT:
        raise RowRefused(f"{what} {stripped[:40]} is too large")
    return number


def price_of(text: str, what: str, *, places: str = "0.0001") -> Decimal:
    """:raises RowRefused: when it is not a number above zero."""
    price = decimal_of(text, what).quantize(Decimal(places), rounding=ROUND_HALF_UP)
    if price <= 0:
        raise RowRefused(f"{what} is {text.strip()[:40]}: a price is above zero")
    return price


@lru_cache(maxsize=20_000)
def count_of(text: str, what: str) -> int:
    """:raises RowRefused: when it is not a whole number from zero on."""
    number = decimal_of(text, what)
    if number != number.to_integral_value() or number < 0:
        raise RowRefused(f"{what} is {text.strip()[:40]}: it is a whole number from 0 on")
    return int(number)


@lru_cache(maxsize=20_000)
def day_of(text: str, what: str = "The date", *, order: DateOrder | None = None) -> date:
    """Read a date. One in three numbers, 01/02/2024, takes an ``order`` unless it fits only one.

    :raises RowRefused: when it is no date, one that no market knew, or may be two.
    """
    stripped = text.strip()
    if _SERIAL.fullmatch(stripped):
        raise RowRefused(f"{what} {stripped} is a spreadsheet's day number: save it as text")
    readings = readings_of(stripped)
    if readings:
        return _plausible(chosen(readings, order, f"{what} {stripped}"), stripped, what)
    for known in _DAY_FORMATS:
        try:
            day = datetime.strptime(stripped, known).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        return _plausible(day, stripped, what)
    raise RowRefused(
        f"{what} '{stripped[:40]}' is not a date of the form 2026-06-17 or 17-Jun-2026"
    )


def moment_of(
    text: str, *, zone: ZoneInfo, what: str = "The time", order: DateOrder | None = None
) -> datetime:
    """Read a moment; one without a zone is in ``zone``.

    :raises RowRefused: when it is no moment, or one that no market knew.
    """
    stripped = text.strip()
    if _EPOCH.fullmatch(stripped):
        return _from_epoch(stripped)
    try:
        moment = datetime.fromisoformat(stripped)
    except ValueError:
        moment = _day_and_time(stripped, what, order)
    _plausible(moment.date(), stripped, what)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def name_of(text: str, what: str, *, at_most: int) -> str:
    """:raises RowRefused: when it is empty, too long, or a spreadsheet formula."""
    stripped = text.strip()
    if not stripped:
        raise RowRefused(f"{what} is missing")
    if stripped in _NOTHING:
        raise RowRefused(f"{what} is missing: it reads {stripped}")
    if len(stripped) > at_most:
        raise RowRefused(f"{what} is longer than {at_most} characters")
    if text.startswith(_FORMULA_STARTS):
        raise RowRefused(f"{what} '{stripped[:40]}' begins as a spreadsheet formula does")
    if not stripped.isprintable():
        raise RowRefused(f"{what} has characters that cannot be printed")
    return stripped


def _plausible(day: date, text: str, what: str) -> date:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise RowRefused(f"{what} {text[:40]} is not between {_FIRST_YEAR} and {_LAST_YEAR}")
    return day


def _from_epoch(digits: str) -> datetime:
    seconds = int(digits) // (1000 if len(digits) == 13 else 1)
    return datetime.fromtimestamp(seconds, tz=UTC)


def _day_and_time(text: str, what: str, order: DateOrder | None) -> datetime:
    day_text, _, time_text = text.partition(" ")
    return datetime.combine(day_of(day_text, what, order=order), _clock(time_text, text, what))


def _clock(time_text: str, text: str, what: str) -> time:
    parts = _CLOCK.fullmatch(time_text.strip() or "00:00")
    try:
        if parts is None:
            raise ValueError(time_text)
        hour, minute, second = (int(part or 0) for part in parts.group(1, 2, 3))
        if half := (parts[4] or "").strip().lower():
            if not 1 <= hour <= 12:
                raise ValueError(time_text)
            hour = hour % 12 + (12 if half == "pm" else 0)
        return time(hour, minute, second)
    except ValueError as error:
        words = f"{what} '{text[:40]}' has no clock such as 09:15 or 09:15:00"
        raise RowRefused(words) from error


def _not_a_number(text: str, what: str) -> str:
    if not text:
        return f"{what} is missing"
    if _SCIENTIFIC.fullmatch(text):
        return f"{what} {text[:40]} is in scientific form: format the column as plain numbers"
    return f"{what} '{text[:40]}' is not a number"
