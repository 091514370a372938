"""A contract that has expired: settled as the exchange does, and no doubt about an empty book."""

import contextlib
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection
from pytest_django import Settings

from brokers.gateway import QuoteTick
from brokers.terms import InstrumentType
from market.quotes import write_quotes
from notifications.models import AlertLevel, Notification
from orders.models import Order, OrderSource
from orders.services.expiring import settle_expired, settle_position
from orders.services.settlement_prices import (
    ReadPrice,
    SettlementRefused,
    confirm_delivery,
    enter_final_price,
)
from orders.states import OrderStatus
from portfolio.models import (
    ChargeRate,
    ExpirySettlement,
    PositionDifference,
    SettlementState,
    TradingSession,
)
from portfolio.posting import cash_balance
from tests.builders import make_instrument
from tests.orders.desk import Desk, make_desk
from tests.orders.expiries import (
    EXPIRY,
    NEXT_MORNING,
    READ,
    agrees_with_the_practice_broker,
    enter,
    holding,
    index_closes,
    is_proven,
    make_contract,
    settle,
    the_row,
)
from tests.orders.faults import Fault
from tests.orders.live_desk import make_live_desk, reconcile, saying
from tests.portfolio.fills import make_running_strategy

pytestmark = pytest.mark.django_db


class TestNothingIsSettled:
    def test_before_the_last_session_is_over(self) -> None:
        desk = holding(make_desk(), make_contract(), 65)
        index_closes("26012.35")
        desk.now = datetime(2026, 6, 23, 9, 45, tzinfo=UTC)
        assert (settle(desk), ExpirySettlement.objects.count()) == (0, 0)

    def test_by_a_tick_however_fresh(self) -> None:
        desk = holding(make_desk(), make_contract(), 65)
        write_quotes([QuoteTick("NSE:NIFTY 50", Decimal("26012.35"), desk.now, 0)])
        assert settle(desk) == 0
        assert the_row().state == SettlementState.AWAITING_PRICE

    def test_by_the_close_of_another_day(self) -> None:
        desk = holding(make_desk(), make_contract(), 65)
        index_closes("26012.35", on=date(2026, 6, 22))
        assert settle(desk) == 0

    def test_in_the_books_of_a_replay_that_has_its_own_clock(self) -> None:
        desk = holding(make_desk(), make_contract(), 65)
        desk.account.own_clock = True
        desk.account.save()
        assert settle(desk) == 0


class TestAPositionWithoutAFinalPrice:
    def test_is_told_once(self) -> None:
        desk = holding(make_desk(), make_contract(), 65)
        settle(desk)
        settle(desk)
        told = Notification.objects.get(title__contains="its final price is missing")
        assert told.alert_level == AlertLevel.WARNING

    def test_on_a_share_is_an_alarm_that_speaks_of_delivery(self) -> None:
        contract = make_contract(underlying="RELIANCE", strike="2400", lot=500)
        settle(holding(make_desk(), contract, 500, price="50.00"))
        told = Notification.objects.get(title__contains="its final price is missing")
        assert told.alert_level == AlertLevel.CRITICAL
        assert "never cash" in told.message

    def test_denies_no_entry(self) -> None:
        desk = holding(make_desk(), make_contract(), 65)
        desk.now = NEXT_MORNING
        settle(desk)
        assert reconcile(desk).agrees


class TestALongCall:
    """65 at 40 of strike 25900, the index closing at 26012.35."""

    @pytest.fixture
    def desk(self) -> Desk:
        desk = holding(make_desk(), make_contract(), 65)
        index_closes("26012.35")
        return desk

    def test_receives_its_intrinsic_value_less_tax(self, desk: Desk) -> None:
        before = cash_balance(desk.account)
        assert settle(desk) == 1
        assert cash_balance(desk.account) - before == Decimal("7302.75") - Decimal("10.95")

    def test_is_flat_and_gained_on_its_last_day(self, desk: Desk) -> None:
        settle(desk)
        assert not desk.account.positions.open().exists()
        session = TradingSession.objects.get(account=desk.account, session_date=EXPIRY)
        assert session.realized_pnl == Decimal("7302.75") - 65 * 40

    def test_is_paid_the_same_by_the_practice_broker(self, desk: Desk) -> None:
        settle(desk)
        agrees_with_the_practice_broker(desk)

    def test_is_settled_once(self, desk: Desk) -> None:
        assert [settle(desk), settle(desk)] == [1, 0]
        assert Order.objects.filter(source=OrderSource.EXPIRY).count() == 1

    def test_settled_days_later_still_belongs_to_its_last_day(self, desk: Desk) -> None:
        desk.now = NEXT_MORNING
        desk.account.refresh_from_db()
        settle(desk)
        days = TradingSession.objects.filter(account=desk.account, realized_pnl__gt=0)
        assert [day.session_date for day in days] == [EXPIRY]
        is_proven()

    def test_leaves_books_that_the_trades_make(self, desk: Desk) -> None:
        settle(desk)
        is_proven()

    def test_says_what_came_of_it(self, desk: Desk) -> None:
        settle(desk)
        told = Notification.objects.get(title__contains="has expired")
        assert "112.35" in told.message
        assert "transaction tax 10.95" in told.message

    def test_without_a_rate_on_file_is_settled_and_charged_later(self, desk: Desk) -> None:
        ChargeRate.objects.filter(group="EXERCISE").delete()
        settle(desk)
        order = Order.objects.get(source=OrderSource.EXPIRY)
        assert not order.trades.get().charges_known
        is_proven()


class TestOtherPositionsOnAnIndex:
    @pytest.mark.parametrize(
        ("kind", "strike", "quantity", "price", "gain"),
        [
            (InstrumentType.CE, "25900", -65, "40.00", "-4702.75"),
            (InstrumentType.CE, "26012.35", 65, "40.00", "-2600"),
            (InstrumentType.PE, "25900", 65, "40.00", "-2600"),
            (InstrumentType.PE, "26100", -65, "40.00", "-3097.25"),
            (InstrumentType.FUT, None, 65, "26000.00", "802.75"),
            (InstrumentType.FUT, None, -65, "26000.00", "-802.75"),
        ],
    )
    def test_end_in_cash(
        self, kind: InstrumentType, strike: str | None, quantity: int, price: str, gain: str
    ) -> None:
        desk = holding(make_desk(cash="5000000"), make_contract(kind, strike=strike), quantity,
                       price=price)  # fmt: skip
        index_closes("26012.35")
        assert settle(desk) == 1
        order = Order.objects.get(source=OrderSource.EXPIRY)
        assert order.trades.get().realized_pnl == Decimal(gain)
        assert order.trades.get().charges == 0 or quantity > 0
        agrees_with_the_practice_broker(desk, brought_in="5000000")
        is_proven()


class TestTheLastPositionOfALiveAccount:
    """One option is all that is held; next day the broker's book is empty."""

    @pytest.fixture
    def desk(self, settings: Settings) -> Desk:
        desk = holding(make_live_desk(settings), make_contract(), 65)
        desk.now = NEXT_MORNING
        return desk

    def test_raises_no_difference(self, desk: Desk) -> None:
        with saying([]):
            assert reconcile(desk).agrees
        assert not PositionDifference.objects.exists()

    def test_lets_entries_pass(self, desk: Desk) -> None:
        share = make_instrument("NSE:TCS")
        with saying([]):
            reconcile(desk)
            desk.instrument = share
            write_quotes([QuoteTick(share.key, Decimal(100), desk.now, 1000)])
            order = desk.place()
        assert order.state is not OrderStatus.DENIED

    def test_still_differs_where_another_share_is_missing(self, desk: Desk) -> None:
        share = make_instrument("NSE:TCS")
        desk.instrument = share
        write_quotes([QuoteTick(share.key, Decimal(100), desk.now, 1000)])
        desk.buy(10)
        with saying([]):
            assert not reconcile(desk).agrees

    def test_that_the_broker_still_lists_once_settled_is_no_difference(self, desk: Desk) -> None:
        index_closes("26012.35")
        settle_expired(now=desk.now)
        assert reconcile(desk).agrees


class TestAContractOnAShare:
    @pytest.fixture
    def desk(self) -> Desk:
        contract = make_contract(underlying="RELIANCE", strike="2400", lot=500)
        desk = holding(make_desk(), contract, 500, price="50.00")
        settle(desk)
        return desk

    def test_in_the_money_is_a_delivery_and_no_cash(self, desk: Desk) -> None:
        before = cash_balance(desk.account)
        enter(desk, "2500")
        row = the_row()
        assert (row.state, row.delivery_quantity, row.delivery_price) == (
            SettlementState.DELIVERY_PENDING, 500, Decimal(2400),
        )  # fmt: skip
        assert cash_balance(desk.account) == before
        trade = Order.objects.get(source=OrderSource.EXPIRY).trades.get()
        assert (trade.realized_pnl, trade.charges) == (Decimal(-25000), 0)
        is_proven()

    def test_is_alarmed(self, desk: Desk) -> None:
        enter(desk, "2500")
        told = Notification.objects.get(title__startswith="Delivery pending")
        assert told.alert_level == AlertLevel.CRITICAL
        assert "Take 500 RELIANCE at 2,400.00: 12,00,000.00 to pay" in told.message

    def test_out_of_the_money_ends(self, desk: Desk) -> None:
        enter(desk, "2399.95")
        assert the_row().state == SettlementState.SETTLED

    def test_stays_pending_until_a_person_says_where_they_saw_it(self, desk: Desk) -> None:
        enter(desk, "2500")
        with pytest.raises(SettlementRefused, match="Say where"):
            confirm_delivery(the_row(), by=desk.user, evidence=" ", now=desk.now)
        confirm_delivery(the_row(), by=desk.user, evidence="demat statement", now=desk.now)
        assert the_row().state == SettlementState.DELIVERED
        with pytest.raises(SettlementRefused, match="No delivery"):
            confirm_delivery(the_row(), by=desk.user, evidence="again", now=desk.now)

    def test_that_is_a_future_is_marked_and_given(self) -> None:
        contract = make_contract(InstrumentType.FUT, underlying="TCS", strike=None, lot=100)
        desk = holding(make_desk("ravi"), contract, -100, price="510.00")
        settle(desk)
        row = ExpirySettlement.objects.get(workspace=desk.account.workspace)
        enter_final_price(row, ReadPrice(Decimal("501.25"), READ, by=desk.user), now=desk.now)
        row.refresh_from_db()
        trade = Order.objects.get(source=OrderSource.EXPIRY).trades.get()
        assert trade.realized_pnl == Decimal("875.00")
        assert (row.state, row.delivery_quantity) == (SettlementState.DELIVERY_PENDING, -100)


class TestStrategies:
    def test_hold_nothing_of_it_any_more(self) -> None:
        desk = holding(make_desk(), make_contract(), 65)
        running = make_running_strategy(desk.account)
        desk.account.positions.update(user_strategy=running)
        Order.objects.update(user_strategy=running)
        index_closes("26012.35")
        settle(desk)
        order = Order.objects.get(source=OrderSource.EXPIRY)
        assert order.user_strategy_id == running
        assert not desk.account.positions.open().exists()
        is_proven()


class TestASettlementThatDies:
    def test_at_any_statement_leaves_nothing_and_is_made_later_once(self) -> None:
        desk = holding(make_desk(), make_contract(), 65)
        index_closes("26012.35")
        position = desk.account.positions.open().get()
        for statement in range(1, 500):
            fault = Fault(statement)
            with contextlib.suppress(DatabaseError), connection.execute_wrapper(fault):
                settle_position(position.pk, now=desk.now)
            if fault.left > 0:
                break
            assert not Order.objects.filter(source=OrderSource.EXPIRY).exists()
            assert desk.account.positions.open().exists()
        assert statement > 20
        assert Order.objects.filter(source=OrderSource.EXPIRY).count() == 1
        is_proven()
