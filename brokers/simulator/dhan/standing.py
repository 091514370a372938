"""Forever orders and super orders at the simulated Dhan: they wait for a price, then send."""

import itertools
import threading
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from brokers.simulator.dhan import rows
from brokers.simulator.dhan.calls import Call, Wrong
from brokers.simulator.dhan.listing import Listed
from brokers.simulator.dhan.trading import read_order, take
from brokers.simulator.exchange import (
    OrderEvent,
    OrderState,
    Refusal,
    SimOrder,
    SimOrderRequest,
    SimulatedBroker,
    TickEvent,
)
from brokers.simulator.records import SimEvent
from brokers.terms import OrderType, Side, Validity

FIRST, SECOND = "TARGET_LEG", "STOP_LOSS_LEG"


@dataclass(slots=True)
class Leg:
    """One price that is waited for. ``is_above`` tells from which side it is reached."""

    name: str
    trigger_price: Decimal
    price: Decimal | None
    quantity: int
    is_above: bool
    status: str = "CONFIRM"

    def is_reached(self, last: Decimal) -> bool:
        return last >= self.trigger_price if self.is_above else last <= self.trigger_price


@dataclass(slots=True)
class Standing:
    """One forever order, or the exits of one super order, which wait for their entry."""

    order_id: str
    client: str
    listed: Listed
    template: SimOrderRequest
    kind: str
    at: datetime
    legs: list[Leg] = field(default_factory=list)
    is_live: bool = True
    trailing: Decimal = Decimal(0)


class StandingOrders:
    """All of them. Legs fire on ticks; one that fires cancels its sister."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self._broker = broker
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._all: dict[str, Standing] = {}

    def add(self, standing: Standing) -> None:
        with self._lock:
            self._all[standing.order_id] = standing

    def new_id(self) -> str:
        return f"5{self._broker.clock():%y%m%d}{next(self._numbers):06d}"

    def of(self, client: str, *, is_super: bool) -> list[Standing]:
        with self._lock:
            return [
                each
                for each in self._all.values()
                if each.client == client and (each.kind == "SUPER") is is_super
            ]

    def find(self, client: str, order_id: str, *, is_super: bool) -> Standing:
        """:raises Wrong: when the client has no such order."""
        for each in self.of(client, is_super=is_super):
            if each.order_id == order_id:
                return each
        raise Wrong("DH-906", "Incorrect request for order and cannot be processed")

    def hear(self, event: SimEvent) -> None:
        if isinstance(event, TickEvent):
            self._reach(event.quote.instrument.token, event.quote.last_price)
        elif isinstance(event, OrderEvent):
            self._wake(event.order)

    def _reach(self, token: str, last: Decimal) -> None:
        for standing in list(self._all.values()):
            if standing.is_live and standing.listed.instrument.token == token:
                reached = next((leg for leg in standing.legs if leg.is_reached(last)), None)
                if reached is not None:
                    self._fire(standing, reached)

    def _fire(self, standing: Standing, leg: Leg) -> None:
        standing.is_live = False
        for each in standing.legs:
            each.status = "CANCELLED"
        sent = self._broker.place(standing.client, _sent_by(standing, leg), reject_in_book=True)
        leg.status = "REJECTED" if isinstance(sent, Refusal) else "TRIGGERED"

    def _wake(self, order: SimOrder) -> None:
        """Let the exits of a super order wait from when its entry is filled."""
        standing = self._all.get(order.order_id)
        if standing is None or standing.kind != "SUPER" or standing.is_live:
            return
        if order.state is OrderState.COMPLETE and standing.legs[0].status == "CONFIRM":
            standing.is_live = True
            for each in standing.legs:
                each.status = "PENDING"


def place_forever(call: Call) -> object:
    kind = call.text("orderFlag")
    if kind not in ("SINGLE", "OCO"):
        raise Wrong("DH-905", "Invalid orderFlag")
    asked, listed = read_order(call), call.listed()
    standings = call.house.standing
    last = call.broker.quote(listed.instrument.token).last_price
    standing = Standing(standings.new_id(), call.client, listed, asked, kind, call.broker.clock())
    standing.legs = [_leg(call, FIRST, ("triggerPrice", "price"), asked.quantity, last)]
    if kind == "OCO":
        quantity = listed.units(call.count("quantity1"))
        standing.legs.append(_leg(call, SECOND, ("triggerPrice1", "price1"), quantity, last))
    standings.add(standing)
    return {"orderId": standing.order_id, "orderStatus": "PENDING"}


def modify_forever(call: Call) -> object:
    standing = _waiting(call)
    leg = next((each for each in standing.legs if each.name == call.text("legName")), None)
    if leg is None:
        raise Wrong("DH-905", "Invalid legName")
    last = call.broker.quote(standing.listed.instrument.token).last_price
    changed = _leg(
        call,
        leg.name,
        ("triggerPrice", "price"),
        standing.listed.units(call.count("quantity")),
        last,
    )
    standing.legs[standing.legs.index(leg)] = changed
    return {"orderId": standing.order_id, "orderStatus": "PENDING"}


def cancel_forever(call: Call) -> object:
    standing = _waiting(call)
    standing.is_live = False
    for each in standing.legs:
        each.status = "CANCELLED"
    return {"orderId": standing.order_id, "orderStatus": "CANCELLED"}


def forever_orders(call: Call) -> object:
    """List them, a row for each leg."""
    return [
        _forever_row(each, leg)
        for each in call.house.standing.of(call.client, is_super=False)
        for leg in each.legs
    ]


def place_super(call: Call) -> object:
    asked, listed = read_order(call), call.listed()
    target, stop = call.price("targetPrice"), call.price("stopLossPrice")
    if target is None and stop is None:
        raise Wrong("DH-905", "Target Price or Stop Loss Price is required")
    order = take(call, asked)
    is_buy = asked.side is Side.BUY
    standing = Standing(
        order.order_id, call.client, listed, asked, "SUPER", call.broker.clock(), is_live=False,
        trailing=call.price("trailingJump") or Decimal(0),
    )  # fmt: skip
    for name, price, is_above in ((FIRST, target, is_buy), (SECOND, stop, not is_buy)):
        if price is not None:
            standing.legs.append(Leg(name, price, None, asked.quantity, is_above))
    call.house.standing.add(standing)
    if order.state is OrderState.COMPLETE:
        standing.is_live = True
    return {"orderId": order.order_id, "orderStatus": rows.status_of(order)}


def cancel_super(call: Call) -> object:
    """Cancel a leg, or with the entry the whole."""
    standing = call.house.standing.find(
        call.client, call.request.path_params["order_id"], is_super=True
    )
    wanted = call.request.path_params["leg"]
    if wanted == "ENTRY_LEG":
        cancelled = call.broker.cancel(call.client, standing.order_id)
        if isinstance(cancelled, Refusal):
            raise Wrong("DH-906", cancelled.words)
        standing.is_live = False
    for each in standing.legs:
        if wanted in ("ENTRY_LEG", each.name):
            each.status = "CANCELLED"
    standing.legs = [each for each in standing.legs if each.status != "CANCELLED"] or standing.legs
    return {"orderId": standing.order_id, "orderStatus": "CANCELLED"}


def modify_super(call: Call) -> object:
    standing = call.house.standing.find(
        call.client, call.request.path_params["order_id"], is_super=True
    )
    for each in standing.legs:
        field_name = "targetPrice" if each.name == FIRST else "stopLossPrice"
        if call.text("legName") in ("ENTRY_LEG", each.name) and call.price(field_name):
            each.trigger_price = call.price(field_name) or each.trigger_price
    return {"orderId": standing.order_id, "orderStatus": "TRANSIT"}


def super_orders(call: Call) -> object:
    told = []
    for each in call.house.standing.of(call.client, is_super=True):
        order = call.broker.order(call.client, each.order_id)
        if order is not None:
            told.append(_super_row(call, each, order))
    return told


def _waiting(call: Call) -> Standing:
    order_id = call.request.path_params["order_id"]
    standing = call.house.standing.find(call.client, order_id, is_super=False)
    if not standing.is_live:
        raise Wrong("DH-906", "Order is no longer active")
    return standing


def _leg(call: Call, name: str, fields: tuple[str, str], quantity: int, last: Decimal) -> Leg:
    trigger, price = call.price(fields[0]), call.price(fields[1])
    if trigger is None or quantity <= 0:
        raise Wrong("DH-905", f"{fields[0]} is required")
    return Leg(name, trigger, price, quantity, is_above=trigger > last)


def _sent_by(standing: Standing, leg: Leg) -> SimOrderRequest:
    template = standing.template
    is_exit = standing.kind == "SUPER"
    return SimOrderRequest(
        tag=template.tag,
        instrument_token=template.instrument_token,
        side=template.side.opposite if is_exit else template.side,
        quantity=leg.quantity,
        order_type=OrderType.MARKET if leg.price is None else OrderType.LIMIT,
        product=template.product,
        validity=Validity.DAY,
        price=leg.price,
    )


def _forever_row(standing: Standing, leg: Leg) -> rows.Row:
    template, at = standing.template, rows.wall_clock(standing.at)
    return {
        "dhanClientId": standing.client,
        "orderId": standing.order_id,
        "orderStatus": leg.status,
        "transactionType": template.side.value,
        "exchangeSegment": standing.listed.segment,
        "productType": rows.PRODUCTS[template.product],
        "orderType": standing.kind,
        "tradingSymbol": standing.listed.symbol,
        "securityId": standing.listed.number,
        "quantity": standing.listed.told(leg.quantity),
        "price": rows.money(leg.price),
        "triggerPrice": rows.money(leg.trigger_price),
        "legName": leg.name,
        "createTime": at,
        "updateTime": at,
        "exchangeTime": at,
    }


def _super_row(call: Call, standing: Standing, order: SimOrder) -> rows.Row:
    legs = [
        {
            "orderId": standing.order_id,
            "legName": leg.name,
            "transactionType": standing.template.side.opposite.value,
            "totalQuatity": standing.listed.told(leg.quantity),
            "remainingQuantity": standing.listed.told(leg.quantity),
            "triggeredQuantity": 0,
            "price": rows.money(leg.trigger_price),
            "orderStatus": leg.status,
            "trailingJump": rows.money(standing.trailing),
        }
        for leg in standing.legs
    ]
    row = rows.order_row(order, call.house.listing)
    if any(leg.status == "TRIGGERED" for leg in standing.legs):
        row["orderStatus"] = "CLOSED"
    last = call.broker.quote(standing.listed.instrument.token).last_price
    return {**row, "ltp": rows.money(last), "legDetails": legs}
