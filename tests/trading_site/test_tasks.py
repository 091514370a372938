"""Timed work over all accounts: marks that no feed asks for, and the end of days."""

from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.gateway import QuoteTick
from brokers.models import TradingAccount
from market.models import Instrument
from market.quotes import write_quotes
from portfolio.models import Holding, SessionStatus, TradingSession
from tests.builders import NOW, make_account, make_instrument, make_user, make_workspace
from trading_site.tasks import close_sessions, mark_accounts


@pytest.fixture
def account(db: None) -> TradingAccount:
    return make_account(make_workspace(make_user()))


def begin_session(account: TradingAccount, *, days_ago: int) -> TradingSession:
    return TradingSession.objects.create(
        workspace=account.workspace,
        user=account.workspace.owner,
        account=account,
        session_date=NOW.date() - timedelta(days=days_ago),
        start_time=NOW - timedelta(days=days_ago),
        capital_at_start=0,
    )


def status_of(session: TradingSession) -> str:
    session.refresh_from_db()
    return session.status


class TestCloseSessions:
    def test_leaves_today_open(self, account: TradingAccount) -> None:
        session = begin_session(account, days_ago=0)
        assert close_sessions(now=NOW) == 0
        assert status_of(session) == SessionStatus.ACTIVE

    def test_leaves_the_days_of_a_replay_alone(self, account: TradingAccount) -> None:
        TradingAccount.objects.update(own_clock=True)
        session = begin_session(account, days_ago=1)
        assert close_sessions(now=NOW) == 0
        assert status_of(session) == SessionStatus.ACTIVE

    def test_ends_yesterday(self, account: TradingAccount) -> None:
        session = begin_session(account, days_ago=1)
        assert close_sessions(now=NOW) == 1
        assert status_of(session) == SessionStatus.COMPLETED

    def test_ends_a_day_once(self, account: TradingAccount) -> None:
        begin_session(account, days_ago=1)
        close_sessions(now=NOW)
        assert close_sessions(now=NOW) == 0


class TestMarkAccounts:
    def hold(self, account: TradingAccount, instrument: Instrument) -> Holding:
        return Holding.objects.create(
            workspace=account.workspace,
            account=account,
            instrument=instrument,
            total_quantity=5,
            dp_quantity=5,
            available_quantity=5,
            average_price=Decimal(90),
            as_of=NOW - timedelta(days=1),
        )

    def test_values_holdings_at_the_last_price(self, account: TradingAccount) -> None:
        instrument = make_instrument()
        holding = self.hold(account, instrument)
        write_quotes([QuoteTick(instrument.key, Decimal(100), NOW)])
        mark_accounts(now=NOW)
        holding.refresh_from_db()
        assert holding.last_price == 100

    def test_leaves_closed_accounts_alone(self, account: TradingAccount) -> None:
        instrument = make_instrument()
        holding = self.hold(account, instrument)
        TradingAccount.objects.update(is_active=False)
        write_quotes([QuoteTick(instrument.key, Decimal(100), NOW)])
        mark_accounts(now=NOW)
        holding.refresh_from_db()
        assert holding.last_price != 100
