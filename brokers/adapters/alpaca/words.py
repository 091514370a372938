"""Alpaca's words and the house's, both ways: enums, numbers, times. Pure; nothing is guessed."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TypeVar
from zoneinfo import ZoneInfo

from brokers.gateway import BrokerStatus
from brokers.terms import OrderType, Side, Validity

Row = Mapping[str, object]
Word = TypeVar("Word")

NEW_YORK = ZoneInfo("America/New_York")
# Instruments of Alpaca are numbered by their symbol: fills name nothing else.
EXCHANGE = "US"
REPLACED = "replaced"
_OPENS, _CLOSES = time(9, 30), time(16)

_STATUSES = {
    "pending_new": BrokerStatus.PLACED,
    "accepted": BrokerStatus.PLACED,
    "accepted_for_bidding": BrokerStatus.PLACED,
    "pending_review": BrokerStatus.PLACED,
    "held": BrokerStatus.QUEUED_AMO,
    "new": BrokerStatus.OPEN,
    "partially_filled": BrokerStatus.PARTIALLY_FILLED,
    "stopped": BrokerStatus.OPEN,
    "calculated": BrokerStatus.OPEN,
    "suspended": BrokerStatus.OPEN,
    "done_for_day": BrokerStatus.OPEN,
    "pending_replace": BrokerStatus.OPEN,
    "pending_cancel": BrokerStatus.OPEN,
    "filled": BrokerStatus.FILLED,
    "canceled": BrokerStatus.CANCELLED,
    "rejected": BrokerStatus.REJECTED,
    "expired": BrokerStatus.EXPIRED,
}
_WAITING = (BrokerStatus.OPEN, BrokerStatus.QUEUED_AMO)
_SIDES = {"buy": Side.BUY, "sell": Side.SELL, "sell_short": Side.SELL}
_ORDER_TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.SL_M,
    "stop_limit": OrderType.SL,
    # Alpaca's own app sends these; their trigger moves, and is told as it stands.
    "trailing_stop": OrderType.SL_M,
}
TYPE_WORDS = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.SL: "stop_limit",
    OrderType.SL_M: "stop",
}
SIDE_WORDS = {Side.BUY: "buy", Side.SELL: "sell"}
# Orders good till cancelled, or for an auction, come from Alpaca's own app alone.
_VALIDITIES = {
    "day": Validity.DAY,
    "gtc": Validity.DAY,
    "opg": Validity.DAY,
    "cls": Validity.DAY,
    "ioc": Validity.IOC,
    "fok": Validity.IOC,
}
VALIDITY_WORDS = {Validity.DAY: "day", Validity.IOC: "ioc"}


class Unreadable(ValueError):
    """An answer says something that has no meaning here."""


def status_of(row: Row, *, order_type: OrderType, filled: int) -> BrokerStatus:
    """Translate an order's status word by what else its row says.

    A stop waits for its trigger until something of it has filled: Alpaca has no word for either.

    :raises Unreadable: naming a word that is unknown here.
    """
    status = known(_STATUSES, text(row.get("status")), "order status")
    if status is BrokerStatus.PLACED and row.get("status") == "accepted" and _is_after_hours(row):
        return BrokerStatus.QUEUED_AMO
    if status in _WAITING and filled:
        return BrokerStatus.PARTIALLY_FILLED
    if status in _WAITING and order_type.needs_trigger:
        return BrokerStatus.TRIGGER_PENDING
    return status


def _is_after_hours(row: Row) -> bool:
    """Tell whether the order came while the exchanges sleep; their holidays are not known here."""
    at = moment(row.get("submitted_at"))
    if at is None:
        return False
    local = at.astimezone(NEW_YORK)
    return local.weekday() > 4 or not _OPENS <= local.time() < _CLOSES


def side_of(row: Row) -> Side:
    return known(_SIDES, text(row.get("side")), "side")


def order_type_of(row: Row) -> OrderType:
    return known(_ORDER_TYPES, text(row.get("type") or row.get("order_type")), "order type")


def validity_of(row: Row) -> Validity:
    return known(_VALIDITIES, text(row.get("time_in_force")), "time in force")


def known(table: Mapping[str, Word], word: str, what: str) -> Word:
    """:raises Unreadable: when the table does not have the word."""
    if word not in table:
        raise Unreadable(f"Alpaca told an unknown {what}: {word[:40] or 'none'}")
    return table[word]


def rows_in(data: object) -> list[Row]:
    """Return a list's rows. Alpaca writes an empty list for none; null is no answer.

    :raises Unreadable: when it is not a list of objects.
    """
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise Unreadable("Alpaca did not answer with a list")
    return data


def row_in(data: object) -> Row:
    """:raises Unreadable: when it is not an object."""
    if not isinstance(data, dict):
        raise Unreadable("Alpaca did not answer with an object")
    return data


def required(row: Row, name: str) -> str:
    """:raises Unreadable: when the row does not have it."""
    value = text(row.get(name)).strip()
    if not value:
        raise Unreadable(f"Alpaca told a row without its {name}")
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
        raise Unreadable(f"Alpaca told {str(value)[:40]} where a number belongs") from None
    if isinstance(value, bool) or not found.is_finite():
        raise Unreadable(f"Alpaca told {str(value)[:40]} where a number belongs")
    return found


def whole(value: object, *, of: str) -> int:
    """:raises Unreadable: for a fraction of a share, in words that say what to do."""
    found = number(value)
    if found != found.to_integral_value():
        raise Unreadable(
            f"The account has {found.normalize():f} shares of {of}: Pinnacle counts whole shares"
            " alone. Close the fraction in Alpaca's own app"
        )
    return int(found)


def price(value: object) -> Decimal | None:
    return number(value) or None


def text(value: object) -> str:
    return "" if value is None else str(value)


def moment(value: object) -> datetime | None:
    """Return an aware time from RFC 3339; what is finer than a microsecond is cut off.

    :raises Unreadable: when it is no time, or one without a zone.
    """
    if not value:
        return None
    try:
        told = datetime.fromisoformat(str(value))
    except ValueError:
        raise Unreadable(f"Alpaca told {str(value)[:40]} where a time belongs") from None
    if told.tzinfo is None:
        raise Unreadable(f"Alpaca told {str(value)[:40]}, a time without its zone")
    return told.astimezone(UTC)


def moment_words(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
