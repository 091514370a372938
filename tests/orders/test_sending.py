from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.adapters.paper.gateway import open_gateway
from brokers.gateway import Accepted, Refused, Unknown
from brokers.models import TradingAccount
from brokers.terms import Side
from orders.models import EventSource, Order
from orders.services.reporting import apply_updates
from orders.services.sending import (
    find_lost_sends,
    loaded_order,
    place_request,
    submit_order,
)
from orders.services.settling import settle_unknown
from orders.states import OrderStatus
from risk.models import Reservation, Trading
from risk.services import engage_kill_switch, release_kill_switch, set_trading_state
from risk.services.switching import Cause, Scope
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk, settle_unknown_orders, sweep_waiting

pytestmark = pytest.mark.django_db
LOST = Unknown("read timed out")


def orders_at_broker(desk: Desk, tag: str) -> int:
    return sum(report.tag == tag for report in open_gateway(desk.account, desk.clock).orders())


class TestAnOrder:
    def test_goes_to_the_broker_and_is_placed(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place())
        assert order.state is OrderStatus.PLACED
        assert order.broker_order_id

    def test_tells_the_broker_s_line_whether_it_is_an_exit(self) -> None:
        desk = make_desk()
        desk.buy(10)
        orders = desk.place(Side.SELL, 10), desk.place(Side.BUY, 10)
        assert [place_request(each).is_exit for each in orders] == [True, False]

    def test_sent_twice_arrives_once(self) -> None:
        desk = make_desk()
        order = desk.place()
        for _ in range(3):
            submit_order(loaded_order(order.pk), clock=desk.clock)
        assert orders_at_broker(desk, order.tag) == 1

    def test_that_the_broker_refuses_is_rejected_with_its_proof(self) -> None:
        desk = make_desk()
        order = desk.place()
        with answering(place=Refused("Margin shortfall", "RMS-17")):
            desk.send(order)
        assert (order.state, order.error_message) == (OrderStatus.REJECTED, "Margin shortfall")
        assert Reservation.objects.get(order_id=order.pk).released_at is not None

    def test_too_late_expires_unsent(self) -> None:
        desk = make_desk()
        order = desk.place()
        desk.now += timedelta(seconds=31)
        assert desk.send(order).state is OrderStatus.EXPIRED
        assert orders_at_broker(desk, order.tag) == 0

    def test_left_by_a_lost_nudge_is_found_by_the_sweep(self) -> None:
        desk = make_desk()
        order = desk.place()
        assert sweep_waiting(desk.clock) == 1
        order.refresh_from_db()
        assert order.state is OrderStatus.PLACED

    def test_of_a_replay_is_left_alone_by_the_sweep(self) -> None:
        desk = make_desk()
        TradingAccount.objects.update(own_clock=True)
        desk.place()
        assert sweep_waiting(desk.clock) == 0


class TestTheKillSwitch:
    def test_lets_nothing_leave_after_its_commit(self) -> None:
        desk = make_desk()
        order = desk.place()
        engage_kill_switch(desk.account.workspace, by=None, reason="drill", now=desk.now)
        assert desk.send(order).state is OrderStatus.DENIED
        assert orders_at_broker(desk, order.tag) == 0

    def test_of_every_desk_stops_this_one(self) -> None:
        desk = make_desk()
        order = desk.place()
        engage_kill_switch(None, by=None, reason="drill", now=desk.now)
        assert desk.send(order).state is OrderStatus.DENIED

    def test_lets_exits_pass(self) -> None:
        desk = make_desk()
        desk.buy(10)
        engage_kill_switch(None, by=None, reason="drill", now=desk.now)
        exit_order = desk.send(desk.place(Side.SELL, 10))
        assert (exit_order.is_exit, exit_order.state) == (True, OrderStatus.PLACED)

    def test_denies_new_entries_until_it_is_released(self) -> None:
        desk = make_desk()
        engage_kill_switch(desk.account.workspace, by=None, reason="drill", now=desk.now)
        assert "kill switch" in desk.place().error_message
        release_kill_switch(desk.account.workspace, by=None, now=desk.now)
        assert desk.place().state is OrderStatus.PENDING

    def test_of_an_account_stops_that_account_at_the_send(self) -> None:
        desk = make_desk()
        order = desk.place()
        scope = Scope(desk.account.workspace, desk.account)
        set_trading_state(scope, Trading.HALTED, cause=Cause("drill"), now=desk.now)
        assert desk.send(order).state is OrderStatus.DENIED


class TestALostAnswer:
    def test_makes_the_order_unknown_and_never_sends_again(self) -> None:
        desk = make_desk()
        order = desk.place()
        with answering(place=LOST, executes=True):
            assert desk.send(order).state is OrderStatus.UNKNOWN
        sweep_waiting(desk.clock)
        assert orders_at_broker(desk, order.tag) == 1

    def test_is_settled_by_the_tag_when_the_order_arrived(self) -> None:
        desk = make_desk()
        order = desk.place()
        with answering(place=LOST, executes=True):
            desk.send(order)
        desk.now += timedelta(seconds=2)
        settle_unknown_orders(desk.clock)
        order.refresh_from_db()
        assert order.state.is_working
        assert order.broker_order_id

    def test_stops_entries_in_that_instrument_until_it_is_settled(self) -> None:
        desk = make_desk()
        with answering(place=LOST):
            desk.send(desk.place())
        assert "may or may not be live" in desk.place().error_message

    def test_is_not_given_up_before_five_minutes(self) -> None:
        desk = make_desk()
        with answering(place=LOST):
            order = desk.send(desk.place())
        for _ in range(4):
            desk.now += timedelta(seconds=60)
            settle_unknown(order.pk, clock=desk.clock)
        order.refresh_from_db()
        assert order.state is OrderStatus.UNKNOWN

    def test_is_given_up_after_five_minutes_and_two_full_readings(self) -> None:
        desk = make_desk()
        with answering(place=LOST):
            order = desk.send(desk.place())
        for _ in range(2):
            desk.now += timedelta(seconds=301)
            settle_unknown(order.pk, clock=desk.clock)
        order.refresh_from_db()
        assert order.state is OrderStatus.REJECTED
        assert "never reached the broker" in order.error_message

    def test_given_up_is_revived_when_the_order_surfaces_after_all(self) -> None:
        desk = make_desk()
        with answering(place=LOST, executes=True):
            order = desk.send(desk.place())
        Order.objects.filter(pk=order.pk).update(status=OrderStatus.REJECTED, closed_at=desk.now)
        desk.trade("100.00")
        desk.trade("100.00")
        order.refresh_from_db()
        assert order.state is OrderStatus.FILLED

    def test_with_another_orders_number_is_unknown_too(self) -> None:
        desk = make_desk()
        first = desk.send(desk.place())
        with answering(place=Accepted(first.broker_order_id, desk.now)):
            assert desk.send(desk.place()).state is OrderStatus.UNKNOWN

    def test_of_a_dead_worker_is_found_by_its_lease(self) -> None:
        desk = make_desk()
        order = desk.place()
        Order.objects.filter(pk=order.pk).update(
            status=OrderStatus.SUBMITTING, submitted_at=desk.now
        )
        desk.now += timedelta(seconds=61)
        assert find_lost_sends(now=desk.now) == 1
        order.refresh_from_db()
        assert order.state is OrderStatus.UNKNOWN


class TestAFill:
    def test_fills_books_and_closes_the_order(self) -> None:
        desk = make_desk()
        order = desk.buy(10, "100.50")
        assert (order.state, order.filled_quantity) == (OrderStatus.FILLED, 10)
        assert order.average_price == Decimal("100.5")
        assert order.trades.get().charges > 0

    def test_told_twice_is_booked_once(self) -> None:
        desk = make_desk()
        order = desk.buy(10)
        gateway = open_gateway(desk.account, desk.clock)
        apply_updates(
            desk.account,
            orders=gateway.orders(),
            trades=gateway.trades(),
            source=EventSource.RECONCILE,
            now=desk.now,
        )
        assert order.trades.count() == 1
        assert desk.account.positions.net().get().quantity == 10
