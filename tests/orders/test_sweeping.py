"""One row or one step that always fails must not hold back the others."""

from datetime import timedelta

import pytest
import time_machine

from brokers.gateway import Unknown
from brokers.models import BrokerConnection
from operations.models import ErrorLog
from orders.models import Order
from orders.services.cancelling import cancel_order
from orders.services.sending import SEND_LEASE, find_lost_sends
from orders.states import OrderStatus
from orders.tasks import sweep_orders
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk, settle_unknown_orders, sweep_waiting

pytestmark = pytest.mark.django_db


def lose_the_broker(desk: Desk) -> None:
    """Name a broker that has no adapter, as after an upgrade that took one away."""
    BrokerConnection.objects.filter(pk=desk.account.connection_id).update(broker_type="nobody")


def two_desks() -> tuple[Desk, Desk]:
    return make_desk("asha"), make_desk("bela")


def state_of(order: Order) -> OrderStatus:
    order.refresh_from_db()
    return order.state


class TestAnOrderWhoseBrokerIsUnknown:
    def test_does_not_hold_back_the_next_one(self) -> None:
        bad, good = two_desks()
        stuck, order = bad.place(), good.place()
        lose_the_broker(bad)
        sweep_waiting(good.clock)
        assert state_of(order) is OrderStatus.PLACED
        assert state_of(stuck) is OrderStatus.PENDING
        assert ErrorLog.objects.get().related_order_id == stuck.pk

    def test_still_expires(self) -> None:
        desk = make_desk()
        order = desk.place()
        lose_the_broker(desk)
        desk.now += timedelta(seconds=31)
        sweep_waiting(desk.clock)
        assert state_of(order) is OrderStatus.EXPIRED

    def test_does_not_hold_back_the_next_cancel(self) -> None:
        bad, good = two_desks()
        orders = [desk.send(desk.place(limit="90.00")) for desk in (bad, good)]
        for desk in (bad, good):
            desk.trade("100.00")
        for desk, order in zip((bad, good), orders, strict=True):
            cancel_order(order, by=desk.user, now=desk.now)
        lose_the_broker(bad)
        sweep_waiting(good.clock)
        good.trade("100.00")
        assert state_of(orders[1]) is OrderStatus.CANCELLED

    def test_does_not_hold_back_the_search_for_the_next_lost_one(self) -> None:
        bad, good = two_desks()
        with answering(place=Unknown("read timed out"), executes=True):
            orders = [desk.send(desk.place()) for desk in (bad, good)]
        lose_the_broker(bad)
        good.now += timedelta(seconds=2)
        settle_unknown_orders(good.clock)
        assert state_of(orders[1]) is OrderStatus.PLACED
        assert state_of(orders[0]) is OrderStatus.UNKNOWN

    def test_is_looked_up_again_later_and_not_at_once(self) -> None:
        desk = make_desk()
        with answering(place=Unknown("read timed out")):
            order = desk.send(desk.place())
        lose_the_broker(desk)
        desk.now += timedelta(seconds=2)
        settle_unknown_orders(desk.clock)
        order.refresh_from_db()
        assert order.settle_after is not None
        assert order.settle_after > desk.now


class TestASweep:
    def test_finds_lost_sends_though_a_step_before_it_failed(self) -> None:
        bad, good = two_desks()
        lost, stuck = good.place(), bad.place()
        Order.objects.filter(pk=lost.pk).update(
            status=OrderStatus.SUBMITTING, submitted_at=good.now - 2 * SEND_LEASE
        )
        lose_the_broker(bad)
        with time_machine.travel(good.now, tick=False):
            sweep_orders()
        assert state_of(lost) is OrderStatus.UNKNOWN
        assert state_of(stuck) is OrderStatus.PENDING

    def test_ends_well_when_there_is_nothing_to_do(self) -> None:
        desk = make_desk()
        assert find_lost_sends(now=desk.now) == 0
