from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.adapters.paper.exchange import advance, match
from brokers.adapters.paper.gateway import open_gateway
from brokers.gateway import Accepted, BrokerStatus, OrderReport, QuoteTick, TradeReport, Unknown
from brokers.terms import OrderType, Product, Side, Validity
from market.quotes import write_quotes
from notifications.models import Notification
from operations.models import ErrorLog
from orders.models import EventSource, Order, OrderSource, ParkedReport, Trade
from orders.services.reconciling import accounts_due, reconcile_account, reconcile_due
from orders.services.reporting import apply_updates
from orders.services.settling import settle_unknown
from orders.states import OrderStatus
from portfolio.models import Position
from risk.models import Reservation
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk, settle_unknown_orders

pytestmark = pytest.mark.django_db
LOST = Unknown("read timed out")


def told(
    desk: Desk, *, orders: Sequence[OrderReport] = (), trades: Sequence[TradeReport] = ()
) -> None:
    apply_updates(
        desk.account, orders=orders, trades=trades, source=EventSource.WEBSOCKET, now=desk.now
    )


def report_of(desk: Desk, order: Order) -> OrderReport:
    book = open_gateway(desk.account, desk.clock).orders()
    return next(report for report in book if report.broker_order_id == order.broker_order_id)


def trade_of(order: Order, **fields: object) -> TradeReport:
    trade = TradeReport(
        trade_id="T1",
        broker_order_id=order.broker_order_id,
        instrument_key="NSE:RELIANCE",
        side=Side.BUY,
        product=Product.MIS,
        quantity=10,
        price=Decimal("100.00"),
        traded_at=order.created_at,
    )
    return replace(trade, **fields)  # type: ignore[arg-type]


class TestAnUnbelievableRow:
    @pytest.mark.parametrize(
        "lie",
        [
            {"quantity": 0},
            {"quantity": -5},
            {"quantity": None},
            {"filled_quantity": -1},
            {"average_price": Decimal("NaN")},
            {"average_price": Decimal("1e14")},
            {"updated_at": None},
            {"updated_at": datetime(1970, 1, 1, tzinfo=UTC)},
            {"updated_at": datetime(2026, 6, 17)},  # noqa: DTZ001
            {"side": "HOLD"},
        ],
    )
    def test_is_set_aside_and_the_next_one_is_applied(self, lie: dict[str, Any]) -> None:
        desk = make_desk()
        first, second = desk.send(desk.place()), desk.send(desk.place())
        sound = replace(report_of(desk, second), status=BrokerStatus.OPEN, sequence=9)
        told(desk, orders=[replace(report_of(desk, first), **lie), sound])
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, second.state) == (OrderStatus.PLACED, OrderStatus.OPEN)
        assert ErrorLog.objects.filter(error_type="ReportUnsound").count() == 1

    @pytest.mark.parametrize(
        "lie",
        [
            {"quantity": 0},
            {"price": Decimal(0)},
            {"price": None},
            {"side": Side.SELL},
            {"instrument_key": "NSE:TCS"},
        ],
    )
    def test_of_a_trade_books_nothing(self, lie: dict[str, Any]) -> None:
        desk = make_desk()
        order = desk.send(desk.place())
        told(desk, trades=[trade_of(order, **lie)])
        assert not Trade.objects.exists()
        assert ErrorLog.objects.exists()

    def test_of_a_trade_told_before_otherwise_changes_nothing(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place())
        told(desk, trades=[trade_of(order), trade_of(order, quantity=4)])
        assert Trade.objects.get().quantity == 10
        assert "was 10 at" in ErrorLog.objects.get().message

    def test_of_one_account_does_not_stop_the_others(self) -> None:
        first, second = make_desk("asha"), make_desk("bela")
        second.account.reconciled_at = None
        second.account.save()
        first.account.connection.broker_type = "nobody"
        first.account.connection.save()
        for account_id in accounts_due(now=second.now):
            reconcile_due(account_id, clock=second.clock)
        second.account.refresh_from_db()
        assert second.account.reconciled_at == second.now


class TestAPriceOfNothing:
    """Some brokers write 0 where there is no price."""

    def test_does_not_freeze_the_order_it_is_told_of(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place(quantity=10))
        filled = replace(
            report_of(desk, order), status=BrokerStatus.FILLED, filled_quantity=10, sequence=9
        )
        none = Decimal(0)
        told(desk, orders=[replace(filled, price=none, trigger_price=none, average_price=none)])
        order.refresh_from_db()
        assert (order.state, order.price) == (OrderStatus.FILLED, None)
        assert order.average_price is None
        assert not ErrorLog.objects.exists()

    def test_does_not_keep_an_outside_order_from_being_adopted(self) -> None:
        desk = make_desk()
        known = report_of(desk, desk.send(desk.place(limit="90.00")))
        outside = replace(known, broker_order_id="X1", tag="", quantity=3, price=Decimal(0))
        told(desk, orders=[replace(outside, order_type=OrderType.MARKET)])
        assert Order.objects.get(source=OrderSource.EXTERNAL).price is None


class TestADayThatNoCalendarKnows:
    def test_sets_its_trade_aside_and_the_next_one_is_booked(self) -> None:
        desk = make_desk()
        first, second = desk.send(desk.place()), desk.send(desk.place())
        far = datetime(2003, 1, 3, 5, 0, tzinfo=UTC)
        told(desk, trades=[trade_of(first, traded_at=far), trade_of(second, trade_id="T2")])
        assert Trade.objects.get().order == second
        assert ErrorLog.objects.get().error_type == "CalendarUnknown"


class TestATradeThatCameBeforeItsOrder:
    def order_and_report(self, desk: Desk) -> tuple[Order, OrderReport]:
        """An order that the broker has and whose number nobody here knows yet."""
        order = desk.place()
        with answering(place=LOST, executes=True):
            desk.send(order)
        return order, open_gateway(desk.account, desk.clock).orders()[0]

    def test_is_held_against_its_order_as_any_other(self) -> None:
        desk = make_desk()
        order, report = self.order_and_report(desk)
        order.broker_order_id = report.broker_order_id
        told(desk, trades=[trade_of(order, side=Side.SELL)])
        told(desk, orders=[report])
        order.refresh_from_db()
        assert order.state is OrderStatus.PLACED
        assert not Trade.objects.exists()
        assert ErrorLog.objects.get().error_type == "ReportUnsound"

    def test_is_booked_though_another_of_them_could_not_be(self) -> None:
        desk = make_desk()
        order, report = self.order_and_report(desk)
        order.broker_order_id = report.broker_order_id
        wrong = trade_of(order, trade_id="T0", instrument_key="NSE:TCS", quantity=4)
        told(desk, trades=[wrong, trade_of(order, quantity=6)])
        told(desk, orders=[report])
        order.refresh_from_db()
        assert (order.traded_quantity, order.state) == (6, OrderStatus.PARTIALLY_FILLED)
        assert not ParkedReport.objects.filter(trade_id="T1").exists()


class TestAnAcceptance:
    def test_without_a_number_is_no_acceptance(self) -> None:
        desk = make_desk()
        order = desk.place()
        with answering(place=Accepted("", desk.now)):
            assert desk.send(order).state is OrderStatus.UNKNOWN


class TestAFillWithoutItsTrades:
    def test_is_held_against_the_limits_until_they_come(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place(quantity=10))
        filled = replace(
            report_of(desk, order), status=BrokerStatus.FILLED, filled_quantity=10, sequence=9
        )
        told(desk, orders=[filled])
        held = Reservation.objects.get(order_id=order.pk)
        assert (held.quantity, held.released_at) == (10, None)
        told(desk, trades=[trade_of(order)])
        held.refresh_from_db()
        assert held.released_at is not None

    def test_is_a_difference_that_stops_entries(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place(quantity=10))
        filled = replace(
            report_of(desk, order), status=BrokerStatus.FILLED, filled_quantity=10, sequence=9
        )
        told(desk, orders=[filled])
        with answering(orders=[filled], trades=[], positions=[]):
            found = reconcile_account(desk.account, clock=desk.clock)
        assert "0 in its trades" in found.differences[0]

    def test_stops_entries_in_words_that_say_so(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place(quantity=10))
        filled = replace(
            report_of(desk, order), status=BrokerStatus.FILLED, filled_quantity=10, sequence=9
        )
        told(desk, orders=[filled])
        desk.now += timedelta(seconds=61)
        write_quotes([QuoteTick("NSE:RELIANCE", Decimal(100), desk.now, 1000)])
        assert "its trades are not told yet" in desk.place().error_message

    def test_has_them_fetched_when_a_lost_order_is_settled(self) -> None:
        desk = make_desk()
        order = desk.place()
        with answering(place=LOST, executes=True):
            desk.send(order)
        desk.now += timedelta(seconds=2)
        fill_in_silence(desk)
        settle_unknown_orders(desk.clock)
        assert Trade.objects.get().order == order


def fill_in_silence(desk: Desk) -> None:
    for _ in range(2):
        desk.now += timedelta(seconds=1)
        advance(at=desk.now)
        match([QuoteTick("NSE:RELIANCE", Decimal(100), desk.now, 1000)], at=desk.now)


class TestAnEmptyBook:
    def test_proves_nothing_while_another_order_is_missing_from_it_too(self) -> None:
        desk = make_desk()
        desk.send(desk.place(limit="90.00"))
        desk.trade("100.00")
        with answering(place=LOST):
            order = desk.send(desk.place(limit="91.00"))
        with answering(orders=[]):
            for _ in range(3):
                desk.now += timedelta(seconds=301)
                settle_unknown(order.pk, clock=desk.clock)
        order.refresh_from_db()
        assert order.state is OrderStatus.UNKNOWN


class TestAnOrderOfNoTag:
    def test_that_could_be_ours_waits_until_ours_is_settled(self) -> None:
        desk = make_desk()
        with answering(place=LOST, executes=True):
            order = desk.send(desk.place(limit="90.00"))
        untagged = OrderReport(
            broker_order_id="X1",
            tag="",
            instrument_key="NSE:RELIANCE",
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            product=Product.MIS,
            validity=Validity.DAY,
            status=BrokerStatus.OPEN,
            quantity=order.quantity,
            filled_quantity=0,
            updated_at=desk.now,
        )
        told(desk, orders=[untagged])
        assert not Order.objects.filter(source=OrderSource.EXTERNAL).exists()
        desk.now += timedelta(seconds=2)
        settle_unknown_orders(desk.clock)
        told(desk, orders=[untagged])
        assert Order.objects.filter(source=OrderSource.EXTERNAL).count() == 1


class TestOneTagTwice:
    def test_is_told_and_both_orders_count(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place(limit="90.00"))
        twin = replace(report_of(desk, order), broker_order_id="TWIN")
        told(desk, orders=[twin])
        assert Notification.objects.filter(title__startswith="The broker has one order").exists()
        assert Order.objects.get(broker_order_id="TWIN").source == OrderSource.EXTERNAL


class TestASquareOffByTheBroker:
    def test_closes_the_position_it_was_meant_for(self) -> None:
        desk = make_desk()
        desk.buy(10)
        position = Position.objects.open().get()
        outside = replace(
            report_of(desk, Order.objects.get()),
            broker_order_id="SQ1",
            tag="",
            side=Side.SELL,
            status=BrokerStatus.FILLED,
            sequence=1,
        )
        told(desk, orders=[outside])
        sale = trade_of(Order.objects.get(broker_order_id="SQ1"), trade_id="S1", side=Side.SELL)
        told(desk, trades=[sale])
        position.refresh_from_db()
        assert position.status == "CLOSED"
