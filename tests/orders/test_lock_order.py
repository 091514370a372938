"""Two workers at the orders of one account take turns; neither waits for the other for ever."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection, connections, transaction

from brokers.adapters.paper.gateway import open_gateway
from brokers.gateway import BrokerStatus, TradeReport
from brokers.terms import Product, Side
from operations.models import ErrorLog
from orders.models import EventSource, Order, Trade
from orders.services.modifying import (
    IllegalTransition,
    OrderChanges,
    OrderInvalid,
    modify_order,
)
from orders.services.reporting import apply_updates
from orders.services.surplus import sweep_surplus_exits
from orders.states import OrderStatus
from portfolio.models import Position
from portfolio.services import lock_account
from tests.orders.desk import Desk, make_desk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.server]
WAITING = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
Work = Callable[[], object]


def two_exits(desk: Desk) -> list[Order]:
    """Two resting exits, of which one fill makes the other too much."""
    desk.buy(20)
    exits = [desk.send(desk.place(Side.SELL, 10, limit="110.00")) for _ in range(2)]
    desk.trade("100.00")
    Position.objects.update(quantity=10, open_cost=Decimal(1000))
    for order in exits:
        order.refresh_from_db()
    return exits


def at_once(desk: Desk, *works: Work) -> list[BaseException]:
    """Let each work begin and run into its first lock, then let all of them go on."""
    failures: list[BaseException] = []

    def run(work: Work) -> None:
        try:
            work()
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    with transaction.atomic():
        lock_account(desk.account)
        for thread in threads:
            thread.start()
        _await_waiting(len(works))
    for thread in threads:
        thread.join(timeout=30)
    assert not any(thread.is_alive() for thread in threads)
    return failures


def _await_waiting(count: int) -> None:
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0] >= count:
                return
            cursor.execute("SELECT pg_sleep(0.05)")
    raise AssertionError("the workers never came to a lock")


def fill(desk: Desk, order: Order) -> Work:
    trade = TradeReport(
        trade_id=f"T-{order.broker_order_id}",
        broker_order_id=order.broker_order_id,
        instrument_key=desk.instrument.key,
        side=Side.SELL,
        product=Product.MIS,
        quantity=10,
        price=Decimal("110.00"),
        traded_at=desk.now,
    )
    source, now = EventSource.WEBSOCKET, desk.now
    return lambda: apply_updates(desk.account, orders=[], trades=[trade], source=source, now=now)


class TestTwoFills:
    def test_of_two_exits_at_once_are_both_booked(self) -> None:
        desk = make_desk()
        first, second = two_exits(desk)
        assert at_once(desk, fill(desk, first), fill(desk, second)) == []
        assert not ErrorLog.objects.exists()
        assert Trade.objects.filter(order__in=[first, second]).count() == 2


class TestAChange:
    def test_of_an_exit_while_the_other_fills_does_not_lose_the_fill(self) -> None:
        desk = make_desk()
        first, second = two_exits(desk)
        changes = OrderChanges(price=Decimal("111.00"))
        change = partial(modify_order, second, changes=changes, by=desk.user, now=desk.now)
        # Whoever came first, the change is refused in words: what is left, the other exit closes.
        [refused] = at_once(desk, fill(desk, first), change)
        assert isinstance(refused, IllegalTransition | OrderInvalid)
        assert not ErrorLog.objects.exists()
        second.refresh_from_db()
        assert second.state is OrderStatus.CANCEL_PENDING


class TestASweepOfSurplusExits:
    def test_beside_a_fill_calls_off_the_other_once_and_loses_nothing(self) -> None:
        desk = make_desk()
        first, second = two_exits(desk)
        sweep = partial(sweep_surplus_exits, now=desk.now)
        assert at_once(desk, fill(desk, first), sweep) == []
        assert not ErrorLog.objects.exists()
        assert Trade.objects.filter(order=first).count() == 1
        second.refresh_from_db()
        assert second.state is OrderStatus.CANCEL_PENDING
        assert second.events.filter(event_type="ASK_CANCEL").count() == 1


class TestAnOrderFromOutside:
    def test_told_of_twice_at_once_is_adopted_once(self) -> None:
        desk = make_desk()
        known = desk.send(desk.place(limit="90.00"))
        [report] = open_gateway(desk.account, desk.clock).orders()
        outside = replace(
            report, broker_order_id="X1", tag="", quantity=3, status=BrokerStatus.OPEN
        )
        later = desk.now + timedelta(seconds=1)

        def tell() -> None:
            source = EventSource.POSTBACK
            apply_updates(desk.account, orders=[outside], trades=[], source=source, now=later)

        assert at_once(desk, tell, tell) == []
        assert not ErrorLog.objects.exists()
        assert Order.objects.exclude(pk=known.pk).count() == 1
