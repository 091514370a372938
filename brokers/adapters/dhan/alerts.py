"""Order alerts, from the order feed and from postbacks: the same fields in several spellings."""

from collections.abc import Mapping

from brokers.adapters.dhan import words
from brokers.adapters.dhan.rows import NAME, Numbers, read_object
from brokers.gateway import BrokerStatus, OrderReport
from brokers.rows import Naming
from brokers.streaming.news import order_news
from brokers.streaming.protocol import OrderNews, StreamError
from brokers.values import Row, Unreadable, count, filled, price, required, shown, text

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


def alert_news(body: object, numbers: Numbers) -> OrderNews | StreamError:
    """Read one alert of the order feed, whose field names come in two spellings."""
    row = _lowered(body) if isinstance(body, Mapping) else body
    naming = Naming(
        lambda told: numbers.key(_board(told), required(told, "securityid")),
        "symbol",
        "orderno",
        lambda told: text(told.get("correlationid")),
    )
    return order_news(row, lambda told: order_alert(told, numbers), naming=naming, broker=NAME)


def order_alert(body: object, numbers: Numbers) -> OrderReport:
    """Read one alert of the order feed; it tells no fill by itself, only the order after it.

    :raises Unreadable: when something in it is not known.
    """
    told = _lowered(read_object(body))
    segment, number = _board(told), required(told, "securityid")
    lots = count(told.get("quantity"), "quantity", least=1)
    order_type = words.order_type_told(told.get("ordertype"))
    exchange_order_id = text(told.get("exchorderno"))
    is_waiting = text(told.get("offmktflag")) == "1" and exchange_order_id in ("", "0")

    def status_for(done: int) -> BrokerStatus:
        return words.status_told(
            told.get("status"),
            order_type=order_type,
            filled=done,
            quantity=lots,
            is_waiting_amo=is_waiting,
        )

    done = filled(
        told.get("tradedqty"),
        quantity=lots,
        status=status_for,
        remaining=told.get("remainingquantity"),
    )
    status = status_for(done)
    placed_at, updated_at = words.moments_told(
        told.get("orderdatetime"), told.get("lastupdatedtime")
    )
    return OrderReport(
        broker_order_id=required(told, "orderno"),
        tag=text(told.get("correlationid")),
        instrument_key=numbers.key(segment, number),
        side=words.side_told(told.get("txntype")),
        order_type=order_type,
        product=words.product_told(told.get("product")),
        validity=words.validity_told(told.get("validity")),
        status=status,
        quantity=numbers.units(segment, number, lots),
        filled_quantity=numbers.units(segment, number, done),
        updated_at=updated_at,
        average_price=price(told.get("avgtradedprice"), "avgTradedPrice"),
        price=price(told.get("price"), "price"),
        trigger_price=price(told.get("triggerprice"), "triggerPrice"),
        message=text(told.get("reasondescription")) if status in _TELLS_WHY else "",
        exchange_order_id="" if exchange_order_id == "0" else exchange_order_id,
        placed_at=placed_at,
    )


def _lowered(row: Row) -> Row:
    return {str(name).lower(): value for name, value in row.items()}


def _board(told: Mapping[str, object]) -> str:
    exchange, segment = text(told.get("exchange")).upper(), text(told.get("segment")).upper()
    if (exchange, segment) not in _BOARDS:
        raise Unreadable(f"the market {shown(exchange)} {shown(segment)} is not known here")
    return _BOARDS[exchange, segment]
