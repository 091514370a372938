"""Angel One's words and the house's, both ways. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from brokers.gateway import BrokerStatus
from brokers.terms import OrderType, Product, Side, Validity
from brokers.venue import IST

Known = TypeVar("Known")
ORDER_TYPES = {
    OrderType.LIMIT: "LIMIT",
    OrderType.MARKET: "MARKET",
    OrderType.SL: "STOPLOSS_LIMIT",
    OrderType.SL_M: "STOPLOSS_MARKET",
}
PRODUCTS = {
    Product.CNC: "DELIVERY",
    Product.MIS: "INTRADAY",
    Product.NRML: "CARRYFORWARD",
    Product.MTF: "MARGIN",
    Product.BO: "BO",
}
_HOUSE_ORDER_TYPES = {word: kind for kind, word in ORDER_TYPES.items()}
_HOUSE_PRODUCTS = {word: product for product, word in PRODUCTS.items()} | {
    "CNC": Product.CNC,
    "MIS": Product.MIS,
    "NRML": Product.NRML,
}
STATUSES = {
    "validation pending": BrokerStatus.PLACED,
    "put order req received": BrokerStatus.PLACED,
    "open pending": BrokerStatus.PLACED,
    "pending": BrokerStatus.PLACED,
    "amo submitted": BrokerStatus.QUEUED_AMO,
    "after market order req received": BrokerStatus.QUEUED_AMO,
    "amo req received": BrokerStatus.QUEUED_AMO,
    "modify after market order req received": BrokerStatus.QUEUED_AMO,
    "open": BrokerStatus.OPEN,
    "modified": BrokerStatus.OPEN,
    "not modified": BrokerStatus.OPEN,
    "not cancelled": BrokerStatus.OPEN,
    "modify validation pending": BrokerStatus.OPEN,
    "modify pending": BrokerStatus.OPEN,
    "cancel pending": BrokerStatus.OPEN,
    "part executed": BrokerStatus.OPEN,
    "partially executed": BrokerStatus.OPEN,
    "trigger pending": BrokerStatus.TRIGGER_PENDING,
    "complete": BrokerStatus.FILLED,
    "executed": BrokerStatus.FILLED,
    "cancelled": BrokerStatus.CANCELLED,
    "cancelled after market order": BrokerStatus.CANCELLED,
    "rejected": BrokerStatus.REJECTED,
    "expired": BrokerStatus.EXPIRED,
}
# What is asked of a working order does not move it: a stop that waits goes on waiting.
_STANDING = frozenset(
    {
        "modified",
        "not modified",
        "not cancelled",
        "modify validation pending",
        "modify pending",
        "cancel pending",
    }
)
# The codes of the order socket; AB00 is its greeting.
STREAM_STATUSES = {
    "AB01": BrokerStatus.OPEN,
    "AB02": BrokerStatus.CANCELLED,
    "AB03": BrokerStatus.REJECTED,
    "AB04": BrokerStatus.OPEN,
    "AB05": BrokerStatus.FILLED,
    "AB06": BrokerStatus.QUEUED_AMO,
    "AB07": BrokerStatus.CANCELLED,
    "AB08": BrokerStatus.QUEUED_AMO,
    "AB09": BrokerStatus.PLACED,
    "AB10": BrokerStatus.TRIGGER_PENDING,
    "AB11": BrokerStatus.OPEN,
}
_DAY_FORMAT = "%d-%b-%Y %H:%M:%S"
_CLOCK_FORMAT = "%H:%M:%S"
_LATE = timedelta(minutes=5)
_MOST_DIGITS = 15


class WordUnknown(Exception):
    """Angel One used a word, a number or a time that this house does not know."""


def status_of(
    word: str, *, filled: int, quantity: int, is_stop: bool = False, code: str = ""
) -> BrokerStatus:
    """Translate a status word, or the order socket's ``code`` where there is no word.

    :raises WordUnknown: rather than guess.
    """
    said = word.strip().lower()
    if said or not code:
        status = _known(STATUSES, said, "status")
    else:
        status = _known(STREAM_STATUSES, code.strip().upper(), "status code")
    if status is BrokerStatus.OPEN and 0 < filled < quantity:
        return BrokerStatus.PARTIALLY_FILLED
    is_standing = said in _STANDING or (not said and code in ("AB04", "AB11"))
    if is_standing and is_stop and not filled:
        return BrokerStatus.TRIGGER_PENDING
    return status


def order_type_of(word: str) -> OrderType:
    """:raises WordUnknown:"""
    return _known(_HOUSE_ORDER_TYPES, word.strip().upper(), "order type")


def product_of(word: str) -> Product:
    """:raises WordUnknown:"""
    return _known(_HOUSE_PRODUCTS, word.strip().upper(), "product")


def side_of(word: str) -> Side:
    """:raises WordUnknown:"""
    return _known({str(side): side for side in Side}, word.strip().upper(), "side")


def validity_of(word: str) -> Validity:
    """:raises WordUnknown:"""
    return _known({str(each): each for each in Validity}, word.strip().upper(), "validity")


def decimal_of(value: object) -> Decimal:
    """Read a number however it is written: 10.55, "10.55", "- 2235.80", "1,000.00".

    :raises WordUnknown: when it is none; null and "" are none.
    """
    text = str(value).replace(" ", "").replace(",", "")
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise WordUnknown(f"'{str(value)[:40]}' is no number") from error
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise WordUnknown(f"'{str(value)[:40]}' is no number")
    return number


def decimal_or_zero(value: object) -> Decimal:
    """Read a number that Angel leaves null, empty or "--" where there is nothing to say."""
    return Decimal(0) if value in (None, "", "--") else decimal_of(value)


def price_of(value: object) -> Decimal | None:
    """Read a price; zero is Angel's word for none."""
    return decimal_or_zero(value) or None


def count_of(value: object) -> int:
    """:raises WordUnknown: when it is no whole number."""
    number = decimal_or_zero(value)
    if number != number.to_integral_value():
        raise WordUnknown(f"'{str(value)[:40]}' is no whole number")
    return int(number)


def time_of(value: object) -> datetime | None:
    """Read "29-Dec-2023 09:01:02", Indian time; None where the field is empty.

    :raises WordUnknown: when it is written in another way.
    """
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    try:
        naive = datetime.strptime(text, _DAY_FORMAT)  # noqa: DTZ007 - Angel's times are naive
    except ValueError as error:
        raise WordUnknown(f"'{text[:40]}' is no time") from error
    return naive.replace(tzinfo=IST).astimezone(UTC)


def time_today(value: object, *, now: datetime) -> datetime:
    """Read a time of day, "13:27:53": the last such moment, since no fill lies ahead.

    :raises WordUnknown: when it is written in another way.
    """
    text = "" if value is None else str(value).strip()
    try:
        clock = datetime.strptime(text, _CLOCK_FORMAT).time()  # noqa: DTZ007 - a time of day
    except ValueError as error:
        raise WordUnknown(f"'{text[:40]}' is no time of day") from error
    local = now.astimezone(IST)
    moment = datetime.combine(local.date(), clock, IST)
    return (moment - timedelta(days=1) if moment > local + _LATE else moment).astimezone(UTC)


def start_of_day(now: datetime) -> datetime:
    """Return midnight in India.

    What Angel tells without a time counts as of then: it must never outrank what has one, and
    told again it must be the same report.
    """
    midnight = now.astimezone(IST).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC)


def _known(table: Mapping[str, Known], word: str, what: str) -> Known:
    try:
        return table[word]
    except KeyError:
        raise WordUnknown(f"Angel One's {what} '{word[:40]}' is not known here") from None
