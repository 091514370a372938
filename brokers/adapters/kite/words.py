"""Kite's words and the house's, both ways: enums, numbers, times. Pure; nothing here is guessed."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from brokers import values
from brokers.abilities import TriggerStatus
from brokers.gateway import BrokerStatus
from brokers.terms import OrderType, Product, Side, Validity
from brokers.values import (
    MOST_PRICE,
    Row,
    Unreadable,
    is_nothing,
    known,
    number,
    number_or_zero,
    shown,
    text,
)
from brokers.venue import IST

Word = TypeVar("Word")

REGULAR, AMO, COVER, ICEBERG = "regular", "amo", "co", "iceberg"

_STATUSES = {
    "COMPLETE": BrokerStatus.FILLED,
    "REJECTED": BrokerStatus.REJECTED,
    "CANCELLED": BrokerStatus.CANCELLED,
    "CANCELLED AMO": BrokerStatus.CANCELLED,
    "AMO CANCELLED": BrokerStatus.CANCELLED,
    "CANCEL": BrokerStatus.CANCELLED,
    "EXPIRED": BrokerStatus.EXPIRED,
    "OPEN": BrokerStatus.OPEN,
    "TRIGGER PENDING": BrokerStatus.TRIGGER_PENDING,
    "VALIDATION PENDING": BrokerStatus.PLACED,
    "OPEN PENDING": BrokerStatus.PLACED,
    "AMO REQ RECEIVED": BrokerStatus.QUEUED_AMO,
    "MODIFY AMO REQ RECEIVED": BrokerStatus.QUEUED_AMO,
    "CANCEL AMO REQ RECEIVED": BrokerStatus.QUEUED_AMO,
    "AMO MODIFIED": BrokerStatus.QUEUED_AMO,
}
# Said of an order that works at the exchange while, or after, something was asked of it.
_ASKED = frozenset(
    {
        "MODIFIED",
        "UPDATE",
        "MODIFY VALIDATION PENDING",
        "MODIFY PENDING",
        "CANCEL PENDING",
        "NOT MODIFIED",
        "NOT CANCELLED",
    }
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


def status_of(row: Row, *, order_type: OrderType, filled: int) -> BrokerStatus:
    """Translate an order's status word by what else its row says.

    :raises Unreadable: naming a word that is unknown here.
    """
    word = " ".join(text(row.get("status")).upper().split())
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
    return known(_TRIGGERS, text(row.get("status")).lower(), "trigger status")


def side_of(row: Row) -> Side:
    return member(Side, row.get("transaction_type"), "side")


def order_type_of(row: Row) -> OrderType:
    return member(OrderType, row.get("order_type"), "order type")


def product_of(row: Row) -> Product:
    return member(Product, row.get("product"), "product")


def validity_of(row: Row) -> Validity:
    return known(_VALIDITIES, text(row.get("validity")) or "DAY", "validity")


def tag_of(row: Row) -> str:
    """Return the order's tag; Kite adds marks of its own to the list, and may put one first."""
    told = tags_in(row)
    return next((tag for tag in told if not _is_brokers_own(tag)), "")


def tags_in(row: Row) -> list[str]:
    many = row.get("tags")
    told = [row.get("tag"), *(many if isinstance(many, list) else [])]
    return [tag for tag in (text(each) for each in told) if tag]


def _is_brokers_own(tag: str) -> bool:
    return tag.split(":", 1)[0] in _BROKERS_OWN_TAGS


def member(kind: Callable[[str], Word], word: object, what: str) -> Word:
    """:raises Unreadable: when the word is none of that kind's."""
    try:
        return kind(text(word))
    except ValueError:
        raise Unreadable(f"the {what} '{shown(word)}' is not known here") from None


def average(value: object, what: str) -> Decimal:
    """Return an average of prices, rounded: Kite divides in floats and writes all their digits."""
    told = Decimal(0) if is_nothing(value) else number(value, what, most=MOST_PRICE)
    return told.quantize(_AVERAGE_UNIT)


def money(value: object, what: str) -> Decimal:
    """Return an amount, rounded to the paisa: Kite's own is a sum of floats."""
    return number_or_zero(value, what).quantize(_PAISA)


def moment(value: object) -> datetime | None:
    """Return an aware time from Kite's IST clock, None where it tells none or a year one.

    :raises Unreadable: when it is no time.
    """
    return values.moment(value, zone=IST)


def clock_words(at: datetime) -> str:
    """Write a moment as Kite wants it: the wall clock of India, without a zone."""
    return f"{at.astimezone(IST):%Y-%m-%d %H:%M:%S}"
