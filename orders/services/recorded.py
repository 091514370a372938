"""Write down what changed a position without anybody's order: an order row of its own, one trade.

So it shows in the history like everything else, and the books stay a fold over trades.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from brokers.gateway import TradeReport
from brokers.models import TradingAccount
from brokers.terms import OrderType, Product, Side
from market.models import Instrument
from operations.ids import new_order_tag
from orders.models import EventSource, Order, OrderSource
from orders.services.sending import locked_order
from orders.services.trading import record_trade
from orders.services.transitions import Note, add_event
from orders.states import OrderStatus


@dataclass(frozen=True, slots=True)
class Change:
    """What changed, and by whose word. ``quantity`` is signed; ``key`` lets it be written once."""

    account: TradingAccount
    instrument: Instrument
    product: Product
    quantity: int
    price: Decimal
    source: OrderSource
    key: str
    trade_id: str
    told_by: EventSource
    event: str
    words: str
    reason: str
    user_strategy_id: uuid.UUID | None = None
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def side(self) -> Side:
        return Side.BUY if self.quantity > 0 else Side.SELL


def record_change(change: Change, *, traded_at: datetime, now: datetime) -> Order:
    """Book the change, part of the caller's transaction, which holds the account's lock.

    :raises IntegrityError: when it has been written before; nothing is changed.
    :raises CalendarUnknown: when no calendar says to which session it belongs.
    """
    order = _write_order(change, now=now)
    trade = TradeReport(
        trade_id=change.trade_id,
        broker_order_id="",
        instrument_key=change.instrument.key,
        side=change.side,
        product=change.product,
        quantity=abs(change.quantity),
        price=change.price,
        traded_at=traded_at,
    )
    record_trade(locked_order(order.pk), trade, source=EventSource.RECONCILE, now=now)
    return order


def _write_order(change: Change, *, now: datetime) -> Order:
    order = Order.objects.create(
        workspace_id=change.account.workspace_id,
        user=change.account.connection.user,
        account=change.account,
        instrument=change.instrument,
        user_strategy_id=change.user_strategy_id,
        source=change.source,
        tag=new_order_tag(now),
        idempotency_key=change.key,
        request_hash="",
        side=change.side,
        order_type=OrderType.MARKET,
        product=change.product,
        quantity=abs(change.quantity),
        status=OrderStatus.PLACED,
        error_message=change.reason,
        expires_at=now,
        created_at=now,
    )
    note = Note(change.event, change.told_by, now, change.words, dict(change.data))
    add_event(order, note=note, from_status="", now=now)
    order.save(update_fields=["event_count"])
    return order
