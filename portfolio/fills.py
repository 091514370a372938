"""What the order book tells the books of account about one fill."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from brokers.models import TradingAccount
from brokers.terms import Product, Side
from market.models import Instrument


@dataclass(frozen=True, slots=True)
class FillPart:
    """How much of a fill belongs in one strategy's book; without a strategy, the account's own."""

    user_strategy_id: uuid.UUID | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade to book. ``quantity_before`` counts what the same order had filled already, since
    charges are worked out on an order's whole turnover. Its ``parts`` say how it is split over
    several books, where it is; then ``user_strategy_id`` says nothing. ``is_adjustment`` tells that
    it brings the books to what the broker holds: what that was charged, nobody will ever know.
    ``is_settlement`` tells that the exchange ended an expired contract, at any price from 0."""

    trade_id: uuid.UUID
    order_id: uuid.UUID
    account: TradingAccount
    instrument: Instrument
    user_strategy_id: uuid.UUID | None
    product: Product
    side: Side
    quantity: int
    price: Decimal
    traded_at: datetime
    session_date: date
    quantity_before: int = 0
    value_before: Decimal = Decimal(0)
    parts: tuple[FillPart, ...] = ()
    is_adjustment: bool = False
    is_settlement: bool = False
