"""What Alpaca makes of a change: a new order in the old one's place.

Inside there is one order that changes; on the wire each change is an order of its own with its
own id, quantity and fills. A link is one of these.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid4, uuid5

from brokers.simulator.exchange import OrderEvent, SimEvent, SimulatedBroker, TradeEvent
from brokers.simulator.records import OrderState, SimOrder, SimTrade
from brokers.terms import Validity

# A link's own state, where the order behind it does not tell it.
WAITING, CURRENT, REPLACED, REJECTED = "waiting", "current", "replaced", "rejected"


def order_id(number: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"brokersim/alpaca/{number}"))


@dataclass(frozen=True, slots=True)
class Terms:
    """What one link asked for; its quantity is its own, without what filled before it."""

    quantity: int
    price: Decimal | None
    trigger_price: Decimal | None
    validity: Validity


def terms_of(order: SimOrder) -> Terms:
    return Terms(order.quantity, order.price, order.trigger_price, order.validity)


@dataclass(slots=True)
class Link:
    """One order as Alpaca's wire knows it."""

    wire_id: str
    core_id: str
    client_order_id: str
    created_at: datetime
    terms: Terms
    state: str = CURRENT
    replaces: str | None = None
    replaced_by: str | None = None
    ended_at: datetime | None = None
    filled: int = 0
    worth: Decimal = Decimal(0)
    filled_at: datetime | None = None

    @property
    def average(self) -> Decimal | None:
        return (self.worth / self.filled).quantize(Decimal("0.0001")) if self.filled else None

    def fill(self, trade: SimTrade) -> "Filled":
        self.filled += trade.quantity
        self.worth += trade.price * trade.quantity
        self.filled_at = trade.traded_at
        return Filled(self, trade, self.filled)


@dataclass(frozen=True, slots=True)
class Filled:
    """One fill with the link that it filled, and how much of that was filled after it."""

    link: Link
    trade: SimTrade
    so_far: int

    @property
    def activity_id(self) -> str:
        made, at = (
            uuid5(NAMESPACE_URL, f"brokersim/fill/{self.trade.trade_id}"),
            self.trade.traded_at,
        )
        return f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}::{made}"


@dataclass(frozen=True, slots=True)
class Told:
    """One frame of news: what happened to a link, with the order behind it as it then was."""

    event: str
    link: Link
    order: SimOrder
    trade: SimTrade | None = None


class Chains:
    """Every link, by its own id and by the order behind it. Any thread may call."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self._broker = broker
        self._lock = threading.RLock()
        self._chains: dict[str, list[Link]] = {}
        self._links: dict[str, Link] = {}
        self._fills: dict[str, Filled] = {}
        self._activities: dict[str, int] = {}
        self._listeners: list[Callable[[Told], None]] = []
        broker.use_order_ids(order_id)
        broker.subscribe(self._hear)

    def listen(self, listener: Callable[[Told], None]) -> None:
        self._listeners.append(listener)

    def forget(self) -> None:
        with self._lock:
            self._chains.clear()
            self._links.clear()
            self._fills.clear()
            self._activities.clear()

    def links(self, order: SimOrder) -> list[Link]:
        """Return the order's links, first to last; an order of before a reset is forgotten."""
        with self._lock:
            chain = self._chains.get(order.order_id)
            if chain is None or chain[0].created_at != order.placed_at:
                name = order.tag or str(uuid4())
                first = Link(order.order_id, order.order_id, name, order.placed_at, terms_of(order))
                chain = self._chains[order.order_id] = [first]
                self._links[first.wire_id] = first
            return list(chain)

    def filled(self, trade: SimTrade) -> Filled:
        """Return what a fill did, which was told here before anybody could ask."""
        with self._lock:
            return self._fills[trade.trade_id]

    def trade_number(self, activity_id: str) -> int | None:
        with self._lock:
            return self._activities.get(activity_id)

    def find(self, wire_id: str) -> Link | None:
        with self._lock:
            return self._links.get(wire_id)

    def named(self, client_order_id: str) -> Link | None:
        with self._lock:
            known = (each for chain in self._chains.values() for each in chain)
            return next((each for each in known if each.client_order_id == client_order_id), None)

    def begin_change(self, link: Link, terms: Terms, name: str, *, at: datetime) -> Link:
        """Make the order that is to take the link's place; it does once the exchange says so."""
        new = Link(str(uuid4()), link.core_id, name or str(uuid4()), at, terms)
        new.state, new.replaces = WAITING, link.wire_id
        with self._lock:
            self._chains[link.core_id].append(new)
            self._links[new.wire_id] = new
        return new

    def settle(self, core_id: str, order: SimOrder) -> None:
        """Let a change that waits take effect, or fail where the order filled before."""
        with self._lock:
            chain = self._chains[core_id]
            waiting = [each for each in chain if each.state == WAITING]
            if not waiting or order.state is OrderState.MODIFY_PENDING:
                return
            new = waiting[-1]
            old = next(each for each in chain if each.wire_id == new.replaces)
            if order.state.is_final:
                new.state, new.ended_at = REJECTED, order.updated_at
                told = [Told("rejected", new, order), Told("order_replace_rejected", old, order)]
            else:
                old.state, old.replaced_by, old.ended_at = REPLACED, new.wire_id, order.updated_at
                new.state = CURRENT
                told = [Told("replaced", old, order)]
        for each in told:
            self._tell(each)

    def current(self, order: SimOrder) -> Link:
        return next(each for each in reversed(self.links(order)) if each.state == CURRENT)

    def _hear(self, event: SimEvent) -> None:
        if isinstance(event, TradeEvent):
            link = self.current(event.order)
            with self._lock:
                filled = link.fill(event.trade)
                self._fills[event.trade.trade_id] = filled
                self._activities[filled.activity_id] = int(event.trade.trade_id)
            name = "fill" if event.order.state is OrderState.COMPLETE else "partial_fill"
            self._tell(Told(name, link, event.order, event.trade))
        elif isinstance(event, OrderEvent):
            self.links(event.order)
            self.settle(event.order.order_id, event.order)
            name = _EVENTS.get(event.order.state, "")
            if name:
                self._tell(Told(name, self.current(event.order), event.order))

    def _tell(self, told: Told) -> None:
        for listener in tuple(self._listeners):
            listener(told)


_EVENTS = {
    OrderState.OPEN_PENDING: "pending_new",
    OrderState.AMO_RECEIVED: "accepted",
    OrderState.OPEN: "new",
    OrderState.TRIGGER_PENDING: "new",
    OrderState.CANCELLED: "canceled",
    OrderState.REJECTED: "rejected",
    OrderState.EXPIRED: "expired",
    OrderState.CANCEL_PENDING: "pending_cancel",
    OrderState.MODIFY_PENDING: "pending_replace",
}
