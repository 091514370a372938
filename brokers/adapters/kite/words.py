"""Kite's words and the house's, both ways: enums, numbers, times. Pure; nothing here is guessed."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from brokers.abilities import TriggerStatus
from brokers.gateway import BrokerStatus
from brokers.terms import OrderType, Product, Side, Validity
from brokers.venue import IST

Row = Mapping[str, object]
Word = TypeVar("Word")

REGULAR, AMO, COVER, ICEBERG = "regular", "amo", "co", "iceberg"

_STATUSES = {
    "COMPLETE": BrokerStatus.FILLED,
    "REJECTED": BrokerStatus.REJECTED,
    "CANCELLED": BrokerStatus.CANCELLED,
    "CANCELLED AMO": BrokerStatus.CANCELLED,
    "CANCEL": BrokerStatus.CANCELLED,
    "EXPIRED": BrokerStatus.EXPIRED,
    "OPEN": BrokerStatus.OPEN,
    "TRIGGER PENDING": BrokerStatus.TRIGGER_PENDING,
    "VALIDATION PENDING": BrokerStatus.PLACED,
    "OPEN PENDING": BrokerStatus.PLACED,
    "AMO REQ RECEIVED": BrokerStatus.QUEUED_AMO,
    "MODIFY AMO REQ RECEIVED": BrokerStatus.QUEUED_AMO,
}
# Said of an order that works at the exchange while, or after, something was asked of it.
_ASKED = frozenset(
    {"MODIFIED", "UPDATE", "MODIFY VALIDATION PENDING", "MODIFY PENDING", "CANCEL PENDING"}
)
_RECEIVED = "PUT ORDER REQ"  # written RECEIVED and REQUEST RECEIVED
_TRIGGERS = {
    "active": TriggerStatus.ACTIVE,
    "triggered": TriggerStatus.TRIGGERED,
    "disabled": TriggerStatus.CANCELLED,
    "cancelled": TriggerStatus.CANCELLED,
    "deleted": TriggerStatus.CANCELLED,
    "expired": TriggerStatus.EXPIRED,
    "rejected": TriggerStatus.REJECTED,
}
# TTL orders, which only Kite's own app sends here, are day orders that end earlier.
_VALIDITIES = {"DAY": Validity.DAY, "IOC": Validity.IOC, "TTL": Validity.DAY}
_BROKERS_OWN_TAGS = ("mktp", "autoslice")
_AVERAGE_UNIT = Decimal("0.0001")
_PAISA = Decimal("0.01")
_MOST_DIGITS = 18
_FIRST_YEAR = 1980


class Unreadable(ValueError):
    """An answer says something that has no meaning here."""


def status_of(row: Row, *, order_type: OrderType, filled: int) -> BrokerStatus:
    """Translate an order's status word by what else its row says.

    :raises Unreadable: naming a word that is unknown here.
    """
    word = " ".join(str(row.get("status") or "").upper().split())
    if word.startswith(_RECEIVED):
        return BrokerStatus.PLACED
    if word in _ASKED:
        waits = order_type.needs_trigger and not filled
        status = BrokerStatus.TRIGGER_PENDING if waits else BrokerStatus.OPEN
    else:
        status = known(_STATUSES, word, "order status")
    if status is BrokerStatus.OPEN and filled:
        return BrokerStatus.PARTIALLY_FILLED
    return status


def trigger_status_of(row: Row) -> TriggerStatus:
    return known(_TRIGGERS, str(row.get("status") or "").lower(), "trigger status")


def side_of(row: Row) -> Side:
    return member(Side, row.get("transaction_type"), "side")


def order_type_of(row: Row) -> OrderType:
    return member(OrderType, row.get("order_type"), "order type")


def product_of(row: Row) -> Product:
    return member(Product, row.get("product"), "product")


def validity_of(row: Row) -> Validity:
    return known(_VALIDITIES, str(row.get("validity") or "DAY"), "validity")


def tag_of(row: Row) -> str:
    """Return the order's tag; Kite adds marks of its own to the list, and may put one first."""
    told = tags_in(row)
    return next((tag for tag in told if not _is_brokers_own(tag)), "")


def tags_in(row: Row) -> list[str]:
    many = row.get("tags")
    told = [row.get("tag"), *(many if isinstance(many, list) else [])]
    return [str(tag) for tag in told if tag]


def _is_brokers_own(tag: str) -> bool:
    return tag.split(":", 1)[0] in _BROKERS_OWN_TAGS


def known(table: Mapping[str, Word], word: str, what: str) -> Word:
    """:raises Unreadable: when the table does not have the word."""
    if word not in table:
        raise Unreadable(f"Kite told an unknown {what}: {word[:40] or 'none'}")
    return table[word]


def member(kind: Callable[[str], Word], word: object, what: str) -> Word:
    """:raises Unreadable: when the word is none of that kind's."""
    try:
        return kind(str(word or ""))
    except ValueError:
        raise Unreadable(f"Kite told an unknown {what}: {str(word or 'none')[:40]}") from None


def told(row: Row, name: str) -> object:
    """Return a quantity or a total that must be there: one that is missing is never nothing.

    :raises Unreadable: when it is absent, null or empty.
    """
    value = row.get(name)
    if value is None or value == "":
        raise Unreadable(f"Kite told a row without its {name}")
    return value


def number(value: object) -> Decimal:
    """Return an exact number; what is absent is nothing.

    :raises Unreadable: when it is no number.
    """
    if value is None or value == "":
        return Decimal(0)
    try:
        found = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise Unreadable(f"Kite told {str(value)[:40]} where a number belongs") from None
    if isinstance(value, bool) or not found.is_finite() or found.adjusted() > _MOST_DIGITS:
        raise Unreadable(f"Kite told {str(value)[:40]} where a number belongs")
    return found


def whole(value: object) -> int:
    """:raises Unreadable: when it is no whole number."""
    found = number(value)
    if found != found.to_integral_value():
        raise Unreadable(f"Kite told {found} where a whole number belongs")
    return int(found)


def price(value: object) -> Decimal | None:
    """Return a price; Kite writes 0 where there is none."""
    return number(value) or None


def average(value: object) -> Decimal:
    """Return an average of prices, rounded: Kite divides in floats and writes all their digits."""
    return number(value).quantize(_AVERAGE_UNIT)


def money(value: object) -> Decimal:
    """Return an amount, rounded to the paisa: Kite's own is a sum of floats."""
    return number(value).quantize(_PAISA)


def text(value: object) -> str:
    return "" if value is None else str(value)


def moment(value: object) -> datetime | None:
    """Return an aware time from Kite's IST clock, None where it tells none or a year one.

    :raises Unreadable: when it is no time.
    """
    if not value:
        return None
    try:
        told = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        if told.year < _FIRST_YEAR:
            return None
        return (told if told.tzinfo else told.replace(tzinfo=IST)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(f"Kite told {str(value)[:40]} where a time belongs") from None


def clock_words(at: datetime) -> str:
    """Write a moment as Kite wants it: the wall clock of India, without a zone."""
    return f"{at.astimezone(IST):%Y-%m-%d %H:%M:%S}"
