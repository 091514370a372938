"""The simulated Dhan's two sockets, both at the root: the market feed comes with a query."""

import json
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.websockets import WebSocket

from brokers.simulator.dhan import rows
from brokers.simulator.dhan.listing import SEGMENT_CODES, Listed
from brokers.simulator.exchange import OrderEvent, SimOrder, SimQuote, TickEvent
from brokers.simulator.faults import Faults
from brokers.simulator.records import SimEvent
from brokers.simulator.streams import GOING_DOWN, Connection, Frame, Hub
from brokers.terms import InstrumentType

if TYPE_CHECKING:
    from brokers.simulator.dhan.house import House

MARKET, ORDERS = "market", "orders"
_MOST_CONNECTIONS = 5
_MOST_INSTRUMENTS, _A_MESSAGE = 5_000, 100
_INDIA_SECONDS = 19_800
_HEADER = struct.Struct("<BHBI")
_TICKER, _QUOTE, _FULL = 15, 17, 21
_PRODUCTS = {"CNC": "C", "INTRADAY": "I", "MARGIN": "M", "MTF": "F"}
_ORDER_TYPES = {"LIMIT": "LMT", "MARKET": "MKT", "STOP_LOSS": "SL", "STOP_LOSS_MARKET": "SLM"}
_LETTERS = {"NSE_EQ": "E", "BSE_EQ": "E", "NSE_FNO": "D", "BSE_FNO": "D", "MCX_COMM": "M"}


class Feeds:
    """Both sockets and what is subscribed on them."""

    def __init__(self, house: "House", faults: Faults) -> None:
        self._house = house
        self.market = Hub(MARKET, faults)
        self.orders = Hub(ORDERS, faults)

    async def serve(self, socket: WebSocket) -> None:
        """Serve either socket: the market feed logs in by its address, the other by a message."""
        if "version" not in socket.query_params:
            await self.orders.serve(socket, client="", on_message=self._log_in)
            return
        client = socket.query_params.get("clientId", "")
        await self.market.serve(socket, client=client, on_message=self._ask, on_open=self._let_in)

    def expire(self, client: str | None) -> None:
        """Tell the market feed's sockets of a client, or of all, that the login has run out."""
        for connection in self.market.connections(client):
            _hang_up(connection, 807)
        for connection in self.orders.connections():
            if client in (None, connection.state.get("client")):
                connection.close(1008, "Authentication failed")

    def forget(self) -> None:
        for hub in (self.market, self.orders):
            hub.close_all(*GOING_DOWN)

    def hear(self, event: SimEvent) -> None:
        if isinstance(event, TickEvent):
            self.market.publish(lambda each: self._frames(each, event.quote))
        elif isinstance(event, OrderEvent):
            self.orders.publish(lambda each: self._alerts(each, event.order))

    async def _let_in(self, connection: Connection) -> None:
        asked = connection.socket.query_params
        session = self._house.tokens.session(asked.get("token", ""))
        if session is None:
            _hang_up(connection, 807)
        elif session.client != connection.client:
            _hang_up(connection, 808)
        elif len(self.market.connections(connection.client)) > _MOST_CONNECTIONS:
            _hang_up(connection, 805)
        elif connection.client in self._house.without_data:
            _hang_up(connection, 806)
        else:
            connection.state["wanted"] = {}

    async def _ask(self, connection: Connection, frame: Frame) -> None:
        wanted = connection.state.get("wanted")
        told = _read(frame)
        if not isinstance(wanted, dict) or told is None:
            return
        code = told.get("RequestCode")
        if code == 12:
            connection.close()
            return
        listed = self._asked(told)
        for each in listed[:_A_MESSAGE]:
            if code in (_TICKER, _QUOTE, _FULL) and len(wanted) < _MOST_INSTRUMENTS:
                wanted[each.instrument.token] = code
                quote = self._house.broker.quote(each.instrument.token)
                connection.send(previous_close(each, quote), is_feed=True)
                connection.send(_RENDERERS[code](each, quote), is_feed=True)
            elif code in (_TICKER + 1, _QUOTE + 1, _FULL + 1):
                wanted.pop(each.instrument.token, None)

    def _asked(self, told: dict[str, object]) -> list[Listed]:
        named = told.get("InstrumentList")
        if not isinstance(named, list):
            return []
        found = (
            self._house.listing.find(str(each.get("ExchangeSegment")), str(each.get("SecurityId")))
            for each in named
        )
        return [each for each in found if each is not None]

    def _frames(self, connection: Connection, quote: SimQuote) -> Sequence[Frame]:
        wanted = connection.state.get("wanted")
        code = wanted.get(quote.instrument.token) if isinstance(wanted, dict) else None
        if code is None:
            return ()
        return [_RENDERERS[code](self._house.listing.of(quote.instrument), quote)]

    async def _log_in(self, connection: Connection, frame: Frame) -> None:
        told = _read(frame) or {}
        asked = told.get("LoginReq")
        asked = asked if isinstance(asked, dict) else {}
        session = self._house.tokens.session(str(asked.get("Token", "")))
        if session is None or session.client != str(asked.get("ClientId")):
            connection.close(1008, "Authentication failed")
            return
        connection.state["client"] = session.client

    def _alerts(self, connection: Connection, order: SimOrder) -> Sequence[Frame]:
        if connection.state.get("client") != order.client:
            return ()
        alert = _alert(order, self._house.listing.of(order.instrument))
        # Dhan's pages write PascalCase, its feed camelCase: here they take turns.
        if order.sequence % 2:
            alert = {name[0].lower() + name[1:]: value for name, value in alert.items()}
        return [json.dumps({"Type": "order_alert", "Data": alert})]


def goodbye(reason: int) -> bytes:
    return _header(50, 10, 0, 0) + struct.pack("<H", reason)


def ticker(listed: Listed, quote: SimQuote) -> bytes:
    body = struct.pack("<fI", rows.money(quote.last_price), _stamp(quote))
    return _head(2, 16, listed) + body


def previous_close(listed: Listed, quote: SimQuote) -> bytes:
    body = struct.pack("<fI", rows.money(quote.close), quote.open_interest)
    return _head(6, 16, listed) + body


def quote_packet(listed: Listed, quote: SimQuote) -> bytes:
    """Make a quote packet, and after it the open interest of what has one."""
    body = struct.pack("<fHIfIII", *_traded(quote)) + struct.pack("<ffff", *_day(quote))
    packet = _head(4, 50, listed) + body
    if listed.instrument.kind.is_derivative:
        packet += _head(5, 12, listed) + struct.pack("<I", quote.open_interest)
    return packet


def full(listed: Listed, quote: SimQuote) -> bytes:
    interest = (quote.open_interest,) * 3
    body = struct.pack("<fHIfIIIIII", *_traded(quote), *interest) + struct.pack(
        "<ffff", *_day(quote)
    )
    for level in range(5):
        bid = quote.bids[level] if level < len(quote.bids) else None
        ask = quote.asks[level] if level < len(quote.asks) else None
        body += struct.pack(
            "<IIHHff",
            bid.quantity if bid else 0,
            ask.quantity if ask else 0,
            bid.orders if bid else 0,
            ask.orders if ask else 0,
            rows.money(bid.price) if bid else 0.0,
            rows.money(ask.price) if ask else 0.0,
        )
    return _head(8, 162, listed) + body


_RENDERERS: dict[int, Callable[[Listed, SimQuote], bytes]] = {
    _TICKER: ticker,
    _QUOTE: quote_packet,
    _FULL: full,
}


def _traded(quote: SimQuote) -> tuple[float, int, int, float, int, int, int]:
    selling = sum(each.quantity for each in quote.asks)
    buying = sum(each.quantity for each in quote.bids)
    return (
        rows.money(quote.last_price),
        min(quote.last_quantity, 0xFFFF),
        _stamp(quote),
        rows.money(quote.average_price),
        quote.volume,
        selling,
        buying,
    )


def _day(quote: SimQuote) -> tuple[float, float, float, float]:
    """Return open, close, high, low: Dhan's order."""
    return (
        rows.money(quote.open),
        rows.money(quote.close),
        rows.money(quote.high),
        rows.money(quote.low),
    )


def _stamp(quote: SimQuote) -> int:
    """Count India's wall clock as if it were UTC, as Dhan does."""
    return int(quote.at.timestamp()) + _INDIA_SECONDS


def _head(code: int, size: int, listed: Listed) -> bytes:
    return _header(code, size, SEGMENT_CODES[listed.segment], int(listed.number))


def _header(code: int, size: int, segment: int, number: int) -> bytes:
    return _HEADER.pack(code, size, segment, number)


def _hang_up(connection: Connection, reason: int) -> None:
    connection.send(goodbye(reason))
    connection.close()


def _read(frame: Frame) -> dict[str, object] | None:
    try:
        told = json.loads(frame)
    except ValueError:
        return None  # The SDK's binary goodbye follows its JSON one.
    return told if isinstance(told, dict) else None


def _alert(order: SimOrder, listed: Listed) -> rows.Row:
    each = order.instrument
    return {
        "Exchange": {"NFO": "NSE", "BFO": "BSE"}.get(each.exchange, each.exchange),
        "Segment": _LETTERS.get(listed.segment, "C"),
        "Source": "A" if order.is_external else "P",
        "SecurityId": listed.number,
        "ClientId": order.client,
        "ExchOrderNo": rows.exchange_order_id(order),
        "OrderNo": order.order_id,
        "Product": _PRODUCTS[rows.PRODUCTS[order.product]],
        "TxnType": order.side.value[0],
        "OrderType": _ORDER_TYPES[rows.ORDER_TYPES[order.order_type]],
        "Validity": rows.VALIDITIES[order.validity],
        "DiscQuantity": listed.told(order.disclosed),
        "DiscQtyRem": 0,
        "RemainingQuantity": listed.told(order.pending_quantity),
        "Quantity": listed.told(order.quantity),
        "TradedQty": listed.told(order.filled_quantity),
        "Price": rows.money(order.price),
        "TriggerPrice": rows.money(order.trigger_price),
        "TradedPrice": rows.money(order.average_price),
        "AvgTradedPrice": rows.money(order.average_price),
        "AlgoOrdNo": "",
        "OffMktFlag": "1" if order.is_amo else "0",
        "OrderDateTime": rows.wall_clock(order.placed_at),
        "ExchOrderTime": rows.wall_clock(order.updated_at),
        "LastUpdatedTime": rows.wall_clock(order.updated_at),
        "Remarks": "NR",
        "MktType": "NL",
        "ReasonDescription": order.message or "CONFIRMED",
        "LegNo": 1,
        "ProductName": rows.PRODUCTS[order.product],
        "Status": rows.status_of(order).title(),
        "GoodTillDaysDate": rows.wall_clock(order.placed_at)[:10],
        "RefLtp": 0.0,
        "AlgoId": "0",
        "CorrelationId": order.tag,
        **_contract(listed),
    }


def _contract(listed: Listed) -> rows.Row:
    each = listed.instrument
    return {
        "Instrument": "EQUITY" if each.kind is InstrumentType.EQ else "OPTIDX",
        "Symbol": each.symbol,
        "LotSize": each.lot,
        "StrikePrice": rows.money(each.strike),
        "ExpiryDate": f"{each.expiry} 14:30:00" if each.expiry else "0001-01-01 00:00:00",
        "OptType": str(each.kind) if each.kind.is_option else "XX",
        "DisplayName": each.name,
        "Isin": each.isin,
        "Series": "EQ",
        "TickSize": rows.money(each.tick),
        "Multiplier": 1,
    }
