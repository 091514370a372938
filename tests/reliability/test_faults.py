"""Every fault on every broker: never two orders, never a silent loss, never an invented flat.

Each test lets one thing go wrong, lets the house's own jobs run on, and then holds the house
against the broker. What the trader saw of it goes into the table of docs/reliability.md.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from brokers.models import ConnectionStatus
from brokers.simulator.records import OrderState, SimOrder
from brokers.terms import Side
from orders.models import Order, Trade
from orders.services.cancelling import cancel_order
from orders.states import FINAL, OrderStatus
from portfolio.models import Position
from tests.reliability.worlds import QUANTITY, World

SEEN_AS = {
    OrderState.OPEN: OrderStatus.OPEN,
    OrderState.PARTIAL: OrderStatus.PARTIALLY_FILLED,
    OrderState.COMPLETE: OrderStatus.FILLED,
    OrderState.CANCELLED: OrderStatus.CANCELLED,
    OrderState.REJECTED: OrderStatus.REJECTED,
}
Tell = Callable[[str, str], None]


@dataclass(frozen=True)
class SendFault:
    """Something that goes wrong while an order is sent; ``where`` is the place or its path."""

    name: str
    words: str
    at_wire: bool = True
    seconds: float | None = None


ON_SENDING = (
    SendFault("delay", "answer later than we wait", seconds=2.0),
    SendFault("drop_reply", "executed, answer lost"),
    SendFault("rate_limited", "too many calls"),
    SendFault("server_error_after", "executed, then a 502 page"),
    SendFault("server_error_before", "a 502 page, not executed"),
    SendFault("truncated_json", "executed, half an answer"),
    SendFault("html_200", "executed, a web page with status 200"),
    SendFault("expired_token", "the login has run out"),
    SendFault("wrong_ip", "the address is not registered"),
    SendFault("rms_in_book", "refused later, in the book", at_wire=False),
    SendFault("surfaces_late", "the order shows up after 83 s", at_wire=False),
)


class TestSending:
    @pytest.mark.parametrize("fault", ON_SENDING, ids=lambda fault: fault.name)
    def test_makes_one_order_or_none_and_knows_which(
        self, world: World, fault: SendFault, tell: Tell
    ) -> None:
        where = world.stand.placing if fault.at_wire else "place"
        world.faults.arm(fault.name, match=where, seconds=fault.seconds)
        if fault.name == "surfaces_late":
            world.faults.arm("drop_reply", match=world.stand.placing)
        order = world.send(world.place(below="5"))
        at_first = order.status
        recover(world)
        order.refresh_from_db()
        assert_agrees(world, order)
        tell(fault.words, f"{at_first} → {order.status}" if at_first != order.status else at_first)

    def test_again_by_hand_is_a_new_order(self, world: World) -> None:
        world.faults.arm("server_error_before", match=world.stand.placing)
        lost = world.send(world.place(below="5"))
        recover(world)
        again = world.send(world.place(below="5"))
        assert lost.tag != again.tag
        assert [len(world.at_broker(each)) for each in (lost, again)] == [0, 1]


class TestReading:
    @pytest.mark.parametrize("fault", ["empty_book", "partial_book"])
    def test_a_short_book_never_ends_an_order(self, world: World, fault: str, tell: Tell) -> None:
        order = world.send(world.place(below="5"))
        other = world.send(world.place(below="6"))
        world.faults.arm(fault, match="orders", times=4)
        world.reconcile()
        for each in (order, other):
            each.refresh_from_db()
            assert each.status not in FINAL
        recover(world)
        assert_agrees(world, order)
        tell(f"{fault.replace('_', ' ')} of orders", "nothing ends; agrees at the next reading")

    @pytest.mark.parametrize("fault", ["empty_book", "partial_book"])
    def test_a_short_report_of_positions_never_flattens(
        self, world: World, fault: str, tell: Tell
    ) -> None:
        order = bought(world)
        world.faults.arm(fault, match="positions", times=1)
        world.reconcile()
        assert position_of(world) == QUANTITY
        recover(world)
        assert_agrees(world, order)
        tell(f"{fault.replace('_', ' ')} of positions", "position kept; agrees at the next reading")

    @pytest.mark.parametrize("fault", ["server_error_before", "html_200", "truncated_json"])
    def test_a_failed_reading_proves_nothing(self, world: World, fault: str, tell: Tell) -> None:
        order = bought(world)
        world.faults.arm(fault, match="GET *", times=20)
        assert not world.reconcile().is_complete
        assert position_of(world) == QUANTITY
        recover(world)
        assert_agrees(world, order)
        tell(
            f"reading fails: {fault.replace('_', ' ')}", "position kept; agrees once it can be read"
        )


class TestRacing:
    def test_a_cancel_that_loses_to_a_fill(self, world: World, tell: Tell) -> None:
        order = world.send(world.place(below="5"))
        world.faults.arm("cancel_loses_to_fill", match="cancel")
        cancel_order(order, by=order.user, now=world.clock())
        world.send(order)
        recover(world)
        order.refresh_from_db()
        assert_agrees(world, order)
        assert order.status == OrderStatus.FILLED
        tell("a cancel loses to the fill", "FILLED and booked")

    def test_many_fills_on_one_order(self, world: World, tell: Tell) -> None:
        world.faults.arm("many_fills", match="place", amount=world.stand.fills)
        order = world.send(world.place(quantity=world.stand.fills))
        world.trade(world.price - 1)
        recover(world)
        assert_agrees(world, order)
        assert Trade.objects.filter(order=order).count() == world.stand.fills
        tell("an order in many fills", "each fill booked once")

    def test_an_order_of_the_brokers_app(self, world: World, tell: Tell) -> None:
        world.place_outside(Side.BUY, 5, price=world.price + 1)
        world.trade(world.price)
        recover(world)
        assert position_of(world) == 5
        tell("an order in the broker's own app", "adopted and booked")


def recover(world: World) -> None:
    """Let the bad day end: no fault, a new login where it is needed, the house's jobs at work."""
    for name in ("expired_token", "wrong_ip"):
        world.faults.clear(name)
    world.settle()
    world.faults.clear()
    world.account.connection.refresh_from_db()
    if world.account.connection.status != ConnectionStatus.CONNECTED:
        world.log_in()
        world.settle()
    for _ in range(2):
        world.pass_time(35)
        world.reconcile()


def assert_agrees(world: World, order: Order) -> None:
    """Hold one order, its fills and the account's position against the broker's."""
    order.refresh_from_db()
    theirs = world.at_broker(order)
    assert len(theirs) <= 1
    if theirs:
        assert_same(order, theirs[0])
    else:
        assert order.status in FINAL
        assert order.filled_quantity == 0
    held = sum(each.filled_quantity * each.side.sign for each in world.all_at_broker())
    assert position_of(world) == held
    world.account.refresh_from_db()
    assert world.account.reconciled_at is not None


def assert_same(order: Order, theirs: SimOrder) -> None:
    assert order.broker_order_id == theirs.order_id
    assert order.status == SEEN_AS[theirs.state]
    booked = sum(trade.quantity for trade in Trade.objects.filter(order=order))
    assert (order.filled_quantity, booked) == (theirs.filled_quantity, theirs.filled_quantity)


def bought(world: World) -> Order:
    order = world.send(world.place())
    world.trade(world.price - 1)
    world.reconcile()
    order.refresh_from_db()
    assert order.status == OrderStatus.FILLED
    return order


def position_of(world: World) -> int:
    positions = Position.objects.filter(account=world.account, position_type="NET").open()
    return sum(each.quantity for each in positions)
