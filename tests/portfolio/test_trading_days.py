"""The day of an account is its exchange's, and not the one in India."""

from datetime import UTC, date, datetime, timedelta

import pytest

from brokers.models import TradingAccount
from portfolio.board import closed_on, day_positions
from portfolio.models import Position, TradingSession
from portfolio.selectors import day_summary, newest_sessions
from portfolio.services.closing import finished_sessions
from portfolio.shown_days import shown_days
from portfolio.trading_days import account_day
from risk.board import account_states
from risk.stops import stops_in_force
from tests.builders import make_account, make_instrument, make_user, make_workspace

pytestmark = pytest.mark.django_db

TUESDAY = date(2026, 6, 16)
# 00:30 on Wednesday in India, 15:00 on Tuesday in New York.
NIGHT = datetime(2026, 6, 16, 19, 0, tzinfo=UTC)


@pytest.fixture
def american() -> TradingAccount:
    return make_account(make_workspace(make_user()), currency="USD")


def session_of(account: TradingAccount, day: date = TUESDAY) -> TradingSession:
    return TradingSession.objects.create(
        workspace=account.workspace,
        user=account.workspace.owner,
        account=account,
        session_date=day,
        capital_at_start=1000,
        total_pnl=50,
        realized_pnl=50,
        start_time=NIGHT - timedelta(hours=5),
    )


class TestAccountDay:
    def test_is_the_day_in_new_york_for_dollars(self, american: TradingAccount) -> None:
        assert account_day(american, NIGHT) == TUESDAY

    def test_is_the_day_in_india_for_rupees(self, american: TradingAccount) -> None:
        assert account_day(make_account(american.workspace, "Rupees"), NIGHT) == date(2026, 6, 17)


class TestTheNightInIndia:
    def test_still_shows_the_day_of_new_york(self, american: TradingAccount) -> None:
        session = session_of(american)

        assert day_summary([american], now=NIGHT).day == TUESDAY
        assert newest_sessions(american.workspace, now=NIGHT) == [session]

    def test_still_counts_its_loss_on_the_risk_page(self, american: TradingAccount) -> None:
        session_of(american)

        stops = stops_in_force(american.workspace)
        (state,) = account_states(american.workspace, stops=stops, now=NIGHT)

        assert state.day_pnl == 50

    def test_does_not_end_its_session(self, american: TradingAccount) -> None:
        session_of(american)

        assert finished_sessions(NIGHT) == []

    def test_ends_it_with_the_day_there(self, american: TradingAccount) -> None:
        session = session_of(american)

        assert finished_sessions(NIGHT + timedelta(hours=10)) == [session]

    def test_lists_what_was_traded_and_closed(self, american: TradingAccount) -> None:
        apple = make_instrument("NASDAQ:AAPL", segment="US_EQ", currency="USD")
        row = {
            "workspace": american.workspace,
            "user": american.workspace.owner,
            "account": american,
            "instrument": apple,
            "product": "CNC",
            "side": "LONG",
            "opened_at": NIGHT - timedelta(hours=4),
            "closed_at": NIGHT - timedelta(hours=2),
        }
        day = Position.objects.create(
            **row, position_type="DAY", status="OPEN", session_date=TUESDAY
        )
        net = Position.objects.create(
            **row, position_type="NET", status="CLOSED", session_date=TUESDAY
        )

        assert day_positions(shown_days([american], now=NIGHT)) == [day]
        assert closed_on(shown_days([american], now=NIGHT)) == [net]
