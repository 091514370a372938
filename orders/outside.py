"""Orders from outside, and what their fills close here.

Strategies stand a floor above the orders, so they hear of it by a signal, inside the transaction
that books the fill: a position is never closed without its strategy having been stopped.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.dispatch import Signal

from brokers.terms import Product, Side
from brokers.venue import IST, installed_venue
from orders.models import Order, OrderSource, Trade, TradePart
from portfolio.fills import FillPart
from portfolio.models import Position
from portfolio.splitting import OpenBook, split_over_books

# Nobody here placed them, so no strategy is named and the books they close are worked out.
FROM_OUTSIDE = (OrderSource.EXTERNAL, OrderSource.ADJUSTMENT)

# Sent with ``closing: ClosedOutside``, once for each strategy and outside order.
strategy_closed_outside = Signal()


@dataclass(frozen=True, slots=True)
class ClosedOutside:
    """A strategy's position that an order from outside has begun to close.

    ``is_square_off`` tells that it was expected: intraday, at or after the hour from which brokers
    close such positions by force.
    """

    order: Order
    user_strategy_id: uuid.UUID
    quantity: int
    left: int
    now: datetime
    is_square_off: bool = False


def parts_by_book(trade: Trade) -> tuple[FillPart, ...]:
    """Split an outside order's trade over the open books; the caller holds the account's lock.

    Empty where there is nothing to split: an order placed here is its strategy's, or by hand.
    """
    if trade.order.source not in FROM_OUTSIDE or trade.order.user_strategy_id is not None:
        return ()
    held = Position.objects.filter(
        account=trade.account, instrument=trade.instrument, product=Product(trade.product)
    ).exclude(user_strategy=None)
    books = [
        OpenBook(strategy, quantity, opened_at, key)
        for strategy, quantity, opened_at, key in held.open().values_list(
            "user_strategy_id", "quantity", "opened_at", "pk"
        )
    ]
    parts = split_over_books(Side(trade.side), trade.quantity, books)
    return parts if any(part.user_strategy_id for part in parts) else ()


def record_parts(trade: Trade, parts: tuple[FillPart, ...], *, now: datetime) -> None:
    """Write how a trade was split, and tell each strategy once that it is being closed."""
    for part in parts:
        strategy_id = part.user_strategy_id
        others = TradePart.objects.filter(trade__order=trade.order, user_strategy=strategy_id)
        is_told = strategy_id is None or others.exists()
        TradePart.objects.create(trade=trade, user_strategy_id=strategy_id, quantity=part.quantity)
        if strategy_id is not None and not is_told:
            left = _left(trade, strategy_id)
            closing = ClosedOutside(
                trade.order,
                strategy_id,
                part.quantity,
                left,
                now,
                is_square_off=_is_square_off(trade),
            )
            strategy_closed_outside.send(sender=TradePart, closing=closing)


def _left(trade: Trade, strategy_id: uuid.UUID) -> int:
    position = Position.objects.filter(
        account=trade.account,
        instrument=trade.instrument,
        product=trade.product,
        user_strategy=strategy_id,
    )
    return abs(position.open().values_list("quantity", flat=True).first() or 0)


def _is_square_off(trade: Trade) -> bool:
    if trade.product != Product.MIS:
        return False
    at = installed_venue().square_off_time(trade.instrument.ref(), trade.session_date)
    return at is not None and trade.traded_at >= datetime.combine(trade.session_date, at, IST)
