"""Exits beyond what is left of their position are called off, and no more of them than that."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from brokers.answers import not_sent
from brokers.gateway import BrokerStatus, OrderReport, Refused, TradeReport, Unknown
from brokers.models import TradingAccount
from brokers.terms import OrderType, Product, Side, Validity
from notifications.models import Notification
from orders.models import Order
from orders.requests import OrderRequest
from orders.services.cancelling import cancel_order
from orders.services.placing import place_order
from orders.services.surplus import sweep_surplus_exits
from orders.states import OrderStatus
from orders.tasks import sweep_orders
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk, settle_unknown_orders
from tests.orders.test_exits_from_outside import hold, stop_outside
from tests.orders.test_lying_brokers import told

pytestmark = pytest.mark.django_db
TITLE = "Exit called off"


def stop(desk: Desk, quantity: int, *, strategy: UUID | None = None) -> Order:
    """An exit of ours that waits at the broker for a lower price."""
    desk.placed += 1
    request = OrderRequest(
        account=desk.account,
        instrument=desk.instrument,
        side=Side.SELL,
        quantity=quantity,
        order_type=OrderType.SL_M,
        product=Product.MIS,
        trigger_price=Decimal("90.00"),
        user_strategy_id=strategy,
    )
    key = f"stop {desk.placed}"
    order = desk.send(place_order(request, user=desk.user, idempotency_key=key, now=desk.now))
    assert order.is_exit
    return order


def sell_outside(desk: Desk, quantity: int, *, number: str = "") -> None:
    """Somebody sells in the broker's own app."""
    desk.placed += 1
    number = number or f"X{desk.placed}"
    report = OrderReport(
        broker_order_id=number,
        tag="",
        instrument_key=desk.instrument.key,
        side=Side.SELL,
        order_type=OrderType.MARKET,
        product=Product.MIS,
        validity=Validity.DAY,
        status=BrokerStatus.FILLED,
        quantity=quantity,
        filled_quantity=quantity,
        updated_at=desk.now,
    )
    trade = TradeReport(
        f"T{number}",
        number,
        desk.instrument.key,
        Side.SELL,
        Product.MIS,
        quantity,
        Decimal("100.00"),
        desk.now,
    )
    told(desk, orders=[report], trades=[trade])


def states(*orders: Order) -> list[OrderStatus]:
    for order in orders:
        order.refresh_from_db()
    return [order.state for order in orders]


CALLED_OFF, KEPT = OrderStatus.CANCEL_PENDING, OrderStatus.PLACED


class TestExitsOfAPositionSoldInPartOutside:
    def test_are_kept_as_far_as_they_fit_the_oldest_first(self) -> None:
        desk = make_desk()
        desk.buy(100)
        first, second = stop(desk, 50), stop(desk, 50)
        sell_outside(desk, 50)
        assert states(first, second) == [KEPT, CALLED_OFF]

    def test_keep_a_newer_one_that_still_fits_beside_the_older(self) -> None:
        desk = make_desk()
        desk.buy(100)
        stops = [stop(desk, 50), stop(desk, 30), stop(desk, 20)]
        sell_outside(desk, 30)
        assert states(*stops) == [KEPT, CALLED_OFF, KEPT]

    def test_are_called_off_where_even_one_alone_is_too_large(self) -> None:
        desk = make_desk()
        desk.buy(100)
        stops = [stop(desk, 50), stop(desk, 50)]
        sell_outside(desk, 60)
        assert states(*stops) == [CALLED_OFF, CALLED_OFF]

    def test_leave_out_what_a_person_has_called_off_already(self) -> None:
        desk = make_desk()
        desk.buy(100)
        first, second = stop(desk, 50), stop(desk, 50)
        cancel_order(first, by=desk.user, now=desk.now)
        sell_outside(desk, 50)
        assert states(first, second) == [CALLED_OFF, KEPT]

    def test_of_two_strategies_go_with_the_strategy_that_was_closed(self) -> None:
        desk = make_desk()
        positions = [hold(desk, name, "BUY 50 @ 100") for name in ("first", "second")]
        stops = [stop(desk, 50, strategy=each.user_strategy_id) for each in positions]
        sell_outside(desk, 50)
        assert states(*stops) == [CALLED_OFF, KEPT]

    def test_are_told_to_the_owner_each_once(self) -> None:
        desk = make_desk()
        desk.buy(100)
        for quantity in (50, 50):
            stop(desk, quantity)
        sell_outside(desk, 100)
        alerts = Notification.objects.filter(title__startswith=TITLE)
        assert [alert.user for alert in alerts] == [desk.user] * 2
        assert "Nothing is left for it to close" in alerts[0].message

    def test_say_how_much_is_left(self) -> None:
        desk = make_desk()
        desk.buy(100)
        stop(desk, 100)
        sell_outside(desk, 60)
        alert = Notification.objects.get(title=f"{TITLE}: Sell 100 RELIANCE")
        assert "Only 40 are left" in alert.message

    def test_say_in_their_history_why_they_went(self) -> None:
        desk = make_desk()
        desk.buy(100)
        order = stop(desk, 100)
        sell_outside(desk, 100)
        asked = order.events.get(event_type="ASK_CANCEL")
        assert "more than its position has left to close" in asked.message


class TestAnExitFromOutside:
    def test_is_never_called_off(self) -> None:
        desk = make_desk()
        desk.buy(100)
        outside = stop_outside(desk, 100)
        sell_outside(desk, 100)
        sweep_surplus_exits(now=desk.now)
        assert states(outside) == [OrderStatus.TRIGGER_PENDING]


class TestASweep:
    def test_leaves_exits_that_fit_with_one_query(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        desk = make_desk()
        desk.buy(100)
        stops = [stop(desk, 50), stop(desk, 50)]
        with django_assert_num_queries(1):
            assert sweep_surplus_exits(now=desk.now) == 0
        assert states(*stops) == [KEPT, KEPT]

    def test_leaves_a_stop_beside_a_target(self) -> None:
        desk = make_desk()
        desk.buy(100)
        order = stop(desk, 100)
        target = desk.send(desk.place(Side.SELL, 100, limit="120.00"))
        assert not target.is_exit
        assert sweep_surplus_exits(now=desk.now) == 0
        assert states(order) == [KEPT]

    def test_leaves_a_stop_beside_one_from_outside(self) -> None:
        desk = make_desk()
        desk.buy(100)
        order = stop(desk, 100)
        stop_outside(desk, 100)
        assert sweep_surplus_exits(now=desk.now) == 0
        assert states(order) == [KEPT]

    def test_leaves_a_replay_alone(self) -> None:
        desk = make_desk()
        desk.buy(100)
        order = stop(desk, 100)
        _take_away_the_position(desk)
        TradingAccount.objects.update(own_clock=True)
        assert sweep_surplus_exits(now=desk.now) == 0
        assert states(order) == [KEPT]

    def test_finds_an_exit_that_nobody_knew_of_while_its_position_was_closed(self) -> None:
        desk = make_desk()
        desk.buy(100)
        stop_outside(desk, 10, number="X1")
        with answering(place=Unknown("read timed out"), executes=True):
            order = stop(desk, 90)
        sell_outside(desk, 100, number="X1")
        desk.now += timedelta(seconds=2)
        settle_unknown_orders(desk.clock)
        assert states(order) == [OrderStatus.PLACED]
        assert sweep_surplus_exits(now=desk.now) == 1
        assert states(order) == [CALLED_OFF]

    def test_keeps_the_oldest_of_a_position_that_became_smaller(self) -> None:
        desk = make_desk()
        desk.buy(100)
        stops = [stop(desk, 50), stop(desk, 50)]
        _take_away_the_position(desk, left=50)
        assert sweep_surplus_exits(now=desk.now) == 1
        assert states(*stops) == [KEPT, CALLED_OFF]

    def test_finds_a_strategys_exit_on_a_book_of_its_own_that_is_flat(self) -> None:
        desk = make_desk()
        positions = [hold(desk, name, "BUY 50 @ 100") for name in ("first", "second")]
        stops = [stop(desk, 50, strategy=each.user_strategy_id) for each in positions]
        _take_away_the_position(desk, strategy=positions[0].user_strategy_id)
        assert sweep_surplus_exits(now=desk.now) == 1
        assert states(*stops) == [CALLED_OFF, KEPT]

    def test_asks_again_for_what_the_broker_refuses_but_not_at_every_round(self) -> None:
        desk = make_desk()
        desk.buy(100)
        order = stop(desk, 100)
        sell_outside(desk, 100)
        asked = []
        for _ in range(12):
            with answering(cancel=Refused("Order is being processed", "E1")):
                desk.send(order)
            desk.now += timedelta(seconds=2)
            asked.append(sweep_surplus_exits(now=desk.now))
        assert asked == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0]
        assert Notification.objects.filter(title__startswith=TITLE).count() == 1
        assert Notification.objects.filter(title__startswith="Not cancelled").count() == 1

    def test_asks_but_once_while_the_cancel_cannot_leave(self) -> None:
        desk = make_desk()
        desk.buy(100)
        order = stop(desk, 100)
        sell_outside(desk, 100)
        with answering(cancel=not_sent("Nobody is logged in")):
            desk.send(order)
        assert sweep_surplus_exits(now=desk.now) == 0

    def test_of_all_orders_does_it(self) -> None:
        desk = make_desk()
        desk.buy(100)
        order = stop(desk, 100)
        _take_away_the_position(desk)
        with time_machine.travel(desk.now, tick=False):
            sweep_orders()
        assert states(order) != [KEPT]


def _take_away_the_position(desk: Desk, *, left: int = 0, strategy: UUID | None = None) -> None:
    """Let it have become smaller by no fill that this side has heard of, as by a conversion."""
    position = desk.account.positions.open().get(user_strategy=strategy)
    if left:
        position.quantity, position.open_cost = left, position.open_cost / 2
    else:
        position.quantity = position.open_cost = 0
        position.status, position.closed_at = "CLOSED", desk.now
    position.save()
