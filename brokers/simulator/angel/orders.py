"""SmartAPI's order endpoints. Risk management speaks in the order book alone."""

from decimal import Decimal, InvalidOperation
from typing import TypeVar

from brokers.simulator.angel.answers import Body, Refuse, something_wrong, text
from brokers.simulator.angel.rows import ORDER_TYPES, PRODUCTS, Row, order_row, trade_row, unique_id
from brokers.simulator.angel.symbols import found, symbol_of
from brokers.simulator.exchange import (
    Refusal,
    Session,
    SimChanges,
    SimOrder,
    SimOrderRequest,
    SimulatedBroker,
)
from brokers.simulator.records import OrderState
from brokers.terms import OrderType, Side, Validity

LONGEST_TAG = 20
_VARIETIES = ("NORMAL", "STOPLOSS", "AMO", "ROBO")
Known = TypeVar("Known")
_KINDS = {word: kind for kind, word in ORDER_TYPES.items()}
_PRODUCTS = {word: product for product, word in PRODUCTS.items()}


class OrderDesk:
    """One simulated broker behind SmartAPI's order words."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self._broker = broker
        broker.use_order_ids(lambda number: f"{broker.clock():%y%m%d}{number:09d}")

    def place(self, client: str, body: Body) -> Row:
        """:raises Refuse: for what is refused before risk management looks at it."""
        request = self._request(body)
        order = self._broker.place(client, request, reject_in_book=True)
        if isinstance(order, Refusal):
            raise something_wrong()
        script = symbol_of(self._broker.instrument(request.instrument_token))
        return {"script": script, **_named(order.order_id)}

    def modify(self, client: str, body: Body) -> Row:
        """Change an order. What the exchange holds against the change leaves the order as it is.

        :raises Refuse: for an order that is not there, or is over.
        """
        order = self._working(client, text(body, "orderid"))
        kind = _of(_KINDS, text(body, "ordertype"), "AB1008", "Invalid Order Variety")
        changes = SimChanges(
            quantity=_count(body, "quantity"),
            order_type=kind,
            price=_price(body, "price"),
            trigger_price=_price(body, "triggerprice"),
        )
        self._broker.modify(client, order.order_id, changes)
        return _named(order.order_id)

    def cancel(self, client: str, body: Body) -> Row:
        """:raises Refuse: for an order that is not there, or is over."""
        order = self._working(client, text(body, "orderid"))
        if text(body, "variety") != (order.variety or "NORMAL"):
            raise Refuse("AB1008", "Invalid Order Variety")
        self._broker.cancel(client, order.order_id)
        return _named(order.order_id)

    def book(self, client: str) -> list[Row] | None:
        """Return the day's orders; null where there are none."""
        return [self._row(order) for order in self._broker.orders(client)] or None

    def details(self, client: str, unique: str) -> Row:
        """:raises Refuse: when no order of the day is named so."""
        for order in self._broker.orders(client):
            if unique == unique_id(order.order_id):
                return self._row(order)
        raise Refuse("AB1013", "Order not found")

    def trades(self, client: str) -> list[Row] | None:
        return [trade_row(trade) for trade in self._broker.trades(client)] or None

    def _row(self, order: SimOrder) -> Row:
        states = [each.state for each in self._broker.history(order.client, order.order_id)]
        return order_row(order, is_modified=OrderState.MODIFY_PENDING in states)

    def _request(self, body: Body) -> SimOrderRequest:
        variety, kind = _variety(body)
        if len(text(body, "ordertag")) > LONGEST_TAG:
            raise Refuse("AB4008", "Ordertag length should not exceed 20 characters")
        _check_allowed(kind, text(body, "duration"))
        token, exchange = text(body, "symboltoken"), text(body, "exchange")
        instrument = found(self._broker, exchange=exchange, token=token)
        if symbol_of(instrument) != text(body, "tradingsymbol"):
            raise Refuse("AB1009", "Symbol Not Found")
        is_shut = self._broker.session is Session.CLOSED
        return SimOrderRequest(
            tag=text(body, "ordertag"),
            instrument_token=token,
            side=_of({str(side): side for side in Side}, text(body, "transactiontype"), "AB1004"),
            quantity=_count(body, "quantity"),
            order_type=kind,
            product=_of(_PRODUCTS, text(body, "producttype"), "AB1012", "Invalid Product Type"),
            price=_price(body, "price") if kind.needs_price else None,
            trigger_price=_price(body, "triggerprice") if kind.needs_trigger else None,
            disclosed=_count(body, "disclosedquantity"),
            # After hours every order becomes an after-market order by itself.
            is_amo=variety == "AMO" or is_shut,
            variety="AMO" if is_shut else variety,
        )

    def _working(self, client: str, order_id: str) -> SimOrder:
        order = self._broker.order(client, order_id)
        if order is None or order.state.is_final:
            raise Refuse("AB1013", "Order not found")
        return order


def _variety(body: Body) -> tuple[str, OrderType]:
    variety = text(body, "variety")
    if variety not in _VARIETIES:
        raise Refuse("AB1008", "Invalid Order Variety")
    if variety == "ROBO":
        raise Refuse("AB2002", "ROBO order is blocked")
    kind = _of(_KINDS, text(body, "ordertype"), "AB1008", "Invalid Order Variety")
    if kind.needs_trigger is not (variety == "STOPLOSS") and variety != "AMO":
        raise Refuse("AB1008", "Invalid Order Variety")
    return variety, kind


def _check_allowed(kind: OrderType, duration: str) -> None:
    # The rules of 2026 prohibit both to algorithms; which code says so is not published.
    if not kind.needs_price or duration != Validity.DAY:
        raise Refuse("AB1004", "Market and IOC orders are not allowed through the API")


def _named(order_id: str) -> Row:
    return {"orderid": order_id, "uniqueorderid": unique_id(order_id)}


def _of(
    known: dict[str, Known], word: str, code: str, words: str = "Something Went Wrong"
) -> Known:
    if word not in known:
        raise Refuse(code, words)
    return known[word]


def _price(body: Body, name: str) -> Decimal | None:
    try:
        return Decimal(text(body, name) or "0") or None
    except InvalidOperation:
        raise something_wrong() from None


def _count(body: Body, name: str) -> int:
    try:
        return int(text(body, name) or "0")
    except ValueError:
        raise something_wrong() from None
