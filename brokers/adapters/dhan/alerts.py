"""Order alerts, from the order feed and from postbacks: the same fields in several spellings."""

from collections.abc import Mapping

from brokers.adapters.dhan import words
from brokers.adapters.dhan.rows import Numbers, read_object
from brokers.adapters.dhan.words import Unreadable
from brokers.gateway import BrokerStatus, OrderReport

_BOARDS = {
    ("NSE", "E"): "NSE_EQ",
    ("BSE", "E"): "BSE_EQ",
    ("NSE", "D"): "NSE_FNO",
    ("BSE", "D"): "BSE_FNO",
    ("NSE", "C"): "NSE_CURRENCY",
    ("BSE", "C"): "BSE_CURRENCY",
    ("MCX", "M"): words.MCX,
}
_TELLS_WHY = (BrokerStatus.REJECTED, BrokerStatus.CANCELLED, BrokerStatus.EXPIRED)


def order_alert(body: object, numbers: Numbers) -> OrderReport:
    """Read one alert of the order feed; it tells no fill by itself, only the order after it.

    :raises Unreadable: when something in it is not known.
    """
    told = {str(name).lower(): value for name, value in read_object(body).items()}
    segment, number = _board(told), _needed(told, "securityid")
    quantity = numbers.units(segment, number, words.count_told(told.get("quantity"), "quantity"))
    filled = numbers.units(segment, number, words.count_told(told.get("tradedqty"), "tradedQty"))
    order_type = words.order_type_told(told.get("ordertype"))
    exchange_order_id = _text(told, "exchorderno")
    status = words.status_told(
        told.get("status"),
        order_type=order_type,
        filled=filled,
        quantity=quantity,
        is_waiting_amo=_text(told, "offmktflag") == "1" and exchange_order_id in ("", "0"),
    )
    placed_at, updated_at = words.moments_told(
        told.get("orderdatetime"), told.get("lastupdatedtime")
    )
    return OrderReport(
        broker_order_id=_needed(told, "orderno"),
        tag=_text(told, "correlationid"),
        instrument_key=numbers.key(segment, number),
        side=words.side_told(told.get("txntype")),
        order_type=order_type,
        product=words.product_told(told.get("product")),
        validity=words.validity_told(told.get("validity")),
        status=status,
        quantity=quantity,
        filled_quantity=filled,
        updated_at=updated_at,
        average_price=words.price_told(told.get("avgtradedprice"), "the average price"),
        price=words.price_told(told.get("price"), "the price"),
        trigger_price=words.price_told(told.get("triggerprice"), "the trigger price"),
        message=_text(told, "reasondescription") if status in _TELLS_WHY else "",
        exchange_order_id="" if exchange_order_id == "0" else exchange_order_id,
        placed_at=placed_at,
    )


def _board(told: Mapping[str, object]) -> str:
    exchange, segment = _text(told, "exchange").upper(), _text(told, "segment").upper()
    if (exchange, segment) not in _BOARDS:
        raise Unreadable(f"Dhan told a market that is not known here: {exchange} {segment}"[:200])
    return _BOARDS[exchange, segment]


def _needed(told: Mapping[str, object], name: str) -> str:
    value = _text(told, name)
    if not value:
        raise Unreadable(f"Dhan left {name} out")
    return value


def _text(told: Mapping[str, object], name: str) -> str:
    value = told.get(name)
    return "" if value is None else str(value).strip()
