"""A broker that does not answer holds up its own orders and books, and no other broker's."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from celery import current_app
from django.db import connection, connections
from pytest_django import DjangoCaptureOnCommitCallbacks as Capture

from brokers.gateway import Unknown
from brokers.models import BrokerConnection
from brokers.terms import Side
from notifications.models import AlertLevel, Notification
from orders import tasks
from orders.models import Order
from orders.services.advancing import advance_in_turn, waiting_orders
from orders.services.cancelling import cancel_order
from orders.services.reading import reconcile_in_turn, settle_in_turn
from orders.services.settling import accounts_to_settle
from orders.states import OrderStatus
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk, settle_unknown_orders

pytestmark = pytest.mark.django_db
LOST = Unknown("read timed out")
# What a worker of the server has, as docs/server.md begins it.
THREADS = 20


def silence(desk: Desk) -> None:
    """Make the desk's broker another than the others', for the tests to say what it answers."""
    BrokerConnection.objects.filter(pk=desk.account.connection_id).update(broker_type="kite")


def state_of(order: Order) -> OrderStatus:
    order.refresh_from_db()
    return order.state


def working_off(*tasks: Callable[[], object]) -> Callable[[], Unknown]:
    """Answer as a silent broker: while it is waited for, other threads take what comes next."""
    left = iter(tasks)

    def hang() -> Unknown:
        for task in left:
            task()
        return LOST

    return hang


def lost(desk: Desk, count: int) -> list[Order]:
    """Send orders that arrive, and whose answers do not."""
    orders = [desk.place() for _ in range(count)]
    with answering(place=LOST, executes=True):
        return [desk.send(order) for order in orders]


def nudged(queue: str) -> list[object]:
    """Take what workers have been nudged for off a queue."""
    with current_app.connection_for_write() as line:
        waiting = current_app.amqp.queues[queue](line.default_channel)
        waiting.declare()
        messages = list(iter(partial(waiting.get, no_ack=True), None))
    return [row_id for message in messages for row_id in message.payload[1].values()]


def taking(order: Order, desk: Desk) -> Callable[[], None]:
    return lambda: advance_in_turn(order.pk, clock=desk.clock)


class TestOrdersAtASilentBroker:
    def test_hold_six_threads_and_no_more(self) -> None:
        silent, other = make_desk("asha"), make_desk("bela")
        orders, answered = [silent.place() for _ in range(9)], other.place()
        silence(silent)
        tasks = [*(taking(order, silent) for order in orders), taking(answered, other)]
        seen: list[OrderStatus] = []
        tasks.append(lambda: seen.extend(state_of(order) for order in [*orders, answered]))
        with answering(broker="kite", place=working_off(*tasks[1:])):
            tasks[0]()
        sent, waits = OrderStatus.SUBMITTING, OrderStatus.PENDING
        assert seen == [sent] * 6 + [waits] * 3 + [OrderStatus.PLACED]

    def test_are_sent_by_the_first_that_has_room_again(self) -> None:
        silent = make_desk()
        orders = [silent.place() for _ in range(7)]
        silence(silent)
        tasks = [taking(order, silent) for order in orders]
        with answering(broker="kite", place=working_off(*tasks[1:])):
            tasks[0]()
        assert waiting_orders(now=silent.now) == []
        assert state_of(orders[6]) is OrderStatus.UNKNOWN

    def test_leave_exits_and_cancels_room_of_their_own(self) -> None:
        silent = make_desk()
        silent.buy(10)
        resting = silent.send(silent.place(limit="90.00"))
        silent.trade("100.00")
        orders, leaving = [silent.place() for _ in range(9)], silent.place(Side.SELL, 10)
        cancel_order(resting, by=silent.user, now=silent.now)
        silence(silent)
        tasks = [taking(order, silent) for order in orders]
        seen: list[OrderStatus] = []

        def look() -> None:
            assert Order.objects.filter(status=OrderStatus.SUBMITTING).count() == 6
            taking(leaving, silent)()
            resting.refresh_from_db()
            seen.extend([state_of(leaving), state_of(orders[8])])

        with answering(broker="kite", place=working_off(*tasks[1:6], look)):
            tasks[0]()
        assert resting.command_sent_at is not None
        assert seen == [OrderStatus.UNKNOWN, OrderStatus.PENDING]

    def test_leave_by_how_long_they_have_waited_and_not_by_whose_message_comes(self) -> None:
        desk = make_desk()
        orders = [desk.place() for _ in range(5)]
        taking(orders[4], desk)()
        sent = Order.objects.filter(status=OrderStatus.PLACED).order_by("broker_order_id")
        assert list(sent) == orders

    def test_expire_though_there_is_no_room_for_them(self) -> None:
        silent = make_desk()
        orders = [silent.place() for _ in range(7)]
        silence(silent)
        tasks = [taking(order, silent) for order in orders]

        def late() -> None:
            silent.now += timedelta(seconds=31)
            tasks[6]()

        with answering(broker="kite", place=working_off(*tasks[1:6], late)):
            tasks[0]()
        assert state_of(orders[6]) is OrderStatus.EXPIRED


class TestTheSweep:
    def test_leaves_what_waits_to_workers_of_their_own(
        self, django_capture_on_commit_callbacks: Capture
    ) -> None:
        silent, other = make_desk("asha"), make_desk("bela")
        orders = [silent.place(), other.place()]
        nudged("orders")
        with django_capture_on_commit_callbacks(execute=True):
            tasks.sweep_orders()
        assert nudged("orders") == [str(order.pk) for order in orders]
        assert {state_of(order) for order in orders} == {OrderStatus.PENDING}

    def test_calls_for_exits_the_workers_that_entries_cannot_occupy(
        self, django_capture_on_commit_callbacks: Capture
    ) -> None:
        desk = make_desk()
        desk.buy(10)
        nudged("orders"), nudged("exits")
        with django_capture_on_commit_callbacks(execute=True):
            entry, leaving = desk.place(), desk.place(Side.SELL, 10)
        assert nudged("orders") == [str(entry.pk)]
        assert nudged("exits") == [str(leaving.pk)]

    def test_hands_each_account_with_unknown_orders_to_a_worker_of_its_own(self) -> None:
        desks = [make_desk("asha"), make_desk("bela")]
        for desk in desks:
            lost(desk, 2)
        nudged("sync")
        with time_machine.travel(desks[0].now + timedelta(seconds=2), tick=False):
            tasks.settle_unknown_orders()
        assert nudged("sync") == [str(desk.account.pk) for desk in desks]

    def test_names_cancels_before_exits_and_exits_before_entries(self) -> None:
        desk = make_desk()
        desk.buy(10)
        resting = desk.send(desk.place(limit="90.00"))
        desk.trade("100.00")
        entry = desk.place()
        leaving = desk.place(Side.SELL, 10)
        cancel_order(resting, by=desk.user, now=desk.now)
        assert waiting_orders(now=desk.now) == [resting.pk, leaving.pk, entry.pk]


class TestAnOrderThatNeverLeft:
    def expired(self, order: Order, desk: Desk) -> Notification:
        desk.now += timedelta(seconds=31)
        desk.send(order)
        return Notification.objects.get(data__order=str(order.pk))

    def test_is_told_of_and_says_why(self) -> None:
        desk = make_desk()
        order = desk.place()
        told = self.expired(order, desk)
        assert (told.alert_level, told.user) == (AlertLevel.WARNING, desk.user)
        assert "was not sent in time" in told.title
        assert "did not leave within 30 seconds" in told.message
        order.refresh_from_db()
        assert "Nothing has reached the broker" in order.error_message

    def test_is_critical_when_it_was_an_exit(self) -> None:
        desk = make_desk()
        desk.buy(10)
        told = self.expired(desk.place(Side.SELL, 10), desk)
        assert told.alert_level == AlertLevel.CRITICAL
        assert "still open" in told.message


class TestUnknownOrdersOfOneAccount:
    def test_are_looked_up_in_one_reading_of_the_books(self) -> None:
        desk = make_desk()
        orders = lost(desk, 3)
        desk.now += timedelta(seconds=2)
        reads: list[str] = []

        def read(name: str) -> list[object]:
            reads.append(name)
            return []

        with answering(orders=partial(read, "orders"), trades=partial(read, "trades")):
            settle_unknown_orders(desk.clock)
        assert reads == ["orders", "trades"]
        desk.now += timedelta(seconds=31)
        settle_unknown_orders(desk.clock)
        assert {state_of(order) for order in orders} == {OrderStatus.PLACED}

    def test_are_all_put_off_when_the_books_cannot_be_read(self) -> None:
        desk = make_desk()
        lost(desk, 3)
        desk.now += timedelta(seconds=2)
        with answering(deaf=True):
            settle_unknown_orders(desk.clock)
        assert accounts_to_settle(now=desk.now) == []


class TestBooksOfASilentBroker:
    def test_hold_three_threads_and_no_more(self) -> None:
        desks = [make_desk(name) for name in ("asha", "bela", "chitra", "dev")]
        other = make_desk("esha")
        for desk in desks:
            silence(desk)
        read: list[Desk] = []

        def reading(desk: Desk) -> Callable[[], None]:
            return lambda: reconcile_in_turn(desk.account.pk, clock=desk.clock)

        left = iter([*(reading(desk) for desk in desks[1:]), reading(other)])

        def hang() -> list[object]:
            read.append(desks[len(read)])
            for task in left:
                task()
            return []

        with answering(broker="kite", orders=hang):
            reading(desks[0])()
        # Each that entered reads its book twice where something differs: none does here.
        other.account.refresh_from_db()
        assert len(read) == 3
        assert other.account.reconciled_at == other.now

    def test_are_looked_into_for_unknown_orders_all_the_same(self) -> None:
        desk = make_desk()
        (order,) = lost(desk, 1)
        desk.now += timedelta(seconds=2)
        settle_in_turn(desk.account.pk, clock=desk.clock)
        assert state_of(order) is OrderStatus.PLACED


class TestTheQueues:
    @pytest.mark.parametrize("task", ["settle_unknown_orders", "settle_one", "end_order_day"])
    def test_keep_readings_apart_from_orders(self, task: str) -> None:
        queue = current_app.amqp.router.route({}, f"orders.tasks.{task}")["queue"]
        assert queue.name == "sync"

    def test_sweep_where_entries_cannot_hold_the_sweep_up(self) -> None:
        queue = current_app.amqp.router.route({}, "orders.tasks.sweep_orders")["queue"]
        assert queue.name == "exits"

    def test_send_orders_by_their_own(self) -> None:
        queue = current_app.amqp.router.route({}, "orders.tasks.advance_order")["queue"]
        assert queue.name == "orders"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="its test database lives in one connection"
)
class TestAWorkersThreads:
    @pytest.fixture
    def threads(self, transactional_db: None) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(THREADS) as pool:
            yield pool

    def test_send_at_one_broker_while_another_is_silent(self, threads: ThreadPoolExecutor) -> None:
        silent, other = make_desk("asha"), make_desk("bela")
        orders, answered = [silent.place() for _ in range(2 * THREADS)], other.place()
        silence(silent)
        answers, inside = threading.Event(), threading.Semaphore(0)

        def hang() -> Unknown:
            inside.release()
            answers.wait(timeout=10)
            return LOST

        def run(order: Order, desk: Desk) -> None:
            try:
                advance_in_turn(order.pk, clock=desk.clock)
            finally:
                connections.close_all()

        with answering(broker="kite", place=hang):
            for order in orders:
                threads.submit(run, order, silent)
            assert inside.acquire(timeout=5)
            try:
                threads.submit(run, answered, other).result(timeout=5)
                assert state_of(answered) is OrderStatus.PLACED
            finally:
                answers.set()
                threads.shutdown()  # those inside send all that waits, at this broker and no other
