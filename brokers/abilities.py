"""What some brokers can do besides the port: each ability is a protocol of its own.

A gateway has an ability by having its methods; :func:`isinstance` tells. Reads raise
:class:`brokers.gateway.GatewayUnavailable` when the answer is not complete, writes answer an
:data:`brokers.gateway.Outcome`, as the port's own do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from brokers.capabilities import TriggerKind
from brokers.gateway import InstrumentRef, OrderReport, Outcome, PlaceRequest
from brokers.terms import OrderType, Product, Side


@dataclass(frozen=True, slots=True)
class Profile:
    """Whose account it is. ``permissions`` are the broker's own words for what it may trade."""

    client_code: str
    name: str
    email: str = ""
    exchanges: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    token_valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DepthLevel:
    price: Decimal
    quantity: int
    orders: int = 0


@dataclass(frozen=True, slots=True)
class QuoteReport:
    """One instrument's price now; what the broker leaves out is None."""

    key: str
    ltp: Decimal
    at: datetime
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    previous_close: Decimal | None = None
    volume: int | None = None
    average_price: Decimal | None = None
    open_interest: int | None = None
    lower_circuit: Decimal | None = None
    upper_circuit: Decimal | None = None
    bids: tuple[DepthLevel, ...] = ()
    asks: tuple[DepthLevel, ...] = ()


@dataclass(frozen=True, slots=True)
class CandleRequest:
    """``interval`` is of the house: 1m 3m 5m 10m 15m 30m 1h 1d; both ends are included."""

    instrument: InstrumentRef
    interval: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class BrokerCandle:
    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    open_interest: int | None = None


@dataclass(frozen=True, slots=True)
class OptionRow:
    """One contract of an option chain. ``iv`` is in percent a year; greeks as the broker tells."""

    token: str
    strike: Decimal
    is_call: bool
    ltp: Decimal | None
    open_interest: int | None = None
    volume: int | None = None
    iv: Decimal | None = None
    greeks: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConvertRequest:
    """Move part of a position to another product; ``side`` is the position's own."""

    instrument: InstrumentRef
    side: Side
    quantity: int
    old_product: Product
    new_product: Product
    is_overnight: bool = False


@dataclass(frozen=True, slots=True)
class TriggerLeg:
    """What is sent once ``trigger_price`` is reached: always a limit order."""

    trigger_price: Decimal
    price: Decimal
    quantity: int


@dataclass(frozen=True, slots=True)
class TriggerRequest:
    """A good-till-triggered order (Kite GTT, Dhan forever, Angel rule): one leg, or two for OCO.

    The first leg of an OCO is the stop below, the second the target above the last price.
    """

    tag: str
    instrument: InstrumentRef
    side: Side
    product: Product
    kind: TriggerKind
    legs: tuple[TriggerLeg, ...]
    last_price: Decimal
    order_type: OrderType = OrderType.LIMIT


class TriggerStatus(StrEnum):
    ACTIVE = "ACTIVE"
    TRIGGERED = "TRIGGERED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class TriggerReport:
    """A standing trigger as the broker tells it; ``order_ids`` are the orders it has sent."""

    trigger_id: str
    instrument_key: str
    side: Side
    product: Product
    kind: TriggerKind
    status: TriggerStatus
    legs: tuple[TriggerLeg, ...]
    updated_at: datetime | None = None
    order_ids: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class BracketRequest:
    """An entry with its own exits: ``stop_loss`` always, ``target`` for a bracket order.

    Both are prices, not distances; ``trailing`` is the step the stop follows by.
    """

    entry: PlaceRequest
    stop_loss: Decimal
    target: Decimal | None = None
    trailing: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SaleAuthorisation:
    """What a depository still wants before shares may be sold (eDIS)."""

    isin: str
    quantity: int
    approved_quantity: int
    words: str = ""


@runtime_checkable
class TellsProfile(Protocol):
    def profile(self) -> Profile: ...


@runtime_checkable
class TellsHistory(Protocol):
    def history(self, broker_order_id: str) -> Sequence[OrderReport]:
        """Return every state the broker kept of one order of today, oldest first."""
        ...


@runtime_checkable
class FindsTags(Protocol):
    def order_by_tag(self, tag: str) -> OrderReport | None:
        """Look one order up by our tag; None is a good answer that says it is not there."""
        ...


@runtime_checkable
class Quotes(Protocol):
    def quotes(self, instruments: Sequence[InstrumentRef]) -> Mapping[str, QuoteReport]:
        """Return prices by key; an instrument the broker does not know is absent."""
        ...


@runtime_checkable
class TellsCandles(Protocol):
    def candles(self, request: CandleRequest) -> Sequence[BrokerCandle]: ...


@runtime_checkable
class TellsOptionChain(Protocol):
    def option_chain(self, underlying: InstrumentRef, expiry: date) -> Sequence[OptionRow]: ...


@runtime_checkable
class Converts(Protocol):
    def convert(self, request: ConvertRequest) -> Outcome: ...


@runtime_checkable
class KeepsTriggers(Protocol):
    def place_trigger(self, request: TriggerRequest) -> Outcome: ...

    def modify_trigger(self, trigger_id: str, request: TriggerRequest) -> Outcome: ...

    def cancel_trigger(self, trigger_id: str, instrument: InstrumentRef) -> Outcome: ...

    def triggers(self) -> Sequence[TriggerReport]: ...


@runtime_checkable
class TakesBrackets(Protocol):
    def place_bracket(self, request: BracketRequest) -> Outcome: ...

    def cancel_bracket(self, broker_order_id: str) -> Outcome: ...


@runtime_checkable
class Slices(Protocol):
    def place_sliced(self, request: PlaceRequest) -> Sequence[Outcome]:
        """Send an order above the freeze quantity in the broker's own slices; one answer each."""
        ...


@runtime_checkable
class AuthorisesSales(Protocol):
    def sale_authorisations(self) -> Sequence[SaleAuthorisation]: ...

    def authorisation_page(self, isin: str, quantity: int) -> str:
        """Return the address (or the form's HTML) where the person approves the sale."""
        ...
