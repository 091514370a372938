"""Every fault of a stream of orders on every broker: nothing is booked twice, and nothing lost.

Whatever the stream does, what is true is read at the broker; the stream only makes it known sooner.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections
from pytest_django import Settings

from brokers.models import ConnectionStatus, StreamConnection
from brokers.streaming.protocol import StreamKind
from orders.models import EventSource, Order, Trade
from orders.states import OrderStatus
from tests.reliability.listening import Listening, listening
from tests.reliability.test_faults import assert_agrees, recover
from tests.reliability.worlds import QUANTITY, World
from tests.streaming.house import until

Tell = Callable[[str, str], None]
LONGEST_ANSWER = 20.0


class TestTheStreamOfOrders:
    def test_that_says_things_twice(self, world: World, tell: Tell) -> None:
        with listening(world, StreamKind.ORDERS) as stream:
            order = resting(world, stream)
            world.faults.arm("duplicate_frames", times=3)
            let_it_fill(world)
            stream.until(lambda: is_filled(order))
            stream.until(lambda: not world.faults.armed())
        assert_settled(world, order)
        tell("order stream: frames come twice", f"{order.status}, booked once")

    def test_that_says_things_out_of_order(self, world: World, tell: Tell) -> None:
        with listening(world, StreamKind.ORDERS) as stream:
            order = resting(world, stream)
            world.faults.arm("reordered_frames", times=3)
            let_it_fill(world)
            stream.until(lambda: is_filled(order))
            stream.until(lambda: not world.faults.armed())
        assert_settled(world, order)
        # Stream or reading: whichever is first.
        tell("order stream: frames out of order", f"{order.status}, booked once")

    def test_that_falls_silent(self, world: World, tell: Tell) -> None:
        with listening(world, StreamKind.ORDERS) as stream:
            order = resting(world, stream)
            world.faults.arm("silent_stream")
            let_it_fill(world)
            is_noticed = world.stand.name in BEATS_BY_THE_FEED
            if is_noticed:
                stream.until(lambda: stream.complaints)
            world.faults.clear()
            if is_noticed:
                stream.until(lambda: stream.connected > 1)
            world.beat()
            assert bool(stream.complaints) is is_noticed
        assert_settled(world, order)
        words = "given up and opened anew; " if is_noticed else ""
        tell("order stream: silent", words + how_it_was_told(order))

    def test_whose_other_end_has_vanished(self, world: World, tell: Tell) -> None:
        with listening(world, StreamKind.ORDERS) as stream:
            order = resting(world, stream)
            world.faults.arm("half_open")
            let_it_fill(world)
            stream.until(lambda: stream.complaints)
            world.faults.clear()
            before = stream.connected
            stream.until(lambda: stream.connected > before)
            stream.until(lambda: is_filled(order))
        assert_settled(world, order)
        tell("order stream: half-open", f"given up and opened anew; {how_it_was_told(order)}")

    def test_that_is_faster_than_the_orders_answer(
        self, world: World, tell: Tell, settings: Settings
    ) -> None:
        settings.BROKER_TIMEOUT = LONGEST_ANSWER
        with listening(world, StreamKind.ORDERS) as stream:
            order = world.place(below="5")
            world.faults.arm("fill_before_order", match="place")
            world.faults.arm("delay", match=world.stand.placing, seconds=LONGEST_ANSWER)
            with ThreadPoolExecutor(1) as beside:
                taken_in = beside.submit(take_in, stream, order)
                world.send(order)
                assert taken_in.result() == OrderStatus.FILLED
        assert Order.objects.count() == 1
        assert_settled(world, order)
        tell("order stream: filled before the order's answer", how_it_was_told(order))

    def test_whose_login_runs_out(self, world: World, tell: Tell) -> None:
        with listening(world, StreamKind.ORDERS) as stream:
            order = resting(world, stream)
            world.served.app.state.dialect.expire_tokens(None)
            let_it_fill(world)
            stream.until(lambda: is_expired(world))
            before = stream.connected
            log_in_anew(world)
            stream.until(lambda: stream.connected > before)
            stream.until(lambda: is_filled(order))
        assert_settled(world, order)
        tell("order stream: the login runs out", f"connection expired → {how_it_was_told(order)}")

    def test_whose_worker_is_killed(self, world: World, tell: Tell) -> None:
        with listening(world, StreamKind.ORDERS) as stream:
            order = resting(world, stream)
        let_it_fill(world)
        with listening(world, StreamKind.ORDERS) as stream:
            stream.until(lambda: is_filled(order))
        rows = StreamConnection.objects.order_by("created_at")
        assert [each.status for each in rows] == ["DISCONNECTED", "CONNECTED"]
        assert_settled(world, order)
        tell("order stream: its worker is killed", how_it_was_told(order))


# Where heartbeats come with the feed, a silent feed lacks them and is noticed at once.
BEATS_BY_THE_FEED = ("kite",)


def resting(world: World, stream: Listening) -> Order:
    """Return an order that rests at the broker and whose news has come by the stream."""
    world.faults.arm("many_fills", match="place", amount=QUANTITY)
    order = world.send(world.place(below="5"))
    stream.until(lambda: has_status(order, OrderStatus.OPEN))
    return order


def take_in(stream: Listening, order: Order) -> str:
    """Work off the fill while its order's sender waits for the answer; then let that go."""
    faults = stream.world.faults
    try:
        # Not sooner: the sender is at the database until the broker has the order.
        until(lambda: stream.world.at_broker(order))
        seen = Order.objects.get(pk=order.pk)
        stream.until(lambda: is_filled(seen))
        return seen.status
    finally:
        connections.close_all()
        faults.release()


def let_it_fill(world: World) -> None:
    world.trade(world.price - 6)


def has_status(order: Order, status: OrderStatus) -> bool:
    order.refresh_from_db()
    return order.state is status


def is_filled(order: Order) -> bool:
    return has_status(order, OrderStatus.FILLED)


def is_expired(world: World) -> bool:
    world.account.connection.refresh_from_db()
    return world.account.connection.status == ConnectionStatus.EXPIRED


def log_in_anew(world: World) -> None:
    if world.stand.name == "alpaca":
        world.served.app.state.alpaca.is_keyed = True
    world.log_in()


def assert_settled(world: World, order: Order) -> None:
    recover(world)
    order.refresh_from_db()
    assert order.status == OrderStatus.FILLED
    assert_agrees(world, order)
    assert Trade.objects.filter(order=order).count() == len(trades_of(world, order))


def trades_of(world: World, order: Order) -> list[object]:
    made = world.served.broker.snapshot(world.stand.client)["trades"]
    assert isinstance(made, tuple)
    return [each for each in made if each.order_id == order.broker_order_id]


def how_it_was_told(order: Order) -> str:
    told = order.events.filter(to_status=OrderStatus.FILLED).order_by("sequence")[0]
    by = "by the stream" if told.event_source == EventSource.WEBSOCKET else "by reading"
    return f"{order.status} {by}, booked once"
