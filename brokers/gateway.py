"""The port between Pinnacle and a broker: frozen messages in, frozen messages out.

Quantities are integers of the traded unit, prices are Decimals in the instrument's currency,
times are aware. No Django model crosses this border, so an adapter can be tested, replaced or
run in another process without the rest of the house.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from brokers.capabilities import Capabilities
from brokers.terms import InstrumentType, OrderType, Product, Segment, Side, Validity


@dataclass(frozen=True, slots=True)
class InstrumentRef:
    """What a broker must know of an instrument.

    ``token``, ``broker_symbol`` and ``broker_exchange`` are that broker's own number, name and
    exchange for it, as its master told them; without a number nothing can be sent to it.
    """

    key: str
    exchange: str
    segment: Segment
    trading_symbol: str
    instrument_type: InstrumentType
    lot_size: int
    tick_size: Decimal
    token: str = ""
    freeze_quantity: int | None = None
    expiry: date | None = None
    currency: str = "INR"
    strike: Decimal | None = None
    broker_symbol: str = ""
    broker_exchange: str = ""


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """One order to send. ``tag`` is ours, 20 characters, and the only way to find it again.

    ``is_exit`` says that it only reduces a position, which nothing but the broker may hold back.
    """

    tag: str
    instrument: InstrumentRef
    side: Side
    quantity: int
    order_type: OrderType
    product: Product
    validity: Validity
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    disclosed_quantity: int = 0
    is_amo: bool = False
    is_exit: bool = False


@dataclass(frozen=True, slots=True)
class ModifyRequest:
    """The whole order as it shall be; the broker replaces what differs.

    ``is_exit`` says that the order only reduces a position, see :class:`PlaceRequest`.
    """

    broker_order_id: str
    instrument: InstrumentRef
    order_type: OrderType
    validity: Validity
    quantity: int
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    is_amo: bool = False
    is_exit: bool = False


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """The order to take back, with what some brokers want to be told of it once more."""

    broker_order_id: str
    instrument: InstrumentRef
    order_type: OrderType
    is_amo: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker has the order and named it."""

    broker_order_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker proved that it did not take the order; ``proof`` is its own code or words."""

    reason: str
    proof: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything else: it may be live. Look the tag up; never send again."""

    evidence: str


Outcome = Accepted | Refused | Unknown


class BrokerStatus(StrEnum):
    """A broker's status words, translated by its adapter."""

    PLACED = "PLACED"
    QUEUED_AMO = "QUEUED_AMO"
    OPEN = "OPEN"
    TRIGGER_PENDING = "TRIGGER_PENDING"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class OrderReport:
    """The state of one order as the broker tells it, by whatever channel.

    ``sequence`` grows with each change of this order at the broker, 0 where it has no number.
    """

    broker_order_id: str
    tag: str
    instrument_key: str
    side: Side
    order_type: OrderType
    product: Product
    validity: Validity
    status: BrokerStatus
    quantity: int
    filled_quantity: int
    updated_at: datetime
    average_price: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    message: str = ""
    exchange_order_id: str = ""
    sequence: int = 0
    placed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TradeReport:
    """One fill. ``trade_id`` is unique within the account at its broker."""

    trade_id: str
    broker_order_id: str
    instrument_key: str
    side: Side
    product: Product
    quantity: int
    price: Decimal
    traded_at: datetime
    exchange_trade_id: str = ""


@dataclass(frozen=True, slots=True)
class AccountUpdate:
    """What changed at the broker for one account, told without being asked."""

    account_id: UUID
    orders: tuple[OrderReport, ...]
    trades: tuple[TradeReport, ...]


@dataclass(frozen=True, slots=True)
class PositionReport:
    """Today's net position. Delivery buys and sells of today are here, not in the holdings."""

    instrument_key: str
    product: Product
    quantity: int
    average_price: Decimal
    buy_quantity: int = 0
    sell_quantity: int = 0
    realized_pnl: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class HoldingReport:
    """Shares from earlier days: ``quantity`` settled, ``t1_quantity`` bought and not yet settled.

    They add up to what the account owned at the start of the day.
    """

    instrument_key: str
    quantity: int
    t1_quantity: int
    average_price: Decimal
    collateral_quantity: int = 0


@dataclass(frozen=True, slots=True)
class FundsReport:
    """Money in the account's currency. ``cash`` is the settled ledger balance."""

    cash: Decimal
    margin_used: Decimal
    available: Decimal
    opening_balance: Decimal
    collateral: Decimal = Decimal(0)
    withdrawable: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Margin:
    """What one order would block: total = span + exposure + var, in the account's currency."""

    total: Decimal
    span: Decimal = Decimal(0)
    exposure: Decimal = Decimal(0)
    var: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class QuoteTick:
    """A price as a feed tells it. ``volume`` is what traded since this feed's previous tick."""

    key: str
    ltp: Decimal
    at: datetime
    volume: int = 0
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_quantity: int = 0
    ask_quantity: int = 0
    open_interest: int | None = None


class GatewayUnavailable(Exception):
    """A read failed. It proves nothing: not "no orders", not "flat"."""


class AnswerUnreadable(GatewayUnavailable):
    """The broker answered, and what it said has no meaning here."""


class Gateway(Protocol):
    """One account at one broker. Writes answer an Outcome and never raise; reads raise
    :class:`GatewayUnavailable` when there is no good answer.

    A row of a list that cannot be read is left out of it and named beside it: see
    :class:`brokers.rows.Listed`.
    """

    def place(self, request: PlaceRequest) -> Outcome: ...

    def modify(self, request: ModifyRequest) -> Outcome: ...

    def cancel(self, request: CancelRequest) -> Outcome: ...

    def orders(self) -> Sequence[OrderReport]: ...

    def trades(self) -> Sequence[TradeReport]: ...

    def positions(self) -> Sequence[PositionReport]: ...

    def holdings(self) -> Sequence[HoldingReport]: ...

    def funds(self) -> FundsReport: ...

    def margin(self, request: PlaceRequest) -> Margin: ...

    def capabilities(self, segment: Segment) -> Capabilities | None: ...
