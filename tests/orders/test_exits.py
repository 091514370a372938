from decimal import Decimal

import pytest

from brokers.gateway import Refused
from brokers.terms import Side
from market.quotes import forget_quotes
from orders.models import Order
from orders.services.cancelling import cancel_order
from orders.services.exiting import NothingToExit, exit_position
from orders.services.modifying import OrderChanges, OrderInvalid, modify_order
from orders.services.stopping import sweep_stopped_entries
from orders.states import OrderStatus
from portfolio.models import Position
from risk.models import Reservation, RuleType, Trading
from risk.services import set_trading_state
from risk.services.switching import Cause, Scope
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk
from tests.orders.test_cancelling import resting
from tests.risk.test_judging import limit

pytestmark = pytest.mark.django_db


def exit_now(desk: Desk, position: Position, key: str) -> Order:
    [order] = exit_position(position, by=desk.user, now=desk.now, idempotency_key=key)
    return order


class TestAnExit:
    def test_computed_on_a_position_that_is_gone_is_refused(self) -> None:
        desk = make_desk()
        desk.buy(10)
        stale = Position.objects.open().get()
        desk.send(desk.place(Side.SELL, 10))
        desk.trade("100.00")
        desk.trade("100.00")
        with pytest.raises(NothingToExit):
            exit_now(desk, stale, "late")
        assert not Position.objects.open().exists()

    def test_that_rests_is_cancelled_when_its_position_is_closed_otherwise(self) -> None:
        desk = make_desk()
        desk.buy(10)
        waiting = desk.send(desk.place(Side.SELL, 10, limit="120.00"))
        desk.trade("100.00")
        assert waiting.is_exit
        closing = desk.place(Side.SELL, 10)
        desk.send(closing)
        desk.trade("100.00")
        desk.trade("100.00")
        waiting.refresh_from_db()
        assert waiting.state is OrderStatus.CANCEL_PENDING

    def test_leaves_an_account_that_is_switched_off(self) -> None:
        desk = make_desk()
        desk.buy(10)
        desk.account.is_active = False
        desk.account.save()
        order = exit_now(desk, Position.objects.open().get(), "out")
        assert desk.send(order).state is OrderStatus.PLACED


class TestASaleFarBelowTheMarket:
    def test_is_judged_at_the_market(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_POSITION_SIZE, "5000")
        order = desk.place(Side.SELL, 1000, limit="1.00")
        assert "could reach 1,00,000.00" in order.error_message

    def test_without_a_price_to_judge_it_at_is_refused(self) -> None:
        desk = make_desk()
        forget_quotes([desk.instrument.key])
        assert "No current price" in desk.place(Side.SELL, 1, limit="1.00").error_message


class TestAHalt:
    def test_leaves_exits_alone(self) -> None:
        desk = make_desk()
        desk.buy(10)
        desk.send(desk.place(Side.SELL, 10, limit="120.00"))
        set_trading_state(
            Scope(desk.account.workspace), Trading.HALTED, cause=Cause("drill"), now=desk.now
        )
        assert sweep_stopped_entries(now=desk.now) == 0


class TestAChangeOfAnOrder:
    def test_is_judged_even_when_it_is_smaller_and_halted(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place(Side.SELL, 10, limit="110.00"))
        desk.trade("100.00")
        set_trading_state(
            Scope(desk.account.workspace), Trading.HALTED, cause=Cause("drill"), now=desk.now
        )
        changes = OrderChanges(quantity=9, price=Decimal("99.00"))
        with pytest.raises(OrderInvalid, match="halted"):
            modify_order(order, changes=changes, by=desk.user, now=desk.now)

    def test_beyond_the_free_money_is_refused(self) -> None:
        desk = make_desk(cash="1000")
        order = resting(desk)
        changes = OrderChanges(quantity=10_000_000)
        with pytest.raises(OrderInvalid, match="is free"):
            modify_order(order, changes=changes, by=desk.user, now=desk.now)

    def test_to_less_holds_the_larger_until_the_broker_took_it(self) -> None:
        desk = make_desk()
        order = resting(desk)
        modify_order(order, changes=OrderChanges(quantity=1), by=desk.user, now=desk.now)
        assert Reservation.objects.get().quantity == 10
        desk.send(order)
        assert Reservation.objects.get().quantity == 1

    def test_refused_by_the_broker_holds_what_it_was(self) -> None:
        desk = make_desk()
        order = resting(desk)
        modify_order(order, changes=OrderChanges(quantity=100), by=desk.user, now=desk.now)
        with answering(modify=Refused("Too many changes", "E25")):
            desk.send(order)
        assert Reservation.objects.get().quantity == 10

    def test_is_given_up_with_a_cancel_and_never_sent_later(self) -> None:
        desk = make_desk()
        order = resting(desk)
        changes = OrderChanges(price=Decimal("91.00"))
        modify_order(order, changes=changes, by=desk.user, now=desk.now)
        cancel_order(order, by=desk.user, now=desk.now)
        assert not order.modifications.filter(succeeded=None).exists()
