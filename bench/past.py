"""A year of a lively desk's orders, written in bulk, and what is open today."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice

from django.db import connection, models
from django.utils import timezone

from bench.desk import Desk, quote_shares
from brokers.terms import Side
from market.calendar import IST
from market.models import Interval
from operations.ids import new_id, new_order_tag
from orders.models import EventSource, Order, OrderEvent, OrderSource, Trade
from orders.states import OrderStatus
from portfolio.models import EquityPoint, Position
from strategies.models import Strategy, UserStrategy
from strategies.services import ActivationRequest, activate_strategy
from trading_site.live import MarketPipeline

ORDERS = 100_000
TRADES = 20_000
EVENTS_OF = 1_000  # orders that have events
PRICE = Decimal("1400.00")
QUANTITY = 10
STRATEGIES = ("price_breakout", "rsi_dmi")
_YEAR = timedelta(days=365)
_CHUNK = 10_000
_STATUSES = {
    OrderStatus.FILLED: 70,
    OrderStatus.CANCELLED: 20,
    OrderStatus.REJECTED: 6,
    OrderStatus.DENIED: 4,
}


def write_past(desk: Desk) -> None:
    """Write a year's orders, the newest ones' trades and events, and what is open today."""
    now = timezone.now()
    quote_shares(MarketPipeline())
    activations = _activate(desk, now)
    orders = list(_orders(desk, activations, now))
    _write(Order, iter(orders))
    filled = [order for order in orders if order.status == OrderStatus.FILLED]
    _write(Trade, map(_trade, filled[:TRADES]))
    _write(OrderEvent, (event for order in orders[:EVENTS_OF] for event in _events(order)))
    _write(Position, _positions(desk, now))
    _write(EquityPoint, _equity(desk, now))
    if connection.vendor == "postgresql":  # what its autovacuum does within minutes
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def _activate(desk: Desk, now: datetime) -> list[UserStrategy]:
    return [
        activate_strategy(
            ActivationRequest(
                strategy=Strategy.objects.get(slug=slug),
                account=desk.account,
                allocation=Decimal(10_000_000),
                instruments=desk.shares,
                interval=Interval.M1,
            ),
            user=desk.user,
            now=now,
        )
        for slug in STRATEGIES
    ]


def _write(model: type[models.Model], rows: Iterator[models.Model]) -> None:
    while chunk := list(islice(rows, _CHUNK)):
        model._default_manager.bulk_create(chunk, batch_size=1000)


def _orders(desk: Desk, activations: list[UserStrategy], now: datetime) -> Iterator[Order]:
    """Give the orders, newest first, evenly over the year; two in three are a strategy's."""
    chance = random.Random(1)
    statuses = chance.choices(list(_STATUSES), list(_STATUSES.values()), k=ORDERS)
    for number, status in enumerate(statuses):
        at = now - _YEAR * number / ORDERS
        is_filled = status == OrderStatus.FILLED
        asked_by = (None, *activations)[number % (1 + len(activations))]
        yield Order(
            workspace=desk.account.workspace,
            user=desk.user,
            account=desk.account,
            instrument=desk.shares[number % len(desk.shares)],
            user_strategy=asked_by,
            source=OrderSource.STRATEGY if asked_by else OrderSource.MANUAL,
            tag=new_order_tag(at),
            idempotency_key=str(new_id()),
            broker_order_id=str(number) if status != OrderStatus.DENIED else "",
            side=Side.BUY if number % 2 else Side.SELL,
            order_type="LIMIT",
            quantity=QUANTITY,
            price=PRICE,
            status=status,
            filled_quantity=QUANTITY if is_filled else 0,
            average_price=PRICE if is_filled else None,
            expires_at=at,
            closed_at=at,
            created_at=at,
        )


def _trade(order: Order) -> Trade:
    at = order.created_at
    return Trade(
        workspace=order.workspace,
        account=order.account,
        order=order,
        instrument=order.instrument,
        broker_trade_id=order.broker_order_id,
        side=order.side,
        product=order.product,
        quantity=order.quantity,
        price=PRICE,
        realized_pnl=Decimal("12.50"),
        brokerage=Decimal("4.20"),
        net_amount=PRICE * order.quantity,
        session_date=at.astimezone(IST).date(),
        traded_at=at,
        created_at=at,
    )


def _events(order: Order) -> Iterator[OrderEvent]:
    steps = (OrderStatus.PENDING, OrderStatus.SUBMITTING, OrderStatus.PLACED, order.status)
    for sequence, status in enumerate(steps, start=1):
        yield OrderEvent(
            order=order,
            sequence=sequence,
            event_type=status,
            event_source=EventSource.SYSTEM,
            to_status=status,
            occurred_at=order.created_at,
            recorded_at=order.created_at,
        )


def _positions(desk: Desk, now: datetime) -> Iterator[Position]:
    for share in desk.shares[:8]:
        yield Position(
            workspace=desk.account.workspace,
            user=desk.user,
            account=desk.account,
            instrument=share,
            product="MIS",
            session_date=now.astimezone(IST).date(),
            side="LONG",
            quantity=QUANTITY,
            open_cost=PRICE * QUANTITY,
            buy_quantity=QUANTITY,
            opened_at=now,
        )


def _equity(desk: Desk, now: datetime) -> Iterator[EquityPoint]:
    chance, net = random.Random(2), Decimal(0)
    for minute in range(300, 0, -1):
        net += Decimal(chance.randint(-200, 210))
        yield EquityPoint(
            account=desk.account,
            session_date=now.astimezone(IST).date(),
            at=now - timedelta(minutes=minute),
            net_pnl=net,
        )
