"""Angel One's words and the house's, both ways. Pure."""

from datetime import UTC, datetime, timedelta

from brokers.gateway import BrokerStatus
from brokers.terms import OrderType, Product, Side, Validity
from brokers.values import Unreadable, is_nothing, known, moment, shown
from brokers.venue import IST

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
    "modify after market order req received": BrokerStatus.QUEUED_AMO,
    "modify amo req received": BrokerStatus.QUEUED_AMO,
    "cancel amo req received": BrokerStatus.QUEUED_AMO,
    "cancel after market order req received": BrokerStatus.QUEUED_AMO,
    "amo submitted": BrokerStatus.QUEUED_AMO,
    "after market order req received": BrokerStatus.QUEUED_AMO,
    "amo req received": BrokerStatus.QUEUED_AMO,
    "amo modified": BrokerStatus.QUEUED_AMO,
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
    "amo cancelled": BrokerStatus.CANCELLED,
    "cancelled amo": BrokerStatus.CANCELLED,
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


def status_of(
    word: str, *, filled: int, quantity: int, is_stop: bool = False, code: str = ""
) -> BrokerStatus:
    """Translate a status word, or the order socket's ``code`` where there is no word.

    :raises Unreadable: rather than guess.
    """
    said = " ".join(word.lower().split())
    if said or not code:
        status = known(STATUSES, said, "status")
    else:
        status = known(STREAM_STATUSES, code.strip().upper(), "status code")
    if status is BrokerStatus.OPEN and 0 < filled < quantity:
        return BrokerStatus.PARTIALLY_FILLED
    is_standing = said in _STANDING or (not said and code in ("AB04", "AB11"))
    if is_standing and is_stop and not filled:
        return BrokerStatus.TRIGGER_PENDING
    return status


def order_type_of(word: str) -> OrderType:
    """:raises Unreadable:"""
    return known(_HOUSE_ORDER_TYPES, word.upper(), "order type")


def product_of(word: str) -> Product:
    """:raises Unreadable:"""
    return known(_HOUSE_PRODUCTS, word.upper(), "product")


def side_of(word: str) -> Side:
    """:raises Unreadable:"""
    return known({str(side): side for side in Side}, word.upper(), "side")


def validity_of(word: str) -> Validity:
    """:raises Unreadable:"""
    return known({str(each): each for each in Validity}, word.upper(), "validity")


def time_of(value: object) -> datetime | None:
    """Read "29-Dec-2023 09:01:02", Indian time; None where the field is empty.

    :raises Unreadable: when it is no time.
    """
    return moment(value, zone=IST, formats=(_DAY_FORMAT,))


def time_of_fill(value: object, *, now: datetime) -> datetime:
    """Read a time with its date, or a time of day, "13:27:53": the last such moment, since no
    fill lies ahead.

    :raises Unreadable: when it is neither.
    """
    clock = _clock_in(value)
    if clock is None:
        at = time_of(value)
        if at is None:
            raise Unreadable("the time of the fill is not told")
        return at
    local = now.astimezone(IST)
    at = local.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0)
    return (at - timedelta(days=1) if at > local + _LATE else at).astimezone(UTC)


def start_of_day(now: datetime) -> datetime:
    """Return midnight in India.

    What Angel tells without a time counts as of then: it must never outrank what has one, and
    told again it must be the same report.
    """
    midnight = now.astimezone(IST).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC)


def _clock_in(value: object) -> datetime | None:
    if is_nothing(value):
        return None
    try:
        return datetime.strptime(shown(value).strip(), _CLOCK_FORMAT)  # noqa: DTZ007 - a time of day
    except ValueError:
        return None
