"""What the order book tells the books of account about one fill."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from brokers.models import TradingAccount
from brokers.terms import Product, Side
from market.models import Instrument


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade to book. ``ordered_before`` counts what the same order had filled already, since
    charges are worked out on an order's whole turnover."""

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
