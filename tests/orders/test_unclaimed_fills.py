"""Fills that the broker told of and whose order never came: what waits for them, and for how long.

The order is in an instrument that is not known here, so that nobody can adopt it.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import Settings

from brokers.gateway import BrokerStatus, OrderReport, TradeReport, Unknown
from brokers.terms import OrderType, Product, Side, Validity
from notifications.models import AlertLevel, Notification
from orders.models import EventSource, Order, OrderSource, ParkedReport, Trade
from orders.services.reporting import apply_updates
from portfolio.models import DifferenceState, Position
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk
from tests.orders.live_desk import held, make_live_desk, reconcile, the_difference

pytestmark = pytest.mark.django_db
TITLE = "The broker told of fills whose order never came"


@pytest.fixture
def desk(settings: Settings) -> Desk:
    return make_live_desk(settings)


def outside(desk: Desk, **fields: object) -> OrderReport:
    told = {
        "broker_order_id": "NOB",
        "tag": "",
        "instrument_key": desk.instrument.key,
        "side": Side.BUY,
        "order_type": OrderType.MARKET,
        "product": Product.NRML,
        "validity": Validity.DAY,
        "status": BrokerStatus.FILLED,
        "quantity": 10,
        "filled_quantity": 10,
        "updated_at": desk.now,
        **fields,
    }
    return OrderReport(**told)  # type: ignore[arg-type]  # by name


@pytest.fixture
def parked(desk: Desk) -> TradeReport:
    trade = TradeReport(
        "T9", "NOB", desk.instrument.key, Side.BUY, Product.NRML, 10, Decimal(100), desk.now
    )
    tell(desk, trade)
    return trade


def tell(desk: Desk, *trades: TradeReport, orders: tuple[OrderReport, ...] = ()) -> None:
    source = EventSource.RECONCILE
    apply_updates(desk.account, orders=orders, trades=trades, source=source, now=desk.now)


def read(desk: Desk, *, days: int, times: int = 3) -> None:
    desk.now += timedelta(days=days)
    there = held(desk, 10, product=Product.NRML)
    with answering(orders=[], trades=[], positions=[there], holdings=[]):
        for _ in range(times):
            reconcile(desk, after=30)


def alerts() -> list[Notification]:
    return list(Notification.objects.filter(title__startswith=TITLE))


class TestAParkedFill:
    def test_holds_a_difference_up_at_first(self, desk: Desk, parked: TradeReport) -> None:
        read(desk, days=1)
        assert the_difference().state == DifferenceState.OPEN
        assert not alerts()

    def test_holds_it_up_no_more_after_two_days(self, desk: Desk, parked: TradeReport) -> None:
        read(desk, days=2)
        assert the_difference().state == DifferenceState.ADJUSTED
        assert Position.objects.open().get().quantity == 10

    def test_is_told_once_and_kept(self, desk: Desk, parked: TradeReport) -> None:
        read(desk, days=2, times=4)
        read(desk, days=1)
        [told] = alerts()
        assert told.alert_level == AlertLevel.CRITICAL
        assert "NOB" in told.message
        assert ParkedReport.objects.count() == 1

    def test_is_booked_however_late_its_order_comes(self, desk: Desk, parked: TradeReport) -> None:
        desk.now += timedelta(days=3)
        tell(desk, orders=(outside(desk),))
        assert Trade.objects.get().broker_trade_id == "T9"


class TestAnOrderFromOutside:
    @pytest.fixture
    def lost(self, desk: Desk) -> Order:
        with answering(place=Unknown("read timed out")):
            return desk.send(desk.place())

    def test_waits_for_an_unknown_one_of_its_day(self, desk: Desk, lost: Order) -> None:
        tell(desk, orders=(outside(desk),))
        assert not Order.objects.filter(source=OrderSource.EXTERNAL).exists()

    def test_does_not_wait_for_one_of_an_earlier_day(self, desk: Desk, lost: Order) -> None:
        desk.now += timedelta(days=1)
        tell(desk, orders=(outside(desk),))
        assert Order.objects.filter(source=OrderSource.EXTERNAL).exists()
