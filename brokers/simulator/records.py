"""What the simulated broker is told and what it tells: frozen, so that any thread may keep them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from brokers.simulator.instruments import SimInstrument
from brokers.terms import OrderType, Product, Side, Validity


class OrderState(StrEnum):
    """Every state an order can be seen in; each wire app has its own broker's words for them."""

    RECEIVED = "RECEIVED"
    VALIDATING = "VALIDATING"
    OPEN_PENDING = "OPEN_PENDING"
    OPEN = "OPEN"
    TRIGGER_PENDING = "TRIGGER_PENDING"
    PARTIAL = "PARTIAL"
    COMPLETE = "COMPLETE"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    AMO_RECEIVED = "AMO_RECEIVED"
    MODIFY_PENDING = "MODIFY_PENDING"
    CANCEL_PENDING = "CANCEL_PENDING"

    @property
    def is_final(self) -> bool:
        return self in _FINAL


_FINAL = (OrderState.COMPLETE, OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED)


class Session(StrEnum):
    """Whether the simulated exchange trades; it has no calendar, somebody switches it."""

    OPEN = "open"
    CLOSED = "closed"
    PRE_OPEN = "pre_open"


@dataclass(frozen=True, slots=True)
class SimOrderRequest:
    """One order as it came over the wire. ``extra`` is echoed: a wire app keeps its words there."""

    tag: str
    instrument_token: str
    side: Side
    quantity: int
    order_type: OrderType
    product: Product
    validity: Validity = Validity.DAY
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    disclosed: int = 0
    is_amo: bool = False
    variety: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SimChanges:
    """What to change of an order; None leaves a field as it is."""

    quantity: int | None = None
    order_type: OrderType | None = None
    validity: Validity | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    disclosed: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was done. ``code`` is a value of the paper broker's ``Proof`` or one of ours.

    For want of money ``needed`` and ``available`` are told, since each broker words it anew.
    """

    code: str
    words: str
    needed: Decimal | None = None
    available: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SimOrder:
    """One order at one moment. ``sequence`` grows by one with each change of this order."""

    order_id: str
    exchange_order_id: str
    client: str
    instrument: SimInstrument
    tag: str
    side: Side
    quantity: int
    order_type: OrderType
    product: Product
    validity: Validity
    price: Decimal | None
    trigger_price: Decimal | None
    disclosed: int
    is_amo: bool
    variety: str
    extra: Mapping[str, str]
    state: OrderState
    filled_quantity: int
    average_price: Decimal
    message: str
    placed_at: datetime
    updated_at: datetime
    sequence: int
    is_external: bool

    @property
    def pending_quantity(self) -> int:
        """What may still trade; nothing of an order that is over."""
        return 0 if self.state.is_final else self.quantity - self.filled_quantity

    @property
    def cancelled_quantity(self) -> int:
        ended = self.state in (OrderState.CANCELLED, OrderState.EXPIRED)
        return self.quantity - self.filled_quantity if ended else 0


@dataclass(frozen=True, slots=True)
class SimTrade:
    """One fill; ``trade_id`` is unique at this broker."""

    trade_id: str
    exchange_trade_id: str
    order_id: str
    exchange_order_id: str
    client: str
    instrument: SimInstrument
    side: Side
    product: Product
    quantity: int
    price: Decimal
    traded_at: datetime


@dataclass(frozen=True, slots=True)
class SimPosition:
    """Today's net position of one instrument under one product; values are price x quantity."""

    instrument: SimInstrument
    product: Product
    quantity: int
    average_price: Decimal
    buy_quantity: int
    sell_quantity: int
    buy_value: Decimal
    sell_value: Decimal
    carried_quantity: int
    realized: Decimal
    unrealized: Decimal
    last_price: Decimal


@dataclass(frozen=True, slots=True)
class SimHolding:
    """Shares from earlier days: ``quantity`` settled, ``t1_quantity`` not yet."""

    instrument: SimInstrument
    quantity: int
    t1_quantity: int
    average_price: Decimal
    last_price: Decimal
    close: Decimal


@dataclass(frozen=True, slots=True)
class SimFunds:
    """Money: cash less what orders and positions block is what is available."""

    opening_balance: Decimal
    cash: Decimal
    blocked_by_orders: Decimal
    blocked_by_positions: Decimal
    available: Decimal
    realized: Decimal
    unrealized: Decimal

    @property
    def used(self) -> Decimal:
        return self.blocked_by_orders + self.blocked_by_positions


@dataclass(frozen=True, slots=True)
class DepthLevel:
    price: Decimal
    quantity: int
    orders: int


@dataclass(frozen=True, slots=True)
class SimQuote:
    """The market of one instrument: ``close`` is the previous day's, ``volume`` the whole day's."""

    instrument: SimInstrument
    last_price: Decimal
    last_quantity: int
    average_price: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    bids: tuple[DepthLevel, ...]
    asks: tuple[DepthLevel, ...]
    open_interest: int
    lower_circuit: Decimal
    upper_circuit: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class SimCandle:
    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    open_interest: int = 0


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """An order changed; every state of its history is told, in order."""

    order: SimOrder


@dataclass(frozen=True, slots=True)
class TradeEvent:
    """A fill; ``order`` is the order after it. Its OrderEvent follows at once."""

    trade: SimTrade
    order: SimOrder


@dataclass(frozen=True, slots=True)
class TickEvent:
    """A price moved."""

    quote: SimQuote


SimEvent = OrderEvent | TradeEvent | TickEvent
