"""What a broker writes in a field: bounded numbers, times, names, words from a table. Pure.

Brokers write "nothing" in many ways, numbers that stand for none among them: an optional field
then has no value, a required one cannot be read. Nothing is guessed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import TypeVar

from brokers.gateway import BrokerStatus

Word = TypeVar("Word")
Row = Mapping[str, object]

# What can be kept: eleven digits before the point of an amount, and so much less of each factor.
MOST_COUNT = 10**9
MOST_PRICE = Decimal(10**9)
MOST_MONEY = Decimal(10**11)
_NOTHING = frozenset({"", "-", "--", "na", "n/a", "null", "none", "nil"})
# The ends of the integer types; those of the two kinds of float follow.
_TYPE_ENDS = frozenset({-(2**31), 2**31 - 1, 2**32 - 1, -(2**63), 2**63 - 1, 2**64 - 1})
_FLOAT_ENDS = (
    (Decimal("3.4e38"), Decimal("3.5e38")),
    (Decimal("1.79e308"), Decimal("1.8e308")),
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SMALLEST_EXPONENT = -30
_LONGEST_NAME = 100
_SHOWN = 40
# Clocks that were never set begin in 1970 or 1980; year 1 is a library's word for none.
_FIRST_YEAR = 1981
_DAY_ALONE = 10
# Of these a broker need not say that nothing has filled.
_UNFILLED = (
    BrokerStatus.PLACED,
    BrokerStatus.QUEUED_AMO,
    BrokerStatus.TRIGGER_PENDING,
    BrokerStatus.REJECTED,
)
_ENDED_EARLY = (BrokerStatus.CANCELLED, BrokerStatus.EXPIRED)


class Unreadable(ValueError):
    """A broker's answer says something that has no meaning here; the message quotes it."""


def is_nothing(value: object) -> bool:
    """Tell what stands for no value: null, an empty text, "NA", "--", -2147483648, -3.4e38."""
    if value is None:
        return True
    if isinstance(value, str) and value.strip().lower() in _NOTHING:
        return True
    found = _decimal(value)
    if found is None:
        return False
    return found in _TYPE_ENDS or any(low <= abs(found) < high for low, high in _FLOAT_ENDS)


def number(value: object, what: str, *, most: Decimal = MOST_MONEY) -> Decimal:
    """Read an exact number however it is written: 10.55, "10.55", "- 2235.80", "1,000.00".

    :raises Unreadable: when it is none, or cannot be an amount.
    """
    found = None if is_nothing(value) else _decimal(value)
    if found is None:
        raise Unreadable(f"{what} is no number: {shown(value)}")
    if abs(found) >= most or (found and found.adjusted() < _SMALLEST_EXPONENT):
        raise Unreadable(f"{what} cannot be {shown(value)}")
    return found


def number_or_zero(value: object, what: str) -> Decimal:
    """Read an amount that a broker leaves out where there is nothing to tell."""
    return Decimal(0) if is_nothing(value) else number(value, what)


def count(value: object, what: str, *, least: int | None = None) -> int:
    """:raises Unreadable: when it is no whole number, or less than can be."""
    found = number(value, what, most=Decimal(MOST_COUNT))
    if found != found.to_integral_value():
        raise Unreadable(f"{what} is no whole number: {shown(value)}")
    if least is not None and found < least:
        raise Unreadable(f"{what} cannot be {shown(value)}")
    return int(found)


def count_or_zero(value: object, what: str, *, least: int | None = None) -> int:
    return 0 if is_nothing(value) else count(value, what, least=least)


def count_or_none(value: object, what: str) -> int | None:
    return None if is_nothing(value) else count(value, what, least=0)


def price(value: object, what: str) -> Decimal | None:
    """Return a price; None where a broker writes 0 or nothing, for it has none.

    :raises Unreadable: when it is no number, or below zero.
    """
    if is_nothing(value):
        return None
    found = number(value, what, most=MOST_PRICE)
    if found < 0:
        raise Unreadable(f"{what} cannot be {shown(value)}")
    return found or None


def filled(
    told: object,
    *,
    quantity: int,
    status: Callable[[int], BrokerStatus],
    remaining: object = None,
) -> int:
    """Return how much of an order has filled, from its other fields where it is not told.

    ``status`` gives what the order's word means for so much filled. An order that is complete has
    filled in whole; how much of one that works or was cancelled has, nobody may guess. Of one that
    was cancelled nothing remains whether it filled or not.

    :raises Unreadable: when it cannot be known.
    """
    if not is_nothing(told):
        return count(told, "the filled quantity", least=0)
    said = status(0)
    if said is BrokerStatus.FILLED:
        return quantity
    if said in _UNFILLED:
        return 0
    if is_nothing(remaining):
        raise Unreadable("the filled quantity is not told")
    left = count(remaining, "the remaining quantity", least=0)
    if not left and said in _ENDED_EARLY:
        raise Unreadable("the filled quantity is not told, and nothing remains of what has ended")
    return quantity - left


def text(value: object) -> str:
    """Return what a database can keep of a text; "" for nothing."""
    if is_nothing(value):
        return ""
    told = value if isinstance(value, str) else shown(value)
    return told.encode("utf-8", "replace").decode().replace("\x00", "").strip()


def required(row: Row, name: str) -> str:
    """Return a name that a row must have: an order's number, a symbol, an exchange.

    :raises Unreadable: when it is absent, nothing, or no name.
    """
    value = row.get(name)
    if is_nothing(value) or isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Unreadable(f"{name} is not told" if is_nothing(value) else f"{name} is no name")
    told = str(value).strip() if not isinstance(value, int) else shown(value)
    if not told.isprintable() or not 0 < len(told) <= _LONGEST_NAME:
        raise Unreadable(f"{name} is no name: {shown(value)}")
    return told


def known(table: Mapping[str, Word], word: str, what: str) -> Word:
    """:raises Unreadable: when the table does not have the word."""
    if word not in table:
        raise Unreadable(f"the {what} '{shown(word)}' is not known here")
    return table[word]


def moment(value: object, *, zone: tzinfo, formats: Sequence[str] = ()) -> datetime | None:
    """Return a time in UTC; None where there is none, or the clock was never set.

    Without a zone of its own it is of the broker's ``zone``. ISO times are read besides formats.

    :raises Unreadable: when it is no time of day on a date.
    """
    if is_nothing(value) or value in (0, "0"):
        return None
    told = value if isinstance(value, datetime) else _time_in(value, formats)
    if told is None:
        raise Unreadable(f"{shown(value)} is no time")
    if told.year < _FIRST_YEAR:
        return None
    try:
        return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise Unreadable(f"{shown(value)} is no time") from error


def shown(value: object) -> str:
    """Return the beginning of a value, for words about it."""
    try:
        return str(value)[:_SHOWN]
    except ValueError:  # an integer of thousands of digits is not printed
        return "a number beyond any measure"


def _time_in(value: object, formats: Sequence[str]) -> datetime | None:
    told = value.strip() if isinstance(value, str) else ""
    if len(told) <= _DAY_ALONE:
        return None
    for read in (datetime.fromisoformat, *(_by(each) for each in formats)):
        try:
            return read(told)
        except ValueError:
            continue
    return None


def _by(form: str) -> Callable[[str], datetime]:
    return lambda told: datetime.strptime(told, form)  # noqa: DTZ007 - the zone is added after


def _decimal(value: object) -> Decimal | None:
    """Return the finite number that is written there; None where there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    if isinstance(value, int | Decimal):
        found = Decimal(value)
        return found if found.is_finite() else None
    told = str(value).replace(" ", "").replace(",", "")
    return Decimal(told) if len(told) <= _LONGEST_NAME and _NUMBER.fullmatch(told) else None
