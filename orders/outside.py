"""Orders from outside, and what their fills close here.

Strategies stand a floor above the orders, so they hear of it by a signal, inside the transaction
that books the fill: a position is never closed without its strategy having been stopped.
"""

import uuid
from collections.abc import Callable, Iterable
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


def parts_by_book(
    order: Order, trade: Trade, books: Callable[[], Iterable[OpenBook]]
) -> tuple[FillPart, ...]:
    """Split an outside order's trade over what the strategies hold.

    Empty where there is nothing to split: an order placed here is its strategy's, or by hand.
    """
    if order.source not in FROM_OUTSIDE or order.user_strategy_id is not None:
        return ()
    parts = split_over_books(Side(trade.side), trade.quantity, books())
    return parts if any(part.user_strategy_id for part in parts) else ()


def record_parts(
    order: Order, split: Iterable[tuple[Trade, tuple[FillPart, ...]]], *, now: datetime
) -> None:
    """Write how an order's trades were split, and tell each strategy once that it is being closed.

    The trades and what they did to the positions have been written.
    """
    rows = [
        TradePart(trade=trade, user_strategy_id=part.user_strategy_id, quantity=part.quantity)
        for trade, parts in split
        for part in parts
    ]
    if not rows:
        return
    before = TradePart.objects.filter(trade__order=order).exclude(user_strategy=None)
    told = set(before.values_list("user_strategy_id", flat=True))
    TradePart.objects.bulk_create(rows)
    for row in rows:
        strategy_id = row.user_strategy_id
        if strategy_id is None or strategy_id in told:
            continue
        told.add(strategy_id)
        closing = ClosedOutside(
            order,
            strategy_id,
            sum(each.quantity for each in rows if each.user_strategy_id == strategy_id),
            _left(row.trade, strategy_id),
            now,
            is_square_off=_is_square_off(row.trade),
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
