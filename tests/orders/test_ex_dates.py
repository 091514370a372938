"""A recorded split, bonus or consolidation reaches the books."""

import contextlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection

from brokers.gateway import QuoteTick
from brokers.registry import gateway_for
from brokers.terms import InstrumentType, Product, Segment, Side
from market.models import CorporateAction, CorporateActionKind, Instrument
from market.quotes import quote_of, write_quotes
from market.services import ActionRefused, record_corporate_action
from notifications.models import AlertLevel, Notification
from operations.ids import new_id
from orders.services.exiting import exit_position
from orders.states import OrderStatus
from orders.validation import OrderInvalid
from portfolio.board import positions_board
from portfolio.models import Holding, ShareCredit
from portfolio.services import mark_account
from portfolio.services.corporate_actions import apply_action
from risk.models import PositionExtreme
from risk.selectors import Book, exitable_by_hand, exitable_quantities
from tests.builders import make_instrument
from tests.orders.desk import Desk, make_desk
from tests.orders.faults import Fault
from tests.orders.live_desk import reconcile
from tests.orders.share_actions import (
    BONUS,
    CREDITED,
    EX_DATE,
    EX_MORNING,
    MIDNIGHT,
    SPLIT,
    follow,
    held,
    is_proven,
    position,
    record,
    ticks,
)

pytestmark = pytest.mark.django_db


class TestNothingChanges:
    def test_before_the_ex_date(self) -> None:
        desk = held(make_desk())
        record(desk)
        assert follow(desk, datetime(2026, 6, 17, 18, 29, tzinfo=UTC)) == 0

    def test_of_what_was_bought_in_new_shares(self) -> None:
        desk = make_desk(price="50.00")
        record(desk)
        desk.now = EX_MORNING
        write_quotes([QuoteTick(desk.instrument.key, Decimal(50), desk.now, 1000)])
        held(desk, 10, "50.00")
        assert follow(desk, desk.now) == 0
        assert position(desk).quantity == 10

    def test_where_old_and_new_shares_are_mixed_and_that_is_alarmed(self) -> None:
        desk = held(make_desk())
        desk.now = EX_MORNING
        write_quotes([QuoteTick(desk.instrument.key, Decimal(50), desk.now, 1000)])
        held(desk, 10, "50.00")
        record(desk)
        assert follow(desk, desk.now) == 0
        told = Notification.objects.get(title__contains="has not reached the books")
        assert told.alert_level == AlertLevel.CRITICAL
        is_proven()

    def test_for_a_dividend(self) -> None:
        desk = held(make_desk())
        record(desk, CorporateActionKind.DIVIDEND, "1")
        assert follow(desk) == 0

    def test_to_the_factor_of_what_reached_the_books(self) -> None:
        desk = held(make_desk())
        record(desk)
        follow(desk)
        with pytest.raises(ActionRefused, match="reached the books"):
            record(desk, factor="3")


class TestABonusOfOneForOne:
    """100 held at 100; the share opens at 50.50 on the ex-date."""

    @pytest.fixture
    def desk(self) -> Desk:
        desk = held(make_desk())
        PositionExtreme.objects.create(position=position(desk), best_price=Decimal(104))
        record(desk)
        follow(desk)
        return desk

    def test_makes_two_hundred_at_fifty(self, desk: Desk) -> None:
        row = position(desk)
        assert (row.quantity, row.average_price, row.unrealized_pnl) == (200, 50, 0)
        assert (row.last_price, quote_of(desk.instrument.key)) == (50, None)

    def test_gains_what_the_new_price_is_above_the_new_average(self, desk: Desk) -> None:
        ticks(desk, "50.50")
        assert position(desk).unrealized_pnl == 100

    def test_is_not_valued_by_a_price_of_the_day_before(self, desk: Desk) -> None:
        old = datetime(2026, 6, 17, 9, 59, tzinfo=UTC)
        write_quotes([QuoteTick(desk.instrument.key, Decimal(100), old, 1000)])
        mark_account(desk.account, now=EX_MORNING)
        assert position(desk).unrealized_pnl == 0

    def test_restates_the_best_price_of_trailing_stops(self, desk: Desk) -> None:
        assert PositionExtreme.objects.get().best_price == 52

    def test_leaves_the_best_price_of_what_is_in_new_shares(self) -> None:
        desk = held(make_desk())
        ticks(desk, "52.00")
        desk.buy(10, "52.00")
        intraday = desk.account.positions.open().get(product=Product.MIS)
        PositionExtreme.objects.create(position=intraday, best_price=Decimal(52))
        record(desk)
        follow(desk, desk.now)
        assert desk.account.positions.open().get(product=Product.CNC).quantity == 200
        assert PositionExtreme.objects.get().best_price == 52

    def test_counts_its_shares_in_the_holding_as_not_credited(self, desk: Desk) -> None:
        holding = Holding.objects.get()
        parts = (holding.total_quantity, holding.pending_quantity, holding.available_quantity)
        assert parts == (200, 100, 100)
        assert holding.average_price == 50

    def test_happens_once(self, desk: Desk) -> None:
        assert follow(desk) == 0
        assert position(desk).quantity == 200

    def test_leaves_books_that_can_be_derived_anew(self, desk: Desk) -> None:
        is_proven()

    def test_agrees_with_the_practice_broker_before_and_after_the_credit(self, desk: Desk) -> None:
        desk.now = EX_MORNING
        assert reconcile(desk).agrees
        follow(desk, CREDITED)
        assert reconcile(desk).agrees
        [holding] = gateway_for(desk.account, clock=desk.clock).holdings()
        assert (holding.quantity, holding.average_price) == (200, 50)

    def test_lets_no_more_be_sold_than_is_credited(self, desk: Desk) -> None:
        ticks(desk, "50.50")
        with pytest.raises(OrderInvalid, match="Only 100 can be sold now"):
            desk.place(Side.SELL, 150, product=Product.CNC)
        [order] = exit_position(position(desk), by=desk.user, now=desk.now, idempotency_key="exit")
        assert order.quantity == 100

    def test_can_be_sold_whole_once_credited(self, desk: Desk) -> None:
        follow(desk, CREDITED)
        ticks(desk, "50.50")
        order = desk.send(desk.place(Side.SELL, 200, product=Product.CNC))
        desk.trade("50.50")
        desk.trade("50.50")
        order.refresh_from_db()
        assert order.state is OrderStatus.FILLED
        assert order.trades.order_by("pk").last().realized_pnl >= 0  # type: ignore[union-attr]
        assert not desk.account.positions.open().exists()
        is_proven()

    def test_sold_in_part_leaves_books_that_can_be_derived_anew(self, desk: Desk) -> None:
        ticks(desk, "50.50")
        desk.send(desk.place(Side.SELL, 60, product=Product.CNC))
        desk.trade("50.50")
        desk.trade("50.50")
        assert position(desk).quantity == 140
        is_proven()
        assert reconcile(desk).agrees


class TestSharesOfTwoProducts:
    """10 bought outright and 10 on margin, and a bonus of one for one."""

    @pytest.fixture
    def desk(self) -> Desk:
        desk = held(make_desk(), 10)
        on_margin = position(desk)
        on_margin.pk, on_margin.product = new_id(), Product.MTF
        on_margin.save(force_insert=True)
        record(desk)
        follow(desk)
        ticks(desk, "50.50")
        return desk

    def test_can_each_be_sold_as_far_as_they_are_credited(self, desk: Desk) -> None:
        open_positions = list(desk.account.positions.open())
        assert [each.quantity for each in open_positions] == [20, 20]
        assert set(exitable_quantities(open_positions).values()) == {10}
        for product in (Product.CNC, Product.MTF):
            book = Book(desk.account, desk.instrument, product)
            assert exitable_by_hand(book, Side.SELL) == 10
        with pytest.raises(OrderInvalid, match="Only 10 can be sold now"):
            desk.place(Side.SELL, 11, product=Product.CNC)
        assert desk.place(Side.SELL, 10, product=Product.CNC).state is OrderStatus.PENDING

    def test_are_shown_as_pending_for_each(self, desk: Desk) -> None:
        board = positions_board([desk.account], by_strategy=True, now=desk.now)
        assert [row.uncredited for row in board.rows] == [10, 10]


class TestTheSameShareOnAnotherExchange:
    """100 held of BSE:INFY; what is recorded is recorded of NSE:INFY, and a sweep has seen it."""

    @pytest.fixture
    def desk(self) -> Desk:
        desk = make_desk(key="NSE:INFY")
        other = make_instrument("BSE:INFY", isin="INE009A01021", segment=Segment.BSE_EQ)
        Instrument.objects.filter(pk=desk.instrument.pk).update(isin="INE009A01021")
        desk.instrument.refresh_from_db()
        record(desk)
        desk.instrument = other
        write_quotes([QuoteTick(other.key, Decimal(100), desk.now, 1000)])
        held(desk)
        assert follow(desk, desk.now) == 0
        return desk

    def test_is_taken_in_too(self, desk: Desk) -> None:
        assert follow(desk) == 1
        assert position(desk).quantity == 200
        assert CorporateAction.objects.filter(booked_at__isnull=False).count() == 2

    def test_is_not_marked_in_old_shares_before_the_sweep(self, desk: Desk) -> None:
        ticks(desk, "50.50")
        assert (position(desk).last_price, position(desk).unrealized_pnl) == (100, 0)

    def test_follows_a_corrected_date_and_once(self, desk: Desk) -> None:
        CorporateAction.objects.filter(instrument__key="NSE:INFY").update(
            ex_date=EX_DATE + timedelta(days=1)
        )
        assert follow(desk) == 0
        assert follow(desk, MIDNIGHT + timedelta(days=1)) == 1
        assert follow(desk, MIDNIGHT + timedelta(days=2)) == 0
        assert position(desk).quantity == 200

    def test_follows_a_corrected_factor(self, desk: Desk) -> None:
        record_corporate_action(
            Instrument.objects.get(key="NSE:INFY"), kind=BONUS, ex_date=EX_DATE, factor=Decimal(3)
        )
        assert follow(desk) == 1
        assert position(desk).quantity == 300

    def test_is_left_alone_where_the_action_was_deleted(self, desk: Desk) -> None:
        CorporateAction.objects.get(instrument__key="NSE:INFY").delete()
        assert follow(desk) == 0
        assert position(desk).quantity == 100


class TestAnExDateThatTheWorkersHaveNotSeenYet:
    """The machine was off at midnight, and the first price comes before the sweep."""

    @pytest.fixture
    def desk(self) -> Desk:
        desk = held(make_desk())
        record(desk)
        return desk

    def test_marks_nothing_in_old_shares_by_a_new_price(self, desk: Desk) -> None:
        ticks(desk, "50.50")
        assert (position(desk).last_price, position(desk).unrealized_pnl) == (100, 0)
        assert Holding.objects.get().last_price == 100

    def test_is_made_up_for_with_the_next_sweep(self, desk: Desk) -> None:
        ticks(desk, "50.50")
        follow(desk, desk.now)
        ticks(desk, "50.50")
        assert position(desk).unrealized_pnl == 100


class TestAnActionThatDies:
    def test_at_any_statement_is_taken_in_later_and_once(self) -> None:
        desk = held(make_desk())
        record(desk)
        action = CorporateAction.objects.get()
        for statement in range(1, 200):
            fault = Fault(statement)
            with contextlib.suppress(DatabaseError), connection.execute_wrapper(fault):
                apply_action(desk.account, action, now=MIDNIGHT)
            if fault.left > 0:
                break
            assert position(desk).quantity == 100
        assert statement > 10
        assert (position(desk).quantity, ShareCredit.objects.count()) == (200, 1)
        is_proven()


class TestOtherActions:
    def test_a_split_and_a_bonus_of_one_day_multiply(self) -> None:
        desk = held(make_desk())
        record(desk, BONUS, "2")
        record(desk, SPLIT, "5")
        assert follow(desk) == 2
        assert (position(desk).quantity, position(desk).average_price) == (1000, 10)
        is_proven()

    def test_a_consolidation_leaves_whole_shares_and_says_what_becomes_of_the_rest(self) -> None:
        desk = held(make_desk(price="1.00"), 1234, "1.00")
        record(desk, SPLIT, "0.1")
        follow(desk)
        row = position(desk)
        assert (row.quantity, row.average_price) == (123, 10)
        assert row.realized_pnl == -4
        assert "0.4 of a share in money" in Notification.objects.latest("created_at").message
        is_proven()
        assert reconcile(desk, after=36_000).agrees

    def test_intraday_shares_are_left_alone(self) -> None:
        desk = make_desk()
        desk.buy(10)
        record(desk)
        assert follow(desk) == 0

    def test_contracts_on_the_share_are_named_and_alarmed(self) -> None:
        desk = make_desk()
        desk.instrument = make_instrument(
            "NFO:RELIANCE26JUNFUT",
            segment=Segment.NSE_FNO,
            instrument_type=InstrumentType.FUT,
            underlying="RELIANCE",
            expiry=date(2026, 6, 30),
            lot_size=10,
        )
        write_quotes([QuoteTick(desk.instrument.key, Decimal(100), desk.now, 1000)])
        desk.send(desk.place(Side.BUY, 10, product=Product.NRML))
        desk.trade("100.00")
        desk.trade("100.00")
        share = make_instrument("BSE:RELIANCE", trading_symbol="RELIANCE")
        record_corporate_action(share, kind=BONUS, ex_date=EX_DATE, factor=Decimal(2))
        follow(desk)
        told = Notification.objects.get(title__contains="contracts on it are adjusted")
        assert told.alert_level == AlertLevel.CRITICAL
        assert "RELIANCE26JUNFUT" in told.message
