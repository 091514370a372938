"""Positions that a live broker tells otherwise: what stops, what goes on, what is believed."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import Settings

from brokers.gateway import QuoteTick, Unknown
from brokers.registry import gateway_for
from brokers.terms import Side
from market.quotes import write_quotes
from notifications.models import AlertLevel, Notification
from orders.models import Order
from orders.services.concluding import Found, conclude_live
from orders.services.exiting import NothingToExit, exit_position
from orders.services.reconciling import accounts_due, read_account
from orders.states import OrderStatus
from portfolio.models import DifferenceState, Position, PositionDifference
from tests.builders import make_instrument
from tests.orders.broken_lines import answering
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

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(settings: Settings) -> Desk:
    """Ten bought today, and agreed upon with the broker."""
    desk = make_live_desk(settings)
    desk.buy(10)
    assert reconcile(desk).agrees
    return desk


def other_instrument(desk: Desk) -> None:
    desk.instrument = make_instrument("NSE:TCS")
    write_quotes([QuoteTick("NSE:TCS", Decimal(100), desk.now, 1000)])


class TestADifference:
    def test_refuses_entries_in_its_instrument_in_words(self, desk: Desk) -> None:
        with saying(moved(desk, 7)):
            reconcile(desk)
            order = desk.place()
        assert order.state is OrderStatus.DENIED
        assert "10 here, 7 at the broker" in order.error_message

    def test_lets_other_instruments_trade(self, desk: Desk) -> None:
        with saying(moved(desk, 7)):
            reconcile(desk)
        other_instrument(desk)
        assert desk.place().state is OrderStatus.PENDING

    def test_stops_an_account_that_has_not_agreed_today(self, desk: Desk) -> None:
        desk.account.reconciled_at = desk.now - timedelta(days=1)
        desk.account.save()
        with saying(moved(desk, 7)):
            reconcile(desk)
        assert desk.account.reconciled_at is None
        other_instrument(desk)
        assert "not been reconciled" in desk.place().error_message

    def test_lets_no_more_leave_than_the_worse_side_has(self, desk: Desk) -> None:
        with saying(moved(desk, 7)):
            reconcile(desk)
        [order] = leave(desk)
        assert (order.quantity, order.is_exit) == (7, True)
        assert order.state is OrderStatus.PENDING

    def test_lets_no_exit_turn_the_brokers_side_round(self, desk: Desk) -> None:
        with saying(moved(desk, 7)):
            reconcile(desk)
        assert desk.place(Side.SELL, 8).state is OrderStatus.DENIED
        assert desk.place(Side.SELL, 7).is_exit

    def test_that_is_doubted_does_not_hold_up_an_exit(self, desk: Desk) -> None:
        with saying([]):
            reconcile(desk)
        assert leave(desk)[0].quantity == 10

    def test_does_not_call_off_a_stop_that_guards_our_side(self, desk: Desk) -> None:
        stop = desk.send(desk.place(Side.SELL, 10, trigger="90.00"))
        with saying(moved(desk, 7)):
            reconcile(desk)
        stop.refresh_from_db()
        assert stop.state.is_working

    def test_is_read_again_at_the_next_round(self, desk: Desk) -> None:
        assert desk.account.pk not in accounts_due(now=desk.now)
        with saying(moved(desk, 7)):
            reconcile(desk)
        assert desk.account.pk in accounts_due(now=desk.now)

    def test_that_is_there_once_only_is_gone(self, desk: Desk) -> None:
        with saying(moved(desk, 7)):
            reconcile(desk)
        assert reconcile(desk, after=30).agrees
        assert the_difference().state == DifferenceState.GONE
        assert desk.place().state is OrderStatus.PENDING

    def test_on_paper_stops_the_whole_account(self, desk: Desk) -> None:
        desk.account.connection.paper_trading = True
        desk.account.connection.save()
        with saying(moved(desk, 7)):
            reconcile(desk)
        assert desk.account.reconciled_at is None
        assert not PositionDifference.objects.exists()


class TestIsNotAdopted:
    def test_after_one_reading(self, desk: Desk) -> None:
        with saying(moved(desk, 7)):
            reconcile(desk)
        self.nothing_is(desk)

    def test_after_two_at_once(self, desk: Desk) -> None:
        with saying(moved(desk, 7)):
            for _ in range(3):
                reconcile(desk, after=1)
        self.nothing_is(desk)

    def test_after_two_that_say_otherwise(self, desk: Desk) -> None:
        for quantity in (7, 6, 7, 6):
            with saying(moved(desk, quantity)):
                reconcile(desk, after=30)
        self.nothing_is(desk)

    def test_while_a_reading_between_them_failed_to_say_it(self, desk: Desk) -> None:
        with saying(moved(desk, 7)):
            reconcile(desk)
        reconcile(desk, after=30)
        with saying(moved(desk, 7)):
            reconcile(desk, after=30)
        self.nothing_is(desk)

    def test_while_an_order_of_it_is_unknown(self, desk: Desk) -> None:
        with answering(place=Unknown("read timed out")):
            desk.send(desk.place())
        with saying(moved(desk, 7)):
            for _ in range(4):
                reconcile(desk, after=30)
        self.nothing_is(desk)
        assert "may or may not be live" in the_difference().reason

    def test_while_fills_of_it_are_not_booked(self, desk: Desk) -> None:
        Order.objects.update(filled_quantity=10, traded_quantity=9)
        with saying(moved(desk, 7), trades=[]):
            for _ in range(4):
                reconcile(desk, after=30)
        self.nothing_is(desk)
        assert "not every fill" in the_difference().reason.lower()

    @pytest.mark.parametrize("trades", [[], None])
    def test_when_the_report_is_empty(self, desk: Desk, trades: list[object] | None) -> None:
        answers = {} if trades is None else {"trades": trades, "orders": []}
        with saying([], holdings=[], **answers):
            for _ in range(4):
                reconcile(desk, after=30)
        self.nothing_is(desk)
        assert "empty" in the_difference().reason
        assert the_difference().is_doubted

    def test_when_all_is_zero_though_todays_trades_say_otherwise(self, desk: Desk) -> None:
        with saying([held(desk, 0), held(desk, 3, key="NSE:TCS")]):
            for _ in range(4):
                reconcile(desk, after=30)
        self.nothing_is(desk)
        reasons = PositionDifference.objects.filter(instrument_key="NSE:RELIANCE")
        assert "today's trades" in reasons.get().reason

    def test_when_its_instrument_is_not_known_here(self, desk: Desk) -> None:
        with saying([*broker_positions(desk), held(desk, 3, key="NSE:NOBODY")]):
            for _ in range(4):
                reconcile(desk, after=30)
        self.nothing_is(desk)
        assert "import" in the_difference().reason

    def nothing_is(self, desk: Desk) -> None:
        assert Order.objects.filter(source="ADJUSTMENT").count() == 0
        assert Position.objects.open().get().quantity == 10


class TestTwoReadingsThatOverlap:
    def read(self, desk: Desk, quantity: int, *, after: float = 0) -> Found:
        desk.now += timedelta(seconds=after)
        with saying(moved(desk, quantity)):
            return read_account(
                desk.account, gateway_for(desk.account, clock=desk.clock), clock=desk.clock
            )

    def conclude(self, desk: Desk, found: Found, *, after: float) -> None:
        conclude_live(desk.account, found, now=desk.now + timedelta(seconds=after))

    def test_are_not_two_that_confirm_one_another(self, desk: Desk) -> None:
        first, second = self.read(desk, 7), self.read(desk, 7, after=1)
        self.conclude(desk, first, after=1)
        self.conclude(desk, second, after=20)
        assert the_difference().state == DifferenceState.OPEN

    def test_leave_the_older_one_out(self, desk: Desk) -> None:
        old, new = self.read(desk, 7), self.read(desk, 6, after=30)
        self.conclude(desk, new, after=1)
        self.conclude(desk, old, after=20)
        assert the_difference().theirs == 6

    def test_do_not_let_the_older_one_call_a_difference_gone(self, desk: Desk) -> None:
        old, new = self.read(desk, 10), self.read(desk, 7, after=30)
        self.conclude(desk, new, after=1)
        self.conclude(desk, old, after=20)
        assert the_difference().state == DifferenceState.OPEN


class TestADoubtedDifference:
    def test_is_told_once_and_critically(self, desk: Desk) -> None:
        with saying([]):
            for _ in range(5):
                reconcile(desk, after=30)
        told = Notification.objects.get(title__contains="differs at the broker")
        assert (told.user, told.alert_level) == (desk.user, AlertLevel.CRITICAL)
        assert "empty" in told.message


def leave(desk: Desk) -> list[Order]:
    position = Position.objects.open().get()
    return exit_position(position, by=desk.user, now=desk.now, idempotency_key="out")


class TestAnExit:
    def test_has_nothing_to_close_where_the_broker_has_nothing(self, desk: Desk) -> None:
        with saying(moved(desk, 0, sell_quantity=10)):
            reconcile(desk)
        with pytest.raises(NothingToExit):
            leave(desk)
