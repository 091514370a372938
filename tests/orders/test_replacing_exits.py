"""An exit that did not leave in time is placed again at once, once, and its owner is told."""

from datetime import timedelta

import pytest
import time_machine

from brokers.terms import Side
from notifications.models import AlertLevel, Notification
from orders.models import Order
from orders.services.replacing import replace_unsent_exit, replace_unsent_exits
from orders.states import OrderStatus
from orders.tasks import sweep_orders
from portfolio.models import Position
from risk.services import engage_kill_switch, hold_remaining
from tests.orders.desk import Desk, make_desk
from tests.orders.test_exits_from_outside import stop_outside

pytestmark = pytest.mark.django_db


def late_exit(
    desk: Desk, *, after: int = 31, limit: str | None = None, trigger: str | None = None
) -> Order:
    order = desk.place(Side.SELL, 10, limit=limit, trigger=trigger)
    desk.now += timedelta(seconds=after)
    return order


def placed_again(order: Order) -> list[Order]:
    return list(Order.objects.filter(idempotency_key__startswith="again:").exclude(pk=order.pk))


class TestAnEntryThatIsLate:
    def test_is_not_placed_again(self) -> None:
        desk = make_desk()
        order = late_exit(desk)
        assert desk.send(order).state is OrderStatus.EXPIRED
        assert placed_again(order) == []


class TestAnExitThatIsLate:
    @pytest.fixture
    def desk(self) -> Desk:
        desk = make_desk()
        desk.buy(10)
        return desk

    def test_is_placed_again_at_once(self, desk: Desk) -> None:
        order = late_exit(desk)
        assert desk.send(order).state is OrderStatus.EXPIRED
        (again,) = placed_again(order)
        assert (again.quantity, again.is_exit, again.created_at) == (10, True, desk.now)

    def test_is_sent_then_and_closes_the_position(self, desk: Desk) -> None:
        order = late_exit(desk)
        desk.send(order)
        (again,) = placed_again(order)
        desk.send(again)
        for _ in range(2):
            desk.trade("100.00")
        assert not Position.objects.open().exists()

    def test_says_so(self, desk: Desk) -> None:
        order = late_exit(desk)
        desk.send(order)
        (again,) = placed_again(order)
        told = Notification.objects.get(data__order=str(again.pk))
        assert told.title == "Exit placed again: Sell 10 RELIANCE"
        assert told.alert_level == AlertLevel.CRITICAL
        assert "nothing of it has reached the broker" in told.message

    def test_keeps_its_terms(self, desk: Desk) -> None:
        order = late_exit(desk, limit="120.00")
        desk.send(order)
        (again,) = placed_again(order)
        assert (again.order_type, again.price) == (order.order_type, order.price)

    def test_is_placed_for_no_more_than_is_still_open(self, desk: Desk) -> None:
        order = late_exit(desk)
        Position.objects.open().update(quantity=4)
        desk.send(order)
        assert [each.quantity for each in placed_again(order)] == [4]

    def test_is_placed_again_while_trading_is_halted(self, desk: Desk) -> None:
        engage_kill_switch(None, by=None, reason="drill", now=desk.now)
        order = late_exit(desk)
        desk.send(order)
        assert [each.state for each in placed_again(order)] == [OrderStatus.PENDING]

    def test_is_not_placed_beside_another_that_closes_it(self, desk: Desk) -> None:
        order = late_exit(desk)
        stop_outside(desk, 10)
        desk.send(order)
        assert placed_again(order) == []

    def test_is_placed_once_however_often_it_is_looked_for(self, desk: Desk) -> None:
        order = late_exit(desk)
        desk.send(order)
        replace_unsent_exit(order.pk, now=desk.now)
        replace_unsent_exits(clock=desk.clock)
        assert len(placed_again(order)) == 1

    def test_whose_worker_died_is_found_by_the_sweep(self, desk: Desk) -> None:
        order = late_exit(desk)
        Order.objects.filter(pk=order.pk).update(status=OrderStatus.EXPIRED, closed_at=desk.now)
        order.refresh_from_db()
        desk.account.refresh_from_db()
        release(order)
        with time_machine.travel(desk.now, tick=False):
            sweep_orders()
        assert len(placed_again(order)) == 1

    def test_of_an_hour_ago_is_only_told_of(self, desk: Desk) -> None:
        order = late_exit(desk, after=3600)
        desk.send(order)
        assert placed_again(order) == []
        assert "still open" in Notification.objects.get(data__order=str(order.pk)).message

    def test_that_cannot_be_placed_again_is_told_of(self, desk: Desk) -> None:
        order = late_exit(desk, trigger="95.00")
        desk.trade("94.00")
        desk.send(order)
        assert placed_again(order) == []
        told = Notification.objects.get(title__startswith="Exit not placed again")
        assert "Close the position by hand" in told.message


def release(order: Order) -> None:
    """Give back what an order held, as its end does."""
    hold_remaining(order.pk, remaining=0, now=order.created_at)
