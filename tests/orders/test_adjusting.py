"""A believed difference becomes a visible adjustment, which the books can be rebuilt from."""

from decimal import Decimal

import pytest
from django.core.management import call_command
from pytest_django import Settings

from brokers.gateway import HoldingReport, TradeReport
from brokers.terms import Product, Side
from market.quotes import forget_quotes
from notifications.models import AlertLevel, Notification
from orders.models import Order, OrderSource, Trade
from orders.services.adjusting import adopt_difference
from orders.services.charging import charge_trades
from orders.states import OrderStatus
from portfolio.models import DifferenceState, Position, PositionDifference
from strategies.models import ActivationStatus, UserStrategy
from tests.orders.desk import Desk
from tests.orders.live_desk import (
    broker_positions,
    held,
    make_live_desk,
    moved,
    reconcile,
    saying,
    the_difference,
)
from tests.portfolio.fills import make_fill, make_running_strategy, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(settings: Settings) -> Desk:
    """Ten bought today, and agreed upon with the broker."""
    desk = make_live_desk(settings)
    desk.buy(10)
    assert reconcile(desk).agrees
    return desk


def adjust(desk: Desk, quantity: int, **fields: object) -> Order:
    """Let the broker say so twice, half a minute apart."""
    with saying(moved(desk, quantity, **fields)):
        reconcile(desk)
        assert reconcile(desk, after=30).agrees
    return Order.objects.get(source=OrderSource.ADJUSTMENT)


class TestADifferenceIsLeftOpen:
    def test_when_our_side_has_moved_since_the_reading(self, desk: Desk) -> None:
        with saying(moved(desk, 7)):
            reconcile(desk)
        Position.objects.filter(position_type="NET").update(quantity=9)
        adopt_difference(the_difference().pk, now=desk.now)
        assert the_difference().state == DifferenceState.OPEN

    def test_when_nobody_knows_a_price(self, desk: Desk) -> None:
        forget_quotes([desk.instrument.key])
        unknown = held(desk, 5, product=Product.NRML)
        unknown = type(unknown)(unknown.instrument_key, unknown.product, 5, Decimal(0))
        with saying([*moved(desk, 10, average_price=Decimal(0)), unknown]):
            for _ in range(3):
                reconcile(desk, after=30)
        assert "price" in the_difference().reason


class TestAnAdjustment:
    def test_brings_the_books_to_what_the_broker_holds(self, desk: Desk) -> None:
        adjust(desk, 7)
        assert Position.objects.open().get().quantity == 7

    def test_lets_the_instrument_trade_again(self, desk: Desk) -> None:
        adjust(desk, 7)
        assert desk.place().state is OrderStatus.PENDING

    def test_is_an_order_with_one_trade_at_the_brokers_average(self, desk: Desk) -> None:
        order = adjust(desk, 12, average_price=Decimal("99.50"))
        [trade] = order.trades.all()
        assert (order.side, order.quantity, order.state) == (Side.BUY, 2, OrderStatus.FILLED)
        assert trade.price == Decimal("99.50")
        assert "broker's average" in order.error_message

    def test_at_the_last_price_says_so(self, desk: Desk) -> None:
        order = adjust(desk, 0, sell_quantity=10, average_price=Decimal(0))
        assert "the last price" in order.error_message
        assert order.trades.get().price == Decimal("100.00")
        assert not Position.objects.open().exists()

    def test_has_charges_that_nobody_knows(self, desk: Desk) -> None:
        trade = adjust(desk, 7).trades.get()
        assert (trade.charges, trade.charges_known) == (Decimal(0), False)
        assert charge_trades(desk.account, now=desk.now).trades == 0

    def test_is_told_critically_to_the_accounts_owner(self, desk: Desk) -> None:
        adjust(desk, 7)
        told = Notification.objects.get(title__startswith="Taken off 3")
        assert (told.user, told.alert_level) == (desk.user, AlertLevel.CRITICAL)
        assert "10 here, 7 at the broker" in told.message

    def test_is_written_once(self, desk: Desk) -> None:
        adjust(desk, 7)
        difference = PositionDifference.objects.get()
        adopt_difference(difference.pk, now=desk.now)
        with saying(moved(desk, 7)):
            reconcile(desk, after=30)
        assert Order.objects.filter(source=OrderSource.ADJUSTMENT).count() == 1
        assert (difference.state, difference.adjustment_id) == (
            DifferenceState.ADJUSTED,
            Order.objects.get(source=OrderSource.ADJUSTMENT).pk,
        )

    def test_is_undone_by_another_when_the_missing_trade_comes_late(self, desk: Desk) -> None:
        adjust(desk, 7)
        reconcile(desk, after=30)
        assert reconcile(desk, after=30).agrees
        assert Position.objects.open().get().quantity == 10
        assert Order.objects.filter(source=OrderSource.ADJUSTMENT).count() == 2

    def test_of_a_conversion_moves_the_position_to_its_new_product(self, desk: Desk) -> None:
        [row] = broker_positions(desk)
        converted = type(row)(row.instrument_key, Product.CNC, 10, row.average_price, 10, 0)
        with saying([converted]):
            reconcile(desk)
            assert reconcile(desk, after=30).agrees
        assert Position.objects.open().get().product == Product.CNC
        prices = Trade.objects.filter(order__source="ADJUSTMENT").values_list("price", flat=True)
        assert set(prices) == {row.average_price}

    def test_of_more_holdings_than_ours_is_never_made(self, desk: Desk) -> None:
        extra = HoldingReport(desk.instrument.key, 50, 0, Decimal(90))
        with saying(broker_positions(desk), holdings=[extra]):
            assert reconcile(desk, after=30).agrees


class TestTheBooks:
    @pytest.mark.parametrize("quantity", [0, 4, 25, -5])
    def test_are_rebuilt_with_the_adjustment_in_them(self, desk: Desk, quantity: int) -> None:
        adjust(desk, quantity, sell_quantity=10, buy_quantity=10)
        desk.buy(5)
        call_command("rebuild_books", "--check", account=str(desk.account.pk))

    def test_are_rebuilt_when_it_was_split_over_strategies(self, desk: Desk) -> None:
        strategy = make_running_strategy(desk.account)
        record(make_fill(desk.account, desk.instrument, "BUY 20 @ 100", user_strategy_id=strategy))
        sold = held(desk, 5)
        with saying([type(sold)(sold.instrument_key, sold.product, 5, Decimal(99), 30, 25)]):
            for _ in range(3):
                reconcile(desk, after=30)
        call_command("rebuild_books", "--check", account=str(desk.account.pk))
        assert not Position.objects.open().filter(user_strategy=strategy).exists()
        assert Position.objects.open().get(user_strategy=None).quantity == 5
        assert UserStrategy.objects.get(pk=strategy).status == ActivationStatus.PAUSED


def test_a_trade_that_is_told_but_not_recorded_is_waited_for(desk: Desk) -> None:
    strange = TradeReport(
        "T9", "NOBODY", desk.instrument.key, Side.SELL, Product.MIS, 3, Decimal(100), desk.now
    )
    with saying(moved(desk, 7), trades=[strange]):
        for _ in range(4):
            reconcile(desk, after=30)
    assert the_difference().state == DifferenceState.OPEN
    assert "fill" in the_difference().reason
