from decimal import Decimal

import pytest
from django.test import override_settings

from brokers.models import BrokerConnection, ConnectionStatus
from brokers.terms import Product, Side
from orders.models import Order
from orders.states import OrderStatus
from risk.models import ControlType, Reservation, RiskRule, RuleType, TraderControl, Trading
from risk.selectors import effective_state
from risk.services import set_trading_state
from risk.services.switching import Cause, Scope
from tests.orders.desk import Desk, make_desk

pytestmark = pytest.mark.django_db


def limit(desk: Desk, rule_type: RuleType, value: str, **scope: object) -> RiskRule:
    return RiskRule.objects.create(
        workspace=desk.account.workspace,
        user=desk.user,
        rule_type=rule_type,
        rule_value=Decimal(value),
        **scope,
    )


def state(desk: Desk, trading: Trading) -> None:
    cause = Cause("a drill")
    set_trading_state(Scope(desk.account.workspace), trading, cause=cause, now=desk.now)


class TestAnEntryIsRefused:
    def test_while_the_account_has_not_been_reconciled(self) -> None:
        desk = make_desk()
        desk.account.reconciled_at = None
        desk.account.save()
        assert "not been reconciled" in desk.place().error_message

    @pytest.mark.parametrize("status", [ConnectionStatus.EXPIRED, ConnectionStatus.DISCONNECTED])
    def test_while_nobody_is_logged_in_at_the_broker(self, status: ConnectionStatus) -> None:
        desk = make_desk()
        BrokerConnection.objects.update(status=status)
        desk.account.connection.refresh_from_db()
        assert (
            desk.place().error_message == "Nobody is logged in at Paper: log in on the Brokers page"
        )

    def test_while_the_account_is_switched_off(self) -> None:
        desk = make_desk()
        desk.account.is_active = False
        desk.account.save()
        assert "switched off" in desk.place().error_message

    @pytest.mark.parametrize("trading", [Trading.REDUCING, Trading.HALTED])
    def test_while_trading_is_stopped(self, trading: Trading) -> None:
        desk = make_desk()
        state(desk, trading)
        assert "a drill" in desk.place().error_message

    def test_for_more_money_than_is_free(self) -> None:
        order = make_desk(cash="150").place(quantity=10, product=Product.CNC)
        assert order.error_message.startswith("Needs 1,0")

    def test_for_money_that_an_unsent_order_holds_already(self) -> None:
        desk = make_desk(cash="1500")
        first = desk.place(quantity=10, product=Product.CNC)
        second = desk.place(quantity=10, product=Product.CNC)
        assert [first.state, second.state] == [OrderStatus.PENDING, OrderStatus.DENIED]

    def test_when_pending_orders_together_pass_the_limit(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_POSITION_SIZE, "1500")
        assert desk.place(quantity=10).state is OrderStatus.PENDING
        assert "could reach 2,000.00" in desk.place(quantity=10).error_message

    def test_after_the_most_orders_of_the_day(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_ORDERS_PER_DAY, "1")
        desk.place()
        assert "1 orders have been placed today" in desk.place().error_message

    def test_with_every_reason_named(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_LOTS, "1")
        state(desk, Trading.REDUCING)
        assert desk.place(quantity=10).violations.count() == 2

    @pytest.mark.parametrize(
        ("field", "words"),
        [("order_value_limit", "order is worth"), ("position_size_limit", "position could reach")],
    )
    def test_beyond_a_hard_limit(self, field: str, words: str) -> None:
        desk = make_desk()
        TraderControl.objects.create(
            workspace=desk.account.workspace,
            control_type=ControlType.RISK_LIMIT,
            activated_at=desk.now,
            **{field: Decimal(900)},
        )
        assert words in desk.place(quantity=10).error_message

    @override_settings(LIVE_TRADING=False)
    def test_with_real_money_while_live_trading_is_off(self) -> None:
        desk = make_desk()
        BrokerConnection.objects.update(paper_trading=False)
        assert "Live trading is switched off" in desk.place().error_message


class TestARule:
    def test_of_another_account_says_nothing(self) -> None:
        desk, other = make_desk(), make_desk("bela")
        limit(desk, RuleType.MAX_LOTS, "1", account=other.account)
        assert desk.place(quantity=10).state is OrderStatus.PENDING

    def test_of_another_workspace_says_nothing(self) -> None:
        desk, other = make_desk(), make_desk("bela")
        limit(other, RuleType.MAX_LOTS, "1")
        assert desk.place(quantity=10).state is OrderStatus.PENDING

    def test_that_is_switched_off_says_nothing(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_LOTS, "1", is_active=False)
        assert desk.place(quantity=10).state is OrderStatus.PENDING


class TestAnExit:
    @pytest.mark.parametrize("trading", [Trading.REDUCING, Trading.HALTED])
    def test_passes_whatever_the_state(self, trading: Trading) -> None:
        desk = make_desk()
        desk.buy(10)
        state(desk, trading)
        order = desk.place(Side.SELL, 10)
        assert (order.is_exit, order.state) == (True, OrderStatus.PENDING)

    def test_passes_without_a_price(self) -> None:
        desk = make_desk()
        desk.buy(10)
        desk.now = desk.now.replace(hour=desk.now.hour + 1)
        assert desk.place(Side.SELL, 10).state is OrderStatus.PENDING

    def test_passes_every_limit(self) -> None:
        desk = make_desk()
        desk.buy(10)
        limit(desk, RuleType.MAX_ORDERS_PER_DAY, "1")
        assert desk.place(Side.SELL, 10).state is OrderStatus.PENDING

    def test_larger_than_the_position_is_no_exit_and_says_how_much_is(self) -> None:
        desk = make_desk()
        desk.buy(10)
        state(desk, Trading.REDUCING)
        assert "You can exit up to 10" in desk.place(Side.SELL, 15).error_message

    def test_for_what_another_exit_closes_already_is_no_exit(self) -> None:
        desk = make_desk()
        desk.buy(10)
        desk.place(Side.SELL, 10)
        assert desk.place(Side.SELL, 10).is_exit is False


class TestAReservation:
    def test_shrinks_as_the_order_fills(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place(quantity=100))
        desk.trade("100.00", volume=100)
        desk.trade("100.00", volume=100)
        order.refresh_from_db()
        held = Reservation.objects.get(order_id=order.pk)
        assert 0 < order.filled_quantity < 100
        assert held.quantity == order.remaining_quantity

    def test_is_released_when_the_order_ends(self) -> None:
        desk = make_desk()
        desk.buy(10)
        assert not Reservation.objects.filter(released_at=None).exists()


class TestTheStrictestState:
    def test_wins(self) -> None:
        desk = make_desk()
        state(desk, Trading.REDUCING)
        scope = Scope(desk.account.workspace, desk.account)
        set_trading_state(scope, Trading.HALTED, cause=Cause("worse"), now=desk.now)
        assert effective_state(desk.account) is Trading.HALTED

    def test_is_active_where_nobody_said_anything(self) -> None:
        assert effective_state(make_desk().account) is Trading.ACTIVE
        assert not Order.objects.exists()
