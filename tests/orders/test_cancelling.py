from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from brokers.gateway import Refused, Unknown
from brokers.terms import Validity
from orders.models import Order
from orders.services.cancelling import IllegalTransition, cancel_order, cancel_orders
from orders.services.reconciling import reconcile_account
from orders.states import OrderStatus
from risk.models import Reservation
from tests.builders import make_user
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk, sweep_waiting

pytestmark = pytest.mark.django_db


def resting(desk: Desk) -> Order:
    """An order that is open at the broker, far below the market."""
    order = desk.send(desk.place(limit="90.00"))
    desk.trade("100.00")
    order.refresh_from_db()
    return order


def cancel(desk: Desk, order: Order) -> Order:
    return cancel_order(order, by=desk.user, now=desk.now)


class TestACancel:
    def test_by_a_stranger_is_refused(self) -> None:
        desk = make_desk()
        order = resting(desk)
        with pytest.raises(PermissionDenied):
            cancel_order(order, by=make_user("mallory"), now=desk.now)

    def test_of_a_filled_order_is_refused(self) -> None:
        desk = make_desk()
        order = desk.buy()
        with pytest.raises(IllegalTransition, match="FILLED"):
            cancel(desk, order)

    def test_of_an_unknown_order_is_refused(self) -> None:
        desk = make_desk()
        order = desk.place()
        Order.objects.filter(pk=order.pk).update(status=OrderStatus.UNKNOWN)
        with pytest.raises(IllegalTransition, match="UNKNOWN"):
            cancel(desk, order)

    def test_withdraws_an_order_that_has_not_left(self) -> None:
        desk = make_desk()
        order = cancel(desk, desk.place())
        assert order.state is OrderStatus.CANCELLED
        assert Reservation.objects.get().released_at is not None

    def test_is_pending_until_the_broker_says_it_is_done(self) -> None:
        desk = make_desk()
        order = desk.send(cancel(desk, resting(desk)))
        assert order.state is OrderStatus.CANCEL_PENDING

    def test_ends_the_order_when_the_broker_says_so(self) -> None:
        desk = make_desk()
        order = desk.send(cancel(desk, resting(desk)))
        desk.trade("100.00")
        order.refresh_from_db()
        assert order.state is OrderStatus.CANCELLED
        assert order.closed_at is not None

    def test_asked_for_twice_is_asked_for_once(self) -> None:
        desk = make_desk()
        order = resting(desk)
        cancel(desk, order)
        assert cancel(desk, order).events.filter(event_type="ASK_CANCEL").count() == 1

    def test_loses_to_a_fill_that_crossed_it(self) -> None:
        desk = make_desk()
        order = cancel(desk, resting(desk))
        desk.trade("85.00")
        desk.send(order)
        desk.trade("85.00")
        order.refresh_from_db()
        assert order.state is OrderStatus.FILLED

    def test_refused_by_the_broker_returns_the_order_to_its_state(self) -> None:
        desk = make_desk()
        order = cancel(desk, resting(desk))
        with answering(cancel=Refused("Order is being processed", "E1")):
            assert desk.send(order).state is OrderStatus.OPEN

    def test_without_an_answer_stays_pending_and_is_sent_again(self) -> None:
        desk = make_desk()
        order = cancel(desk, resting(desk))
        with answering(cancel=Unknown("read timed out")):
            assert desk.send(order).state is OrderStatus.CANCEL_PENDING
        desk.now += timedelta(seconds=11)
        sweep_waiting(desk.clock)
        desk.trade("100.00")
        order.refresh_from_db()
        assert order.state is OrderStatus.CANCELLED

    def test_that_is_sent_again_and_again_is_given_up_all_the_same(self) -> None:
        desk = make_desk()
        order = cancel(desk, resting(desk))
        for _ in range(4):
            with answering(cancel=Unknown("read timed out")):
                sweep_waiting(desk.clock)
            desk.now += timedelta(seconds=11)
        reconcile_account(desk.account, clock=desk.clock)
        order.refresh_from_db()
        assert order.state is OrderStatus.OPEN

    def test_that_plainly_did_not_take_is_settled_by_reconciliation(self) -> None:
        desk = make_desk()
        order = cancel(desk, resting(desk))
        with answering(cancel=Unknown("read timed out")):
            desk.send(order)
        desk.now += timedelta(seconds=31)
        reconcile_account(desk.account, clock=desk.clock)
        order.refresh_from_db()
        assert order.state is OrderStatus.OPEN


class TestSeveralCancels:
    def test_are_each_decided_alone(self) -> None:
        desk = make_desk()
        orders = [desk.buy(), desk.place(limit="90.00")]
        taken, complaints = cancel_orders(orders, by=desk.user, now=desk.now)
        assert taken == 1
        assert len(complaints) == 1


class TestAnImmediateOrder:
    def test_ends_cancelled_when_nothing_fills(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place(limit="90.00", validity=Validity.IOC))
        desk.trade("100.00")
        desk.trade("100.00")
        order.refresh_from_db()
        assert order.state is OrderStatus.CANCELLED
