"""Reports that contradict their order, or that cannot be: set aside, told, and nothing changed."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.gateway import BrokerStatus, HoldingReport, PositionReport, Unknown
from brokers.terms import Product, Side
from notifications.models import AlertLevel, Notification
from operations.models import ErrorLog
from orders.models import Trade
from orders.services.reconciling import reconcile_account
from orders.states import OrderStatus
from portfolio.models import Position, PositionDifference
from tests.builders import make_instrument
from tests.orders.broken_lines import answering
from tests.orders.desk import make_desk
from tests.orders.test_lying_brokers import report_of, told, trade_of

pytestmark = pytest.mark.django_db


def set_aside() -> int:
    return ErrorLog.objects.filter(error_type="ReportUnsound").count()


class TestAReportOfAnotherOrder:
    @pytest.mark.parametrize("status", [BrokerStatus.FILLED, BrokerStatus.CANCELLED])
    @pytest.mark.parametrize("other", [{"side": Side.SELL}, {"instrument_key": "NSE:TCS"}])
    def test_under_its_number_is_set_aside(
        self, status: BrokerStatus, other: dict[str, Any]
    ) -> None:
        desk = make_desk()
        make_instrument("NSE:TCS")
        order = desk.send(desk.place(quantity=10))
        filled = 10 if status is BrokerStatus.FILLED else 0
        lie = replace(
            report_of(desk, order), status=status, filled_quantity=filled, sequence=9, **other
        )
        told(desk, orders=[lie])
        order.refresh_from_db()
        assert order.state is OrderStatus.PLACED
        assert set_aside() == 1

    def test_is_told_to_the_trader_once_however_often_it_is_read(self) -> None:
        desk = make_desk()
        report = report_of(desk, desk.send(desk.place(quantity=10)))
        lie = replace(report, side=Side.SELL, sequence=9)
        for _ in range(3):
            told(desk, orders=[lie])
        assert set_aside() == 1
        alert = Notification.objects.get(alert_level=AlertLevel.CRITICAL)
        assert alert.user == desk.account.connection.user
        assert report.broker_order_id in alert.message

    def test_is_told_of_each_order(self) -> None:
        desk = make_desk()
        for _ in range(2):
            report = report_of(desk, desk.send(desk.place(quantity=10)))
            told(desk, orders=[replace(report, side=Side.SELL, sequence=9)])
        assert Notification.objects.filter(alert_level=AlertLevel.CRITICAL).count() == 2

    def test_without_a_number_is_told_once_too(self) -> None:
        desk = make_desk()
        report = replace(report_of(desk, desk.send(desk.place())), broker_order_id="")
        for _ in range(2):
            told(desk, orders=[report])
        assert Notification.objects.filter(alert_level=AlertLevel.CRITICAL).count() == 1

    def test_under_its_tag_does_not_take_an_unknown_order_over(self) -> None:
        desk = make_desk()
        make_instrument("NSE:TCS")
        known = report_of(desk, desk.send(desk.place()))
        with answering(place=Unknown("read timed out")):
            lost = desk.send(desk.place())
        stranger: dict[str, Any] = {"side": Side.SELL, "instrument_key": "NSE:TCS", "quantity": 500}
        told(desk, orders=[replace(known, broker_order_id="X9", tag=lost.tag, **stranger)])
        lost.refresh_from_db()
        assert (lost.state, lost.broker_order_id) == (OrderStatus.UNKNOWN, "")
        assert set_aside() == 1

    def test_with_a_share_that_no_list_holds_is_still_its_own(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place())
        unlisted = replace(
            report_of(desk, order),
            instrument_key="ANGEL?NSE:1",
            status=BrokerStatus.CANCELLED,
            sequence=9,
        )
        told(desk, orders=[unlisted])
        order.refresh_from_db()
        assert order.state is OrderStatus.CANCELLED


class TestMoreThanWasAskedFor:
    def test_is_booked_and_told(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place(quantity=10))
        told(desk, trades=[trade_of(order, quantity=100)])
        assert Position.objects.open().get().quantity == 100
        told_of = Notification.objects.filter(alert_level=AlertLevel.CRITICAL)
        assert [each.title for each in told_of] == ["More filled than was asked for: RELIANCE"]


class TestATradeThatCannotBe:
    @pytest.mark.parametrize(
        "lie",
        [
            {"price": Decimal("99999999999.99999")},
            {"price": Decimal(10**8), "quantity": 1000},
            {"quantity": 2**63},
        ],
    )
    def test_is_set_aside(self, lie: dict[str, Any]) -> None:
        desk = make_desk()
        order = desk.send(desk.place())
        told(desk, trades=[trade_of(order, **lie)])
        assert not Trade.objects.exists()
        assert set_aside() == 1

    @pytest.mark.parametrize("days", [2, 2_900_000])
    def test_of_days_to_come_is_set_aside_and_the_next_one_is_booked(self, days: int) -> None:
        desk = make_desk()
        order = desk.send(desk.place(quantity=20))
        ahead = trade_of(order, traded_at=desk.now + timedelta(days=days))
        told(desk, trades=[ahead, trade_of(order, trade_id="T2")])
        assert Trade.objects.get().broker_trade_id == "T2"

    def test_of_a_sequence_no_row_can_keep_is_set_aside(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place())
        told(desk, orders=[replace(report_of(desk, order), sequence=2**63)])
        assert set_aside() == 1


class TestPositionsThatCannotBe:
    @pytest.mark.parametrize(
        ("quantity", "price"), [(2**63, "100"), (10**18, "100"), (10, "1e18"), (10, "NaN")]
    )
    def test_prove_nothing_of_their_instrument(self, quantity: int, price: str) -> None:
        desk = make_desk()
        row = PositionReport(desk.instrument.key, Product.MIS, quantity, Decimal(price))
        with answering(positions=[row]):
            found = reconcile_account(desk.account, clock=desk.clock)
        assert not found.agrees
        assert not PositionDifference.objects.exists()
        assert desk.place().state is OrderStatus.DENIED

    def test_nor_do_such_holdings(self) -> None:
        desk = make_desk()
        row = HoldingReport(desk.instrument.key, 1, 10**12, Decimal(1))
        with answering(holdings=[row]):
            assert not reconcile_account(desk.account, clock=desk.clock).agrees
