from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from brokers.gateway import QuoteTick
from brokers.models import TradingAccount
from brokers.terms import Product
from market.quotes import write_quotes
from portfolio.models import EquityPoint, SessionStatus, TradingSession
from portfolio.services import (
    close_session,
    count_order,
    deposit,
    end_session,
    finished_sessions,
    mark_account,
    start_session,
)
from portfolio.tasks import close_finished_sessions
from portfolio.valuation import capital_of
from tests.builders import NOW, make_instrument
from tests.portfolio.fills import TODAY, TOMORROW, make_desk, make_running_strategy, trade
from trading_site.celery import SCHEDULE, app

pytestmark = pytest.mark.django_db

EVENING = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)
TOMORROW_MORNING = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)


def quote(price: str, *, at: datetime = NOW, key: str = "NSE:RELIANCE") -> None:
    write_quotes([QuoteTick(key, Decimal(price), at)])


def _gained(account: TradingAccount) -> list[tuple[Decimal, Decimal]]:
    """Return the net gain and the charges of each day."""
    sessions = TradingSession.objects.filter(account=account).order_by("session_date")
    return [(each.net_pnl, each.charges) for each in sessions]


class TestStartSession:
    def test_notes_the_cash_it_began_with(self) -> None:
        account = make_desk()
        deposit(account, amount=Decimal(5000), now=NOW)

        session = start_session(account, session_date=TODAY, now=NOW)

        assert (session.capital_at_start, session.status) == (5000, SessionStatus.ACTIVE)

    def test_is_the_same_one_the_second_time(self) -> None:
        account = make_desk()
        first = start_session(account, session_date=TODAY, now=NOW)
        deposit(account, amount=Decimal(5000), now=NOW)

        again = start_session(account, session_date=TODAY, now=NOW)

        assert (again.pk, again.capital_at_start) == (first.pk, 0)

    def test_counts_what_was_carried_over_at_its_last_price(self) -> None:
        account, instrument = make_desk(), make_instrument()
        deposit(account, amount=Decimal(5000), now=NOW)
        booked = trade(account, instrument, "BUY 10 @ 100", product=Product.CNC)
        quote("110")
        mark_account(account, now=NOW)

        session = start_session(account, session_date=TOMORROW, now=TOMORROW_MORNING)

        assert session.capital_at_start == 5100 - booked.charges.total
        assert session.opening_unrealized == 100


class TestCountOrder:
    def test_counts_an_order_that_is_written(self) -> None:
        account = make_desk()

        for _ in range(2):
            count_order(account, session_date=TODAY, successful=None, now=NOW)

        session = TradingSession.objects.get()
        assert (session.total_orders, session.successful_orders) == (2, 0)

    def test_counts_an_order_that_has_traded(self) -> None:
        account = make_desk()

        count_order(account, session_date=TODAY, successful=True, now=NOW)

        session = TradingSession.objects.get()
        assert (session.total_orders, session.successful_orders) == (0, 1)

    def test_counts_nothing_for_one_that_failed(self) -> None:
        count_order(make_desk(), session_date=TODAY, successful=False, now=NOW)

        session = TradingSession.objects.get()
        assert (session.total_orders, session.successful_orders) == (0, 0)


class TestSessionFigures:
    def test_are_after_charges(self) -> None:
        account, instrument = make_desk(), make_instrument()
        first = trade(account, instrument, "BUY 10 @ 100")

        second = trade(account, instrument, "SELL 10 @ 103")

        session = TradingSession.objects.get()
        assert session.realized_pnl == 30
        assert session.total_pnl == 30 - first.charges.total - second.charges.total

    def test_count_what_was_carried_from_its_last_price_only(self) -> None:
        account, instrument = make_desk(), make_instrument()
        trade(account, instrument, "BUY 10 @ 100", product=Product.NRML)
        quote("150")
        mark_account(account, now=NOW)

        booked = trade(
            account,
            instrument,
            "SELL 10 @ 140",
            product=Product.NRML,
            session_date=TOMORROW,
        )

        session = TradingSession.objects.get(session_date=TOMORROW)
        assert session.realized_pnl == 400
        assert session.total_pnl == -100 - booked.charges.total

    def test_equal_the_change_of_the_capital(self) -> None:
        account, instrument = make_desk(), make_instrument()
        deposit(account, amount=Decimal(50_000), now=NOW)
        strategy = make_running_strategy(account)
        trade(account, instrument, "BUY 10 @ 100", "SELL 4 @ 104")
        trade(account, instrument, "SELL 9 @ 103", user_strategy_id=strategy)
        trade(account, instrument, "BUY 7 @ 101.15", product=Product.CNC)
        quote("99.85")

        mark_account(account, now=NOW)

        session = TradingSession.objects.get()
        assert capital_of(account) - session.capital_at_start == session.total_pnl

    def test_remember_the_deepest_fall_from_the_peak(self) -> None:
        account, instrument = make_desk(), make_instrument()
        trade(account, instrument, "BUY 10 @ 100")
        for minute, price in enumerate(["120", "105", "110"], start=1):
            quote(price, at=NOW + timedelta(minutes=minute))
            mark_account(account, now=NOW + timedelta(minutes=minute))

        session = TradingSession.objects.get()
        assert session.peak_pnl == 200 - session.charges
        assert session.max_drawdown == 150


class TestEquityCurveOfASession:
    def test_has_a_point_a_minute(self) -> None:
        account, instrument = make_desk(), make_instrument()
        trade(account, instrument, "BUY 10 @ 100")
        for second in (20, 40, 60, 80):
            quote(str(100 + second), at=NOW + timedelta(seconds=second))
            mark_account(account, now=NOW + timedelta(seconds=second))

        minutes = EquityPoint.objects.order_by("at").values_list("at", flat=True)
        assert list(minutes) == [NOW, NOW + timedelta(minutes=1)]

    def test_ends_with_what_the_last_trade_left(self) -> None:
        account, instrument = make_desk(), make_instrument()

        trade(account, instrument, "BUY 10 @ 100", "SELL 10 @ 150")

        session = TradingSession.objects.get()
        assert EquityPoint.objects.get().net_pnl == session.total_pnl


class TestCloseSession:
    def test_is_nothing_where_there_is_no_session(self) -> None:
        assert close_session(make_desk(), session_date=TODAY, now=EVENING) is None

    def test_notes_the_capital_it_ends_with(self) -> None:
        account, instrument = make_desk(), make_instrument()
        deposit(account, amount=Decimal(5000), now=NOW)
        trade(account, instrument, "BUY 10 @ 100", "SELL 10 @ 103")

        session = close_session(account, session_date=TODAY, now=EVENING)

        assert session is not None
        assert session.capital_at_end == session.capital_at_start + session.total_pnl
        assert (session.status, session.end_time) == (SessionStatus.COMPLETED, EVENING)

    def test_happens_once(self) -> None:
        account = make_desk()
        start_session(account, session_date=TODAY, now=NOW)
        close_session(account, session_date=TODAY, now=EVENING)

        assert close_session(account, session_date=TODAY, now=TOMORROW_MORNING) is None


class TestALateFillOfAnEndedDay:
    def test_counts_once_and_leaves_that_days_closing_prices(self) -> None:
        account, instrument = make_desk(), make_instrument()
        deposit(account, amount=Decimal(50_000), now=NOW)
        trade(account, instrument, "BUY 100 @ 100", product=Product.CNC)
        close_session(account, session_date=TODAY, now=EVENING)
        start_session(account, session_date=TOMORROW, now=TOMORROW_MORNING)
        quote("50", at=TOMORROW_MORNING)
        mark_account(account, now=TOMORROW_MORNING)
        before = _gained(account)

        trade(account, instrument, "BUY 10 @ 90", product=Product.CNC)

        (day, charged), (morning, _) = _gained(account)
        assert day - before[0][0] == -400 - (charged - before[0][1])
        assert morning == before[1][0]
        assert sum(gain for gain, _ in _gained(account)) == capital_of(account) - 50_000


class TestFinishedSessions:
    def test_leave_out_a_day_that_goes_on(self) -> None:
        trade(make_desk(), make_instrument(), "BUY 10 @ 100")

        assert finished_sessions(NOW) == []

    def test_are_those_whose_exchange_has_ended_its_day(self) -> None:
        trade(make_desk(), make_instrument(), "BUY 10 @ 100")

        [session] = finished_sessions(EVENING)

        assert session.session_date == TODAY

    def test_leave_out_an_exchange_that_never_closes(self) -> None:
        trade(make_desk(), make_instrument("SIM:ALPHA"), "BUY 10 @ 100")

        assert finished_sessions(EVENING) == []

    def test_wait_for_the_night_where_nothing_was_traded(self) -> None:
        start_session(make_desk(), session_date=TODAY, now=NOW)

        assert finished_sessions(EVENING) == []
        assert len(finished_sessions(TOMORROW_MORNING)) == 1

    def test_leave_out_the_days_of_a_replay(self) -> None:
        trade(make_desk(own_clock=True), make_instrument(), "BUY 10 @ 100")

        assert finished_sessions(TOMORROW_MORNING) == []

    def test_are_closed_by_the_clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        trade(make_desk(), make_instrument(), "BUY 10 @ 100", "SELL 10 @ 101")
        monkeypatch.setattr(timezone, "now", lambda: EVENING)
        monkeypatch.setitem(app.conf, "task_always_eager", True)

        close_finished_sessions()

        assert "portfolio.tasks.close_finished_sessions" in SCHEDULE
        assert TradingSession.objects.get().status == SessionStatus.COMPLETED

    def test_leave_out_a_day_that_is_still_to_come(self) -> None:
        start_session(make_desk(), session_date=date(2026, 6, 19), now=NOW)

        assert finished_sessions(TOMORROW_MORNING) == []

    def test_take_the_last_prices_in_before_they_close(self) -> None:
        account, instrument = make_desk(), make_instrument()
        trade(account, instrument, "BUY 10 @ 100", product=Product.CNC)
        quote("111", at=EVENING)

        session = end_session(account, on=TODAY, now=EVENING)

        assert session is not None
        assert session.unrealized_pnl == 110
