"""From a broker's rows to the account: what cannot be read costs its order or its instrument."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.adapters.kite import reports as kite
from brokers.adapters.paper.gateway import open_gateway
from brokers.gateway import (
    AnswerUnreadable,
    FundsReport,
    GatewayUnavailable,
    OrderReport,
    QuoteTick,
    Refused,
    TradeReport,
)
from brokers.rows import Listed, UnreadableRow
from brokers.terms import Side
from brokers.venue import IST
from market.quotes import write_quotes
from notifications.models import Notification
from operations.models import ErrorLog
from orders.lifecycle import IllegalTransition
from orders.models import Order
from orders.services.cancelling import cancel_order
from orders.services.reconciling import Reconciliation, reconcile_account
from orders.services.settling import settle_unknown
from orders.states import OrderStatus
from portfolio.models import Funds, Position, PositionDifference
from portfolio.models import UnreadableRow as Kept
from risk.services import engage_kill_switch
from risk.services.going_live import live_conditions
from tests.builders import make_instrument
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk

pytestmark = pytest.mark.django_db
OTHER = "NSE:TCS"


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def on(desk: Desk, key: str) -> Desk:
    """The same desk before another instrument."""
    instrument = make_instrument(key)
    write_quotes([replace(_tick(desk), key=key)])
    return replace(desk, instrument=instrument, placed=100)


def _tick(desk: Desk) -> QuoteTick:
    return QuoteTick(desk.instrument.key, Decimal("100.00"), desk.now, 1000)


def gateway(desk: Desk) -> Any:
    return open_gateway(desk.account, desk.clock)


def clock_words(report: OrderReport) -> str:
    return f"{report.updated_at.astimezone(IST):%Y-%m-%d %H:%M:%S.%f}"


def kite_row(report: OrderReport, **changes: object) -> dict[str, object]:
    """Write a report as Kite does."""
    exchange, _, symbol = report.instrument_key.partition(":")
    row = {
        "order_id": report.broker_order_id, "tag": report.tag, "status": str(report.status),
        "exchange": exchange, "tradingsymbol": symbol, "instrument_token": symbol,
        "order_type": str(report.order_type), "transaction_type": str(report.side),
        "validity": str(report.validity), "product": str(report.product),
        "quantity": report.quantity, "filled_quantity": report.filled_quantity,
        "price": report.price, "trigger_price": report.trigger_price,
        "order_timestamp": clock_words(report),
    }  # fmt: skip
    return {**row, **changes}


def kite_book(desk: Desk, bad: Order, **changes: object) -> Listed[OrderReport]:
    """The paper broker's book in Kite's words, with one row of it made odd."""
    rows = [
        kite_row(report, **(changes if report.broker_order_id == bad.broker_order_id else {}))
        for report in gateway(desk).orders()
    ]
    return kite.order_reports(rows, key_of=lambda *names: ":".join(names), at=desk.now)


def reconcile(desk: Desk, **answers: object) -> Reconciliation:
    desk.now += timedelta(seconds=5)
    with answering(**answers):  # type: ignore[arg-type]  # by name
        return reconcile_account(desk.account, clock=desk.clock)


def resting(desk: Desk) -> Order:
    """A limit order that works below the market."""
    order = desk.send(desk.place(limit="90.00"))
    desk.trade("100.00", volume=0)
    order.refresh_from_db()
    assert order.state is OrderStatus.OPEN
    return order


def alarms() -> int:
    return Notification.objects.filter(alert_level="CRITICAL").count()


ODD_ORDERS = [
    {"status": "TELEPORTED"},
    {"quantity": None},
    {"quantity": "9999999999999"},
    {"filled_quantity": "--"},
    {"transaction_type": "HOLD"},
    {"order_timestamp": "yesterday"},
    {"product": []},
    {"order_id": None, "quantity": None},  # named by its tag
    {"order_id": None, "tag": None, "tags": None, "quantity": None},  # it names nothing
]


class TestAnOrderThatCannotBeRead:
    @pytest.mark.parametrize("odd", ODD_ORDERS, ids=str)
    def test_alone_is_unknown_and_alarmed(self, desk: Desk, odd: dict[str, object]) -> None:
        bad, good = resting(desk), resting(on(desk, OTHER))
        told = reconcile(desk, orders=kite_book(desk, bad, **odd))
        bad.refresh_from_db()
        good.refresh_from_db()
        assert (bad.state, good.state) == (OrderStatus.UNKNOWN, OrderStatus.OPEN)
        assert (told.is_complete, told.agrees) == (True, False)
        assert (alarms(), ErrorLog.objects.filter(severity="CRITICAL").count()) == (1, 1)

    def test_lets_the_others_fill(self, desk: Desk) -> None:
        bad, good = resting(desk), resting(on(desk, OTHER))
        on_other = replace(desk, instrument=good.instrument)
        book = kite_book(desk, bad, quantity=None)
        filled = next(each for each in book if each.broker_order_id == good.broker_order_id)
        book[book.index(filled)] = replace(
            filled, filled_quantity=4, updated_at=on_other.now + timedelta(seconds=1)
        )
        desk.now += timedelta(seconds=2)
        reconcile(desk, orders=book)
        good.refresh_from_db()
        assert (good.state, good.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, 4)

    def test_takes_no_entry_in_its_instrument_and_every_one_elsewhere(self, desk: Desk) -> None:
        bad = resting(desk)
        reconcile(desk, orders=kite_book(desk, bad, quantity=None))
        assert desk.place().state is OrderStatus.DENIED
        assert on(desk, OTHER).place().state is OrderStatus.PENDING

    def test_is_told_once(self, desk: Desk) -> None:
        bad = resting(desk)
        for _ in range(3):
            reconcile(desk, orders=kite_book(desk, bad, quantity=None))
        assert alarms() == 1

    def test_is_what_it_is_once_it_can_be_read(self, desk: Desk) -> None:
        bad = resting(desk)
        reconcile(desk, orders=kite_book(desk, bad, quantity=None))
        reconcile(desk)
        bad.refresh_from_db()
        assert bad.state is OrderStatus.OPEN
        assert desk.place().state is OrderStatus.PENDING

    def test_is_never_given_up(self, desk: Desk) -> None:
        bad = resting(desk)
        book = kite_book(desk, bad, quantity=None)
        reconcile(desk, orders=book)
        for _ in range(4):
            desk.now += timedelta(minutes=5)
            with answering(orders=book):
                settle_unknown(bad.pk, clock=desk.clock)
        bad.refresh_from_db()
        assert bad.state is OrderStatus.UNKNOWN

    def test_that_has_ended_here_is_told_and_holds_nothing_back(self, desk: Desk) -> None:
        done = desk.buy()
        reconcile(desk, orders=kite_book(desk, done, quantity=None))
        done.refresh_from_db()
        assert (done.state, alarms()) == (OrderStatus.FILLED, 1)
        assert desk.place().state is OrderStatus.PENDING

    def test_of_another_app_takes_no_entry_in_its_instrument(self, desk: Desk) -> None:
        row = UnreadableRow("odd", order_id="77", instrument_key=OTHER)
        reconcile(desk, orders=Listed(gateway(desk).orders(), unreadable=[row]))
        assert on(desk, OTHER).place().state is OrderStatus.DENIED
        assert desk.place().state is OrderStatus.PENDING


class TestACancelOfAnOrderThatCannotBeRead:
    def unreadable(self, desk: Desk, order: Order) -> Order:
        reconcile(desk, orders=kite_book(desk, order, quantity=None))
        order.refresh_from_db()
        return order

    def test_is_refused_while_the_broker_has_given_it_no_number(self, desk: Desk) -> None:
        order = self.unreadable(desk, resting(desk))
        Order.objects.update(broker_order_id="")
        with pytest.raises(IllegalTransition, match="UNKNOWN"):
            cancel_order(order, by=desk.user, now=desk.now)

    def test_is_refused_once_its_day_is_over(self, desk: Desk) -> None:
        order = self.unreadable(desk, resting(desk))
        with pytest.raises(IllegalTransition, match="UNKNOWN"):
            cancel_order(order, by=desk.user, now=desk.now + timedelta(days=5))

    def test_ends_it(self, desk: Desk) -> None:
        order = self.unreadable(desk, resting(desk))
        cancel_order(order, by=desk.user, now=desk.now)
        desk.send(order)
        reconcile(desk)
        order.refresh_from_db()
        assert order.state is OrderStatus.CANCELLED
        assert desk.place().state is OrderStatus.PENDING

    def test_still_takes_no_entry_in_its_instrument(self, desk: Desk) -> None:
        order = self.unreadable(desk, resting(desk))
        cancel_order(order, by=desk.user, now=desk.now)
        told = reconcile(desk, orders=kite_book(desk, order, quantity=None))
        assert told.is_complete
        assert desk.place().state is OrderStatus.DENIED
        assert on(desk, OTHER).place().state is OrderStatus.PENDING

    def test_that_the_broker_refuses_leaves_it_unknown(self, desk: Desk) -> None:
        order = self.unreadable(desk, resting(desk))
        cancel_order(order, by=desk.user, now=desk.now)
        with answering(cancel=Refused("17070", "It is with the exchange")):
            desk.send(order)
        order.refresh_from_db()
        assert order.state is OrderStatus.UNKNOWN
        assert alarms() == 1

    @pytest.mark.parametrize("named", [{}, {"order_id": None, "tag": None, "tags": None}])
    def test_that_was_asked_for_before_still_leaves(
        self, desk: Desk, named: dict[str, object]
    ) -> None:
        order = resting(desk)
        cancel_order(order, by=desk.user, now=desk.now)
        for _ in range(2):
            told = reconcile(desk, orders=kite_book(desk, order, quantity=None, **named))
        assert (told.is_complete, alarms()) == (True, 1)
        assert desk.place().state is OrderStatus.DENIED
        desk.send(order)
        reconcile(desk)
        order.refresh_from_db()
        assert order.state is OrderStatus.CANCELLED

    def test_is_what_a_kill_switch_asks_for(self, desk: Desk) -> None:
        order = self.unreadable(desk, resting(desk))
        switch = engage_kill_switch(None, by=None, reason="drill", now=desk.now)
        order.refresh_from_db()
        assert (switch.cancelled.count, switch.cancelled.left) == (1, ())
        assert order.state in (OrderStatus.CANCEL_PENDING, OrderStatus.CANCELLED)


class TestAPositionThatCannotBeRead:
    ROW = UnreadableRow("netqty is no number: --", instrument_key="NSE:RELIANCE")

    def read(self, desk: Desk, row: UnreadableRow = ROW) -> Reconciliation:
        return reconcile(desk, positions=Listed([], unreadable=[row]))

    def test_is_not_flat(self, desk: Desk) -> None:
        desk.buy()
        for _ in range(4):
            assert not self.read(desk).agrees
        assert Position.objects.open().get().quantity == 10
        assert not PositionDifference.objects.exists()

    def test_takes_exits_and_no_entry_there_and_entries_elsewhere(self, desk: Desk) -> None:
        desk.buy()
        self.read(desk)
        refused = desk.place()
        assert refused.state is OrderStatus.DENIED
        assert "cannot be read" in refused.error_message
        assert desk.place(Side.SELL).state is OrderStatus.PENDING
        assert on(desk, OTHER).place().state is OrderStatus.PENDING

    def test_that_names_no_instrument_takes_no_entry_at_all(self, desk: Desk) -> None:
        desk.buy()
        self.read(desk, UnreadableRow("it is no object", place=1))
        assert on(desk, OTHER).place().state is OrderStatus.DENIED
        assert not PositionDifference.objects.exists()

    def test_is_told_once_and_forgotten_when_it_can_be_read(self, desk: Desk) -> None:
        desk.buy()
        for _ in range(3):
            self.read(desk)
        assert (alarms(), Kept.objects.count()) == (1, 1)
        assert reconcile(desk).agrees
        assert not Kept.objects.exists()
        assert desk.place().state is OrderStatus.PENDING

    def unmet(self, desk: Desk) -> str:
        conditions = live_conditions(desk.account, now=desk.now)
        return " ".join(each.words for each in conditions if not each.is_met)

    @pytest.mark.parametrize("named", ["NSE:RELIANCE", OTHER, ""])
    def test_lets_no_account_go_live(self, desk: Desk, named: str) -> None:
        self.read(desk, UnreadableRow("netqty is no number: --", instrument_key=named))
        assert "cannot be read" in self.unmet(desk)
        reconcile(desk)
        assert "cannot be read" not in self.unmet(desk)

    def test_beyond_belief_is_one_of_them(self, desk: Desk) -> None:
        desk.buy()
        (report,) = gateway(desk).positions()
        reconcile(desk, positions=[replace(report, quantity=10**12)])
        assert Kept.objects.get().instrument_key == desk.instrument.key


class TestATradeThatCannotBeRead:
    def test_takes_no_entry_in_its_instrument(self, desk: Desk) -> None:
        order = desk.buy()
        row = UnreadableRow("fillsize is no number", order_id=order.broker_order_id)
        told = reconcile(desk, trades=Listed[TradeReport]([], unreadable=[row]))
        assert told.is_complete
        assert desk.place().state is OrderStatus.DENIED
        assert on(desk, OTHER).place().state is OrderStatus.PENDING


class TestMoneyThatCannotBeRead:
    def test_costs_the_money_alone(self, desk: Desk) -> None:
        order = desk.send(desk.place(limit="90.00"))
        desk.now += timedelta(seconds=2)

        def unreadable() -> FundsReport:
            raise AnswerUnreadable("net cannot be 9999999999999")

        told = reconcile(desk, funds=unreadable)
        order.refresh_from_db()
        assert told.agrees
        assert ErrorLog.objects.filter(message__contains="net cannot be").exists()

    @pytest.mark.parametrize("amount", ["9999999999999", "NaN", "-1e12"])
    def test_beyond_belief_is_not_noted(self, desk: Desk, amount: str) -> None:
        money = replace(gateway(desk).funds(), available=Decimal(amount))
        assert reconcile(desk, funds=money).agrees
        assert not Funds.objects.filter(as_of=desk.now).exists()

    def test_that_is_not_answered_is_no_reading(self, desk: Desk) -> None:
        def deaf() -> FundsReport:
            raise GatewayUnavailable("no answer")

        assert not reconcile(desk, funds=deaf).is_complete
