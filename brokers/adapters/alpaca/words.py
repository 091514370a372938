"""Alpaca's words and the house's, both ways: enums, numbers, times. Pure; nothing is guessed."""

import re
from datetime import UTC, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from brokers import values
from brokers.gateway import BrokerStatus
from brokers.terms import OrderType, Side, Validity
from brokers.values import MOST_COUNT, Row, Unreadable, known, number, shown, text

NEW_YORK = ZoneInfo("America/New_York")
# Instruments of Alpaca are numbered by their symbol: fills name nothing else.
EXCHANGE = "US"
REPLACED = "replaced"
_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$", re.IGNORECASE)
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


def row_in(data: object) -> Row:
    """:raises Unreadable: when it is not an object."""
    if not isinstance(data, dict):
        raise Unreadable("Alpaca did not answer with an object")
    return data


def whole(value: object, *, of: str) -> int:
    """:raises Unreadable: for a fraction of a share, in words that say what to do."""
    found = number(value, "the number of shares", most=Decimal(MOST_COUNT))
    if found != found.to_integral_value():
        raise Unreadable(
            f"{found.normalize():f} shares of {of}: Pinnacle counts whole shares alone. Close the"
            " fraction in Alpaca's own app"
        )
    return int(found)


def moment(value: object) -> datetime | None:
    """Return an aware time from RFC 3339; what is finer than a microsecond is cut off.

    :raises Unreadable: when it is no time, or one without a zone.
    """
    told = values.moment(value, zone=UTC)
    if told is not None and isinstance(value, str) and not _ZONE.search(value.strip()):
        raise Unreadable(f"{shown(value)} is a time without its zone")
    return told


def moment_words(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
