"""One order inside the simulator, with every state it went through."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from brokers.adapters.paper.matching import WorkingOrder
from brokers.simulator.instruments import SimInstrument
from brokers.simulator.records import (
    OrderState,
    SimChanges,
    SimEvent,
    SimOrder,
    SimOrderRequest,
)
from brokers.terms import OrderType, Validity

_AVERAGE_UNIT = Decimal("0.0001")


@dataclass(slots=True)
class LiveOrder:
    """The mutable order; only the exchange touches it, under its lock."""

    number: int
    order_id: str
    client: str
    instrument: SimInstrument
    request: SimOrderRequest
    placed_at: datetime
    live_at: datetime
    visible_at: datetime
    is_external: bool = False
    state: OrderState = OrderState.RECEIVED
    filled: int = 0
    turnover: Decimal = Decimal(0)
    message: str = ""
    updated_at: datetime | None = None
    sequence: int = 0
    blocked: Decimal = Decimal(0)
    cap: Decimal | None = None
    is_triggered: bool = False
    is_resting: bool = False
    splits: int = 0
    is_cancelling: bool = False
    pending_change: SimChanges | None = None
    pending_at: datetime | None = None
    exchange_order_id: str = ""
    withheld: list[SimEvent] = field(default_factory=list)
    history: list[SimOrder] = field(default_factory=list)

    @property
    def remaining(self) -> int:
        return self.request.quantity - self.filled

    @property
    def is_working(self) -> bool:
        return not self.state.is_final

    @property
    def is_at_exchange(self) -> bool:
        return self.state in _AT_EXCHANGE

    @property
    def resting_state(self) -> OrderState:
        """The state an order has at the exchange when nothing is being asked of it."""
        if self.filled:
            return OrderState.PARTIAL
        waits = self.request.order_type.needs_trigger and not self.is_triggered
        return OrderState.TRIGGER_PENDING if waits else OrderState.OPEN

    def move(self, state: OrderState, *, at: datetime, message: str | None = None) -> SimOrder:
        """Go to a state, note it in the history and return the order as it now is."""
        self.state = state
        self.updated_at = at
        self.sequence += 1
        if message is not None:
            self.message = message
        if self.is_at_exchange and not self.exchange_order_id:
            self.exchange_order_id = str(1_100_000_000_000_000 + self.number)
        seen = self.snapshot()
        self.history.append(seen)
        return seen

    def as_judged(self, asked: SimOrderRequest) -> SimOrderRequest:
        """Return the changed order as what it is by now: a triggered stop's trigger is spent."""
        spent = {OrderType.SL: OrderType.LIMIT, OrderType.SL_M: OrderType.MARKET}
        order_type = spent.get(asked.order_type, asked.order_type)
        is_amo = self.state is OrderState.AMO_RECEIVED
        return replace(
            asked,
            order_type=order_type if self.is_triggered else asked.order_type,
            disclosed=min(asked.disclosed, asked.quantity),
            is_amo=is_amo,
        )

    def change(self, changes: SimChanges) -> None:
        self.request = changed(self.request, changes)

    def working(self) -> WorkingOrder:
        request, instrument = self.request, self.instrument
        return WorkingOrder(
            number=self.number,
            side=request.side,
            instrument_type=instrument.kind,
            lot_size=instrument.lot,
            tick_size=instrument.tick,
            order_type=request.order_type,
            validity=Validity(request.validity),
            remaining=self.remaining,
            live_at=self.live_at,
            limit=request.price if request.order_type.needs_price else self.cap,
            trigger=request.trigger_price,
            is_triggered=self.is_triggered,
            is_resting=self.is_resting,
        )

    def snapshot(self) -> SimOrder:
        request = self.request
        average = (self.turnover / self.filled).quantize(_AVERAGE_UNIT) if self.filled else _ZERO
        return SimOrder(
            order_id=self.order_id,
            exchange_order_id=self.exchange_order_id,
            client=self.client,
            instrument=self.instrument,
            tag=request.tag,
            side=request.side,
            quantity=request.quantity,
            order_type=request.order_type,
            product=request.product,
            validity=request.validity,
            price=request.price,
            trigger_price=request.trigger_price,
            disclosed=request.disclosed,
            is_amo=request.is_amo,
            variety=request.variety,
            extra=request.extra,
            state=self.state,
            filled_quantity=self.filled,
            average_price=average,
            message=self.message,
            placed_at=self.placed_at,
            updated_at=self.updated_at or self.placed_at,
            sequence=self.sequence,
            is_external=self.is_external,
        )


def changed(request: SimOrderRequest, changes: SimChanges) -> SimOrderRequest:
    """Return the order as it would be; a price its new type has no use for is dropped."""
    order_type = OrderType(changes.order_type or request.order_type)
    price = request.price if changes.price is None else changes.price
    trigger = request.trigger_price if changes.trigger_price is None else changes.trigger_price
    return replace(
        request,
        quantity=request.quantity if changes.quantity is None else changes.quantity,
        order_type=order_type,
        validity=changes.validity or request.validity,
        price=price if order_type.needs_price else None,
        trigger_price=trigger if order_type.needs_trigger else None,
        disclosed=request.disclosed if changes.disclosed is None else changes.disclosed,
    )


_ZERO = Decimal(0)
_AT_EXCHANGE = (
    OrderState.OPEN,
    OrderState.TRIGGER_PENDING,
    OrderState.PARTIAL,
    OrderState.MODIFY_PENDING,
    OrderState.CANCEL_PENDING,
)
