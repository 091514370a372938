"""At the end of the day no order is unknown in silence."""

from datetime import UTC, datetime, timedelta

import pytest

from brokers.gateway import Unknown
from notifications.models import AlertLevel, Notification
from orders.models import Order
from orders.services.ending import end_order_day
from orders.services.settling import settle_unknown
from orders.states import OrderStatus
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk

pytestmark = pytest.mark.django_db
LOST = Unknown("read timed out")
TITLE = "An order is unknown at the end of its day"
# The session of the desk's day is over; its broker's book still stands.
EVENING = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)
NEXT_DAY = datetime(2026, 6, 18, 6, 0, tzinfo=UTC)


def lose(desk: Desk, *, executes: bool = False) -> Order:
    with answering(place=LOST, executes=executes):
        return desk.send(desk.place(limit="90.00"))


def alerts() -> list[Notification]:
    return list(Notification.objects.filter(title__startswith=TITLE))


class TestTheEndOfTheDay:
    def test_leaves_an_order_of_a_running_session_alone(self) -> None:
        desk = make_desk()
        lose(desk)
        desk.now += timedelta(minutes=30)
        with answering(deaf=True):
            assert end_order_day(desk.clock) == 0

    def test_raises_what_nobody_could_settle_and_leaves_it_unknown(self) -> None:
        desk = make_desk()
        order = lose(desk)
        desk.now = EVENING
        with answering(deaf=True):
            assert end_order_day(desk.clock) == 1
        order.refresh_from_db()
        assert order.state is OrderStatus.UNKNOWN
        assert order.tag in alerts()[0].message
        assert alerts()[0].alert_level == AlertLevel.CRITICAL

    def test_raises_it_once(self) -> None:
        desk = make_desk()
        lose(desk)
        desk.now = EVENING
        with answering(deaf=True):
            for _ in range(3):
                end_order_day(desk.clock)
        assert len(alerts()) == 1

    def test_settles_by_a_last_reading_what_is_there(self) -> None:
        desk = make_desk()
        order = lose(desk, executes=True)
        desk.now = EVENING
        assert end_order_day(desk.clock) == 0
        order.refresh_from_db()
        assert order.state is not OrderStatus.UNKNOWN
        assert order.broker_order_id

    def test_does_not_call_an_order_of_another_account_over(self) -> None:
        desk = make_desk()
        lose(desk)
        desk.account.own_clock = True
        desk.account.save()
        desk.now = EVENING
        assert end_order_day(desk.clock) == 0
        assert not alerts()


class TestAnOrderSentAfterTheClose:
    """It is for the next session, and in the books of both days."""

    @pytest.fixture
    def desk(self) -> Desk:
        return make_desk()

    @pytest.fixture
    def order(self, desk: Desk) -> Order:
        order = lose(desk)
        sent = datetime(2026, 6, 17, 14, 30, tzinfo=UTC)
        Order.objects.update(is_amo=True, submitted_at=sent, created_at=sent)
        return order

    def test_is_not_over_at_midnight(self, desk: Desk, order: Order) -> None:
        desk.now = datetime(2026, 6, 17, 18, 31, tzinfo=UTC)
        with answering(orders=[], trades=[]):
            assert end_order_day(desk.clock) == 0
        assert not alerts()

    def test_is_over_after_its_session(self, desk: Desk, order: Order) -> None:
        desk.now = EVENING + timedelta(days=1)
        with answering(deaf=True):
            assert end_order_day(desk.clock) == 1

    def test_is_settled_by_the_book_of_its_session(self, desk: Desk, order: Order) -> None:
        desk.now = NEXT_DAY
        with answering(orders=[], trades=[]):
            for _ in range(3):
                desk.now += timedelta(minutes=6)
                settle_unknown(order.pk, clock=desk.clock)
        order.refresh_from_db()
        assert order.state is OrderStatus.REJECTED


class TestABookOfAnotherDay:
    def test_does_not_prove_that_an_order_never_came(self) -> None:
        desk = make_desk()
        order = lose(desk)
        desk.now = NEXT_DAY
        with answering(orders=[]):
            for _ in range(4):
                desk.now += timedelta(minutes=6)
                settle_unknown(order.pk, clock=desk.clock)
        order.refresh_from_db()
        assert order.state is OrderStatus.UNKNOWN

    def test_leaves_it_to_a_person(self) -> None:
        desk = make_desk()
        lose(desk)
        desk.now = NEXT_DAY
        assert end_order_day(desk.clock) == 1
        assert len(alerts()) == 1
