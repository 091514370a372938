"""Keep an activation's figures equal to its orders and trades."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, F, Q, QuerySet, Sum

from brokers.models import TradingAccount
from operations.events import publish
from orders.models import Order
from orders.states import OrderStatus
from portfolio.models import Position
from strategies.models import UserStrategy

# An activation that was stopped may still have its last exits filled, or settled by its broker.
_WATCHED_AFTER_STOP = timedelta(days=3)


def refresh_results(now: datetime, *, accounts: Collection[TradingAccount] | None = None) -> int:
    """Work orders, successes and P&L after charges out again; return how many rows changed.

    Orders that risk refused do not count. Derived from what is booked, so that a fill told twice,
    late or out of order cannot make them wrong.
    """
    watched = list(_watched(now, accounts))
    orders, profits = _order_counts(watched), _profits(watched)
    return sum(
        _write(each, orders.get(each.pk, (0, 0)), profits.get(each.pk, Decimal(0)), now=now)
        for each in watched
    )


def _watched(now: datetime, accounts: Collection[TradingAccount] | None) -> QuerySet[UserStrategy]:
    if accounts is not None:
        return UserStrategy.objects.filter(account__in=accounts)
    recent = Q(deactivated_at=None) | Q(deactivated_at__gte=now - _WATCHED_AFTER_STOP)
    return UserStrategy.objects.filter(recent, account__own_clock=False)


def _order_counts(watched: Collection[UserStrategy]) -> dict[uuid.UUID, tuple[int, int]]:
    rows = (
        Order.objects.filter(user_strategy__in=watched)
        .exclude(status=OrderStatus.DENIED)
        .order_by()
        .values_list("user_strategy_id")
        .annotate(total=Count("pk"), successful=Count("pk", filter=Q(filled_quantity__gt=0)))
    )
    return {activation: (total, successful) for activation, total, successful in rows}


def _profits(watched: Collection[UserStrategy]) -> dict[uuid.UUID, Decimal]:
    """From the books and not from its orders: an order from outside may close its position."""
    rows = (
        Position.objects.net()
        .filter(user_strategy__in=watched)
        .order_by()
        .values_list("user_strategy_id")
        .annotate(profit=Sum(F("realized_pnl") - F("charges")))
    )
    return {strategy: profit for strategy, profit in rows if strategy is not None}


def _write(
    activation: UserStrategy, counts: tuple[int, int], profit: Decimal, *, now: datetime
) -> int:
    known = (activation.total_orders, activation.successful_orders, activation.total_pnl)
    if known == (*counts, profit):
        return 0
    UserStrategy.objects.filter(pk=activation.pk).update(
        total_orders=counts[0], successful_orders=counts[1], total_pnl=profit
    )
    publish("strategies", workspace_id=activation.workspace_id, subject_id=activation.pk, now=now)
    return 1
