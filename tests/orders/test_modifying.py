from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from brokers.gateway import BrokerStatus, OrderReport, Refused, Unknown
from brokers.terms import OrderType, Product, Side, Validity
from orders.models import EventSource, Order
from orders.services.commanding import settle_changes
from orders.services.modifying import (
    IllegalTransition,
    OrderChanges,
    OrderInvalid,
    modify_order,
)
from orders.services.reconciling import reconcile_account
from orders.services.reporting import apply_updates
from orders.states import OrderStatus
from portfolio.models import Position
from risk.models import ControlType, Reservation, RiskRule, RuleType, TraderControl
from tests.builders import make_user
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk
from tests.orders.test_cancelling import resting

pytestmark = pytest.mark.django_db
LOST = Unknown("read timed out")


def change(desk: Desk, order: Order, *, quantity: int | None = None, price: str = "") -> Order:
    changes = OrderChanges(quantity=quantity, price=Decimal(price) if price else None)
    return modify_order(order, changes=changes, by=desk.user, now=desk.now)


class TestAChange:
    def test_by_a_stranger_is_refused(self) -> None:
        desk = make_desk()
        order = resting(desk)
        desk.user = make_user("mallory")
        with pytest.raises(PermissionDenied):
            change(desk, order, quantity=5)

    def test_of_a_filled_order_is_refused(self) -> None:
        desk = make_desk()
        order = desk.buy()
        with pytest.raises(IllegalTransition):
            change(desk, order, quantity=20)

    def test_to_a_price_off_the_tick_is_refused(self) -> None:
        desk = make_desk()
        with pytest.raises(OrderInvalid, match="steps"):
            change(desk, resting(desk), price="90.03")

    def test_to_nothing_different_is_refused(self) -> None:
        desk = make_desk()
        with pytest.raises(OrderInvalid, match="Nothing is different"):
            change(desk, resting(desk), price="90.00")

    def test_beyond_a_limit_is_refused_and_changes_nothing(self) -> None:
        desk = make_desk()
        order = resting(desk)
        RiskRule.objects.create(
            workspace=desk.account.workspace,
            user=desk.user,
            rule_type=RuleType.MAX_LOTS,
            rule_value=50,
        )
        with pytest.raises(OrderInvalid, match="60 lots"):
            change(desk, order, quantity=60)
        assert Reservation.objects.get().quantity == 10

    def test_is_true_once_the_broker_took_it(self) -> None:
        desk = make_desk()
        order = desk.send(change(desk, resting(desk), quantity=20, price="91.00"))
        assert (order.quantity, order.price) == (20, Decimal("91"))
        assert order.state is OrderStatus.OPEN

    def test_holds_what_the_order_may_become(self) -> None:
        desk = make_desk()
        change(desk, resting(desk), quantity=20)
        assert Reservation.objects.get().quantity == 20

    def test_refused_by_the_broker_leaves_the_order_as_it_was(self) -> None:
        desk = make_desk()
        order = change(desk, resting(desk), price="91.00")
        with answering(modify=Refused("Too many changes", "E25")):
            desk.send(order)
        assert (order.state, order.price) == (OrderStatus.OPEN, Decimal("90"))
        assert order.modifications.get().succeeded is False

    def test_that_a_whole_fill_overtook_is_closed_and_changes_nothing(self) -> None:
        desk = make_desk()
        order = change(desk, resting(desk), quantity=20)
        report = OrderReport(
            broker_order_id=order.broker_order_id,
            tag=order.tag,
            instrument_key=desk.instrument.key,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            product=Product.MIS,
            validity=Validity.DAY,
            status=BrokerStatus.FILLED,
            quantity=10,
            filled_quantity=10,
            updated_at=desk.now,
        )
        source = EventSource.WEBSOCKET
        apply_updates(desk.account, orders=[report], trades=[], source=source, now=desk.now)
        settle_changes(order.pk, succeeded=True, words="The broker took it", now=desk.now)
        order.refresh_from_db()
        assert (order.state, order.quantity) == (OrderStatus.FILLED, 10)
        assert order.modifications.get().error_message.startswith("The order had ended")

    def test_without_an_answer_is_settled_by_the_book(self) -> None:
        desk = make_desk()
        order = change(desk, resting(desk), price="91.00")
        with answering(modify=LOST, executes=True):
            assert desk.send(order).state is OrderStatus.MODIFY_PENDING
        desk.now += timedelta(seconds=31)
        reconcile_account(desk.account, clock=desk.clock)
        order.refresh_from_db()
        assert (order.state, order.price) == (OrderStatus.OPEN, Decimal("91"))

    def test_without_an_answer_is_not_sent_again(self) -> None:
        desk = make_desk()
        order = change(desk, resting(desk), price="91.00")
        with answering(modify=LOST):
            desk.send(order)
        desk.now += timedelta(seconds=60)
        assert desk.send(order).state is OrderStatus.MODIFY_PENDING


class TestAChangeWhileStopped:
    """A change can make an order trade that would not have: what holds for a send holds for it."""

    @pytest.fixture
    def desk(self) -> Desk:
        return make_desk()

    def switch_on(self, desk: Desk) -> None:
        """The switch alone, as it stands before its cancels have been asked for."""
        TraderControl.objects.create(
            control_type=ControlType.KILL_SWITCH,
            workspace=desk.account.workspace,
            reason="News",
            activated_by=desk.user,
            activated_at=desk.now,
        )

    def test_asked_before_the_stop_does_not_leave_after_it(self, desk: Desk) -> None:
        order = change(desk, resting(desk), price="99.00")
        self.switch_on(desk)
        desk.send(order)
        assert (order.state, order.price) == (OrderStatus.OPEN, Decimal("90.00"))
        assert order.modifications.get().succeeded is False

    def test_of_the_trigger_alone_is_refused(self, desk: Desk) -> None:
        order = desk.send(desk.place(limit="104.00", trigger="103.00"))
        self.switch_on(desk)
        with pytest.raises(OrderInvalid, match="kill switch"):
            modify_order(
                order,
                changes=OrderChanges(trigger_price=Decimal("100.50")),
                by=desk.user,
                now=desk.now,
            )

    def test_that_takes_off_quantity_waits_for_the_cancel_instead(self, desk: Desk) -> None:
        order = change(desk, resting(desk), quantity=4)
        self.switch_on(desk)
        desk.send(order)
        assert (order.state, order.quantity) == (OrderStatus.OPEN, 10)

    def test_of_an_exit_beyond_what_is_left_is_refused(self, desk: Desk) -> None:
        desk.buy(10)
        order = desk.send(desk.place(Side.SELL, 10, limit="104.00"))
        Position.objects.update(quantity=4)
        with pytest.raises(OrderInvalid, match="Only 4 are left to exit"):
            change(desk, order, price="95.00")
        assert change(desk, order, quantity=4).state is OrderStatus.MODIFY_PENDING

    def test_of_an_exit_leaves(self, desk: Desk) -> None:
        desk.buy(10)
        order = change(desk, desk.send(desk.place(Side.SELL, 10, limit="104.00")), price="103.00")
        self.switch_on(desk)
        desk.send(order)
        assert order.price == Decimal("103.00")

    def test_that_waited_too_long_for_its_worker_is_given_up(self, desk: Desk) -> None:
        order = change(desk, resting(desk), price="91.00")
        desk.now += timedelta(minutes=90)
        desk.send(order)
        assert (order.state, order.price) == (OrderStatus.OPEN, Decimal("90.00"))
        assert "in time" in order.modifications.get().error_message
