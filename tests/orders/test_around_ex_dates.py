"""What stands around a split or bonus: rules, orders in old shares, a live broker's word."""

from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import Settings

from brokers.gateway import HoldingReport
from brokers.terms import Product, Side
from notifications.models import Notification
from orders.models import Order
from orders.states import OrderStatus
from portfolio.models import PositionDifference, ShareCredit
from risk.models import RiskViolation, RuleType, Trading
from risk.selectors import effective_state
from tests.orders.desk import Desk, make_desk
from tests.orders.live_desk import make_live_desk, reconcile, saying
from tests.orders.share_actions import EX_MORNING, MIDNIGHT, follow, held, record
from tests.risk.test_evaluating import evaluate
from tests.risk.test_judging import limit

pytestmark = pytest.mark.django_db


class TestRules:
    @pytest.fixture
    def desk(self) -> Desk:
        desk = make_desk()
        limit(desk, RuleType.TRAILING_STOP, "5")
        limit(desk, RuleType.MAX_DAILY_LOSS, "500")
        held(desk)
        evaluate(desk, "104.00")
        record(desk)
        follow(desk)
        desk.now = EX_MORNING
        return desk

    def test_fire_on_no_price_in_new_shares(self, desk: Desk) -> None:
        assert evaluate(desk, "50.50") == []
        assert not RiskViolation.objects.exists()
        assert effective_state(desk.account) is Trading.ACTIVE

    def test_fire_on_a_real_fall(self, desk: Desk) -> None:
        assert evaluate(desk, "46.00")


class TestAnOrderInOldShares:
    def test_is_called_off_and_its_adjusted_level_offered(self) -> None:
        desk = held(make_desk())
        order = desk.place(Side.BUY, 100, limit="90.00", product=Product.CNC)
        Order.objects.filter(pk=order.pk).update(status=OrderStatus.OPEN)
        record(desk)
        follow(desk)
        order.refresh_from_db()
        assert order.state is OrderStatus.CANCEL_PENDING
        told = Notification.objects.get(title="Buy 100 RELIANCE is being cancelled")
        assert "200, price 45.00" in told.message

    def test_that_was_never_sent_is_withdrawn(self) -> None:
        desk = make_desk()
        order = desk.place(Side.BUY, 100, limit="90.00", product=Product.CNC)
        record(desk)
        follow(desk)
        order.refresh_from_db()
        assert order.state.is_final
        assert Notification.objects.filter(title="Buy 100 RELIANCE is cancelled").exists()

    @pytest.mark.parametrize("first", [OrderStatus.OPEN, OrderStatus.SUBMITTING])
    def test_is_cancelled_until_it_is_gone_and_told_of_once(self, first: OrderStatus) -> None:
        desk = held(make_desk())
        order = desk.place(Side.BUY, 100, limit="90.00", product=Product.CNC)
        written = Order.objects.filter(pk=order.pk)
        written.update(status=first)
        record(desk)
        follow(desk)
        for minute in range(1, 3):  # The broker refuses each cancel.
            written.update(status=OrderStatus.OPEN)
            follow(desk, MIDNIGHT + timedelta(minutes=minute))
            order.refresh_from_db()
            assert order.state is OrderStatus.CANCEL_PENDING
        assert Notification.objects.filter(title__endswith="is being cancelled").count() == 1


class TestALiveAccount:
    @pytest.fixture
    def desk(self, settings: Settings) -> Desk:
        desk = held(make_live_desk(settings))
        assert reconcile(desk).agrees
        record(desk)
        return desk

    @pytest.mark.parametrize("told", [100, 200])
    def test_agrees_before_the_books_have_taken_it_in(self, desk: Desk, told: int) -> None:
        desk.now = EX_MORNING
        with self._telling(desk, told):
            assert reconcile(desk).agrees

    @pytest.mark.parametrize("told", [100, 200])
    def test_agrees_before_and_after_the_credit(self, desk: Desk, told: int) -> None:
        follow(desk)
        desk.now = EX_MORNING
        with self._telling(desk, told):
            assert reconcile(desk).agrees
        assert not PositionDifference.objects.exists()
        assert ShareCredit.objects.pending().exists() == (told == 100)

    @pytest.mark.parametrize("told", [99, 0])
    def test_differs_where_more_is_missing_than_is_to_be_credited(
        self, desk: Desk, told: int
    ) -> None:
        follow(desk)
        desk.now = EX_MORNING
        with self._telling(desk, told):
            assert not reconcile(desk).agrees

    def _telling(self, desk: Desk, quantity: int) -> AbstractContextManager[None]:
        rows = [HoldingReport(desk.instrument.key, quantity, 0, Decimal(100))] if quantity else []
        return saying([], holdings=rows)
