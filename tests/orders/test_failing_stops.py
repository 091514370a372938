"""An error while entries are cancelled holds back neither other cancels nor the exits behind it."""

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection

from operations.models import ErrorLog, Severity
from orders.models import Order, OrderSource
from orders.services.halting import Halted, HaltRequest, halt_trading
from orders.services.stopping import sweep_stopped_entries
from orders.states import OrderStatus
from risk.models import RiskRule, RuleType
from risk.services import engage_kill_switch
from risk.stopping import entries_stopped
from tests.orders.desk import Desk, make_desk
from tests.orders.test_stopping_entries import fall, long_with_a_resting_buy
from tests.risk.test_judging import limit

pytestmark = pytest.mark.django_db


def halt_and_exit(desk: Desk) -> Halted:
    request = HaltRequest(desk.user, "drill", "k", exits_positions=True)
    return halt_trading(desk.account.workspace, request, now=desk.now)


def break_cancelling(order: Order) -> None:
    """Count no event, so that the next one hits the unique number of the first."""
    Order.objects.filter(pk=order.pk).update(event_count=0)


def fail_to_hear(**_: object) -> None:
    raise DatabaseError("disk full")


@pytest.fixture
def deaf() -> Iterator[None]:
    """Something that hears of a stop, and fails."""
    entries_stopped.connect(fail_to_hear)
    yield
    entries_stopped.disconnect(fail_to_hear)


class TestAnErrorWhileEntriesAreCancelled:
    def test_does_not_keep_the_positions_from_being_exited(self, deaf: None) -> None:
        desk, order = long_with_a_resting_buy()
        halted = halt_and_exit(desk)
        assert [exit.quantity for exit in halted.exits] == [100]
        assert ["because of an error" in each for each in halted.complaints] == [True]
        assert ErrorLog.objects.get(severity=Severity.CRITICAL).error_type == "DatabaseError"
        order.refresh_from_db()
        assert order.state is OrderStatus.CANCEL_PENDING

    def test_of_one_book_is_said(self) -> None:
        desk, order = long_with_a_resting_buy()
        break_cancelling(order)
        halted = halt_and_exit(desk)
        assert (halted.cancelled, len(halted.exits)) == (0, 1)
        assert halted.complaints[0].startswith("Buy 100 RELIANCE could not be cancelled because")
        assert ErrorLog.objects.get(severity=Severity.CRITICAL).error_type == "IntegrityError"

    @pytest.mark.parametrize("broken", [0, 1])
    def test_of_one_workspace_does_not_hold_back_another(self, broken: int) -> None:
        orders = [long_with_a_resting_buy()[1], other_with_a_resting_buy()]
        break_cancelling(orders[broken])
        switch = engage_kill_switch(None, by=None, reason="drill", now=orders[0].created_at)
        orders[1 - broken].refresh_from_db()
        assert orders[1 - broken].state is OrderStatus.CANCEL_PENDING
        assert (switch.cancelled.count, len(switch.cancelled.left)) == (1, 1)

    def test_does_not_keep_a_rules_exit_back(self, deaf: None) -> None:
        desk, _ = long_with_a_resting_buy()
        rule = limit(desk, RuleType.MAX_DAILY_LOSS, "500")
        RiskRule.objects.filter(pk=rule.pk).update(exits_positions=True)
        fall(desk)
        assert Order.objects.filter(source=OrderSource.RISK, side="SELL").exists()

    def test_of_telling_holds_back_nothing(self) -> None:
        desk, order = long_with_a_resting_buy()
        other = other_with_a_resting_buy()
        with connection.execute_wrapper(no_notification):
            switch = engage_kill_switch(None, by=None, reason="drill", now=desk.now)
        assert switch.cancelled.count == 2
        assert sweep_stopped_entries(now=desk.now) == 0
        assert {order.pk, other.pk} == set(
            Order.objects.filter(status=OrderStatus.CANCEL_PENDING).values_list("pk", flat=True)
        )


def other_with_a_resting_buy() -> Order:
    desk = make_desk("bela", key="NSE:TCS")
    order = desk.send(desk.place(limit="90.00", quantity=100))
    desk.trade("100.00")
    order.refresh_from_db()
    return order


def no_notification(execute, sql, params, many, context):
    if sql.startswith('INSERT INTO "notifications"'):
        raise DatabaseError("disk full")
    return execute(sql, params, many, context)
