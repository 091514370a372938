"""Timed work over all accounts: marks that no feed asks for."""

from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.gateway import QuoteTick
from brokers.models import TradingAccount
from market.models import Instrument
from market.quotes import write_quotes
from portfolio.models import Holding
from tests.builders import NOW, make_account, make_instrument, make_user, make_workspace
from trading_site.tasks import mark_accounts


@pytest.fixture
def account(db: None) -> TradingAccount:
    return make_account(make_workspace(make_user()))


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
