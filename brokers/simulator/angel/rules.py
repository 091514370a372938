"""SmartAPI's GTT rules: one trigger, one limit order, cash shares alone."""

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from brokers.simulator.angel.answers import Body, Refuse, text
from brokers.simulator.angel.rows import PRODUCTS, Row
from brokers.simulator.angel.symbols import found, symbol_of
from brokers.simulator.exchange import SimOrderRequest, SimulatedBroker, TickEvent
from brokers.simulator.records import SimEvent
from brokers.terms import OrderType, Product, Side

_FIRST_ID = 1_857_148
_YEAR = timedelta(days=365)
_PRODUCTS = {PRODUCTS[product]: product for product in (Product.CNC, Product.MTF)}


@dataclass(frozen=True, slots=True)
class Rule:
    number: int
    client: str
    token: str
    exchange: str
    symbol: str
    side: Side
    product: Product
    price: Decimal
    trigger: Decimal
    quantity: int
    is_rise: bool
    created: datetime
    updated: datetime
    status: str = "NEW"


class RuleDesk:
    """Keeps the rules and sends their orders; ticks reach it through :meth:`hear`."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self._broker = broker
        self._lock = threading.Lock()
        self._rules: dict[int, Rule] = {}

    def create(self, client: str, body: Body) -> Row:
        """:raises Refuse: naming what is wrong with the rule."""
        exchange, token = text(body, "exchange"), text(body, "symboltoken")
        symbol = self._checked(body, exchange, token)
        now, trigger = self._broker.clock(), _positive(body, "triggerprice", "AB9009")
        with self._lock:
            rule = Rule(
                number=_FIRST_ID + len(self._rules),
                client=client,
                token=token,
                exchange=exchange,
                symbol=symbol,
                side=Side(text(body, "transactiontype")),
                product=_PRODUCTS[text(body, "producttype")],
                price=_positive(body, "price", "AB9008"),
                trigger=trigger,
                quantity=int(_positive(body, "qty", "AB9006")),
                is_rise=trigger >= self._broker.quote(token).last_price,
                created=now,
                updated=now,
            )
            self._rules[rule.number] = rule
        return {"id": rule.number}

    def modify(self, client: str, body: Body) -> Row:
        """:raises Refuse: for a rule that is not there, or is over."""
        with self._lock:
            rule = self._own(client, body)
            self._rules[rule.number] = replace(
                rule,
                price=_positive(body, "price", "AB9008"),
                trigger=_positive(body, "triggerprice", "AB9009"),
                quantity=int(_positive(body, "qty", "AB9006")),
                updated=self._broker.clock(),
            )
        return {"id": rule.number}

    def cancel(self, client: str, body: Body) -> Row:
        """:raises Refuse: for a rule that is not there, or is over."""
        with self._lock:
            rule = self._own(client, body)
            self._rules[rule.number] = replace(
                rule, status="CANCELLED", updated=self._broker.clock()
            )
        return {"id": rule.number}

    def details(self, client: str, body: Body) -> Row:
        """:raises Refuse: for a rule that is not there."""
        rule = self._rules.get(_number(body))
        if rule is None or rule.client != client:
            raise Refuse("AB9013", "Invalid Rule Id")
        return _row(rule)

    def listed(self, client: str, body: Body) -> list[Row] | None:
        wanted, page, count = body.get("status"), body.get("page"), body.get("count")
        if not isinstance(wanted, list) or not isinstance(page, int) or not isinstance(count, int):
            raise Refuse("AB9001", "Invalid Parameters")
        rules = [
            _row(each)
            for each in self._rules.values()
            if each.client == client and ("FORALL" in wanted or each.status in wanted)
        ]
        return rules[(page - 1) * count : page * count] or None

    def forget(self) -> None:
        """Begin again without any rule."""
        with self._lock:
            self._rules.clear()

    def hear(self, event: SimEvent) -> None:
        """Send the orders of the rules that a price has reached."""
        if not isinstance(event, TickEvent):
            return
        last, token = event.quote.last_price, event.quote.instrument.token
        with self._lock:
            reached = [
                each
                for each in self._rules.values()
                if each.token == token and each.status == "NEW" and _is_reached(each, last)
            ]
            for rule in reached:
                self._rules[rule.number] = replace(rule, status="SENTTOEXCHANGE")
        for rule in reached:
            self._broker.place(rule.client, _order(rule), reject_in_book=True)

    def _checked(self, body: Body, exchange: str, token: str) -> str:
        if exchange not in ("NSE", "BSE"):
            raise Refuse("AB9010", "Invalid Exchange Segment")
        symbol = symbol_of(found(self._broker, exchange=exchange, token=token))
        if symbol != text(body, "tradingsymbol"):
            raise Refuse("AB9012", "Invalid Trading Symbol")
        if text(body, "transactiontype") not in Side.values:
            raise Refuse("AB9014", "Invalid Order Side")
        if text(body, "producttype") not in _PRODUCTS:
            raise Refuse("AB9015", "Invalid Product Type")
        return symbol

    def _own(self, client: str, body: Body) -> Rule:
        rule = self._rules.get(_number(body))
        if rule is None or rule.client != client or rule.status != "NEW":
            raise Refuse("AB9013", "Invalid Rule Id")
        return rule


def _row(rule: Rule) -> Row:
    return {
        "id": rule.number,
        "status": rule.status,
        "createddate": f"{rule.created:%Y-%m-%dT%H:%M:%SZ}",
        "updateddate": f"{rule.updated:%Y-%m-%dT%H:%M:%SZ}",
        "expirydate": f"{rule.created + _YEAR:%Y-%m-%dT%H:%M:%SZ}",
        "clientid": rule.client,
        "tradingsymbol": rule.symbol,
        "symboltoken": rule.token,
        "exchange": rule.exchange,
        "transactiontype": str(rule.side),
        "producttype": PRODUCTS[rule.product],
        "price": float(rule.price),
        "qty": rule.quantity,
        "triggerprice": float(rule.trigger),
        "disclosedqty": 0,
    }


def _order(rule: Rule) -> SimOrderRequest:
    return SimOrderRequest(
        tag="",
        instrument_token=rule.token,
        side=rule.side,
        quantity=rule.quantity,
        order_type=OrderType.LIMIT,
        product=rule.product,
        price=rule.price,
        variety="NORMAL",
    )


def _is_reached(rule: Rule, last: Decimal) -> bool:
    return last >= rule.trigger if rule.is_rise else last <= rule.trigger


def _number(body: Body) -> int:
    word = text(body, "id")
    return int(word) if word.isdigit() else 0


def _positive(body: Body, name: str, code: str) -> Decimal:
    try:
        value = Decimal(text(body, name) or "0")
    except InvalidOperation:
        value = Decimal(0)
    if value <= 0:
        raise Refuse(code, f"Invalid {name}")
    return value
