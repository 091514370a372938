"""What risk is asked to judge, and how it answers."""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from brokers.models import TradingAccount
from brokers.terms import OrderType, Product, Side
from market.models import Instrument


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order that somebody would like to send.

    ``reference_price`` is the price to judge it at (limit price, else the last price), None when
    nobody knows one; ``margin`` is what it would block; ``available`` is the broker's free money
    as of ``available_as_of``, None when unknown. ``cloud`` says what is not known of another order
    of this instrument, empty when nothing; ``reduce_only`` that it may only close its own book.
    ``list_complaint`` says what speaks against the broker's instrument list, empty when nothing.
    ``only_smaller`` is a change of an order that takes off quantity and leaves its prices alone.
    """

    order_id: uuid.UUID
    account: TradingAccount
    instrument: Instrument
    user_strategy_id: uuid.UUID | None
    side: Side
    product: Product
    order_type: OrderType
    quantity: int
    reference_price: Decimal | None
    margin: Decimal | None
    available: Decimal | None
    available_as_of: datetime | None
    session_date: date
    cloud: str = ""
    reduce_only: bool = False
    list_complaint: str = ""
    only_smaller: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason against, in words a trader can act on."""

    kind: str
    message: str
    actual: Decimal | None = None
    limit: Decimal | None = None
    rule_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    is_exit: bool
    refusals: tuple[Refusal, ...] = field(default_factory=tuple)

    @property
    def is_allowed(self) -> bool:
        return not self.refusals
