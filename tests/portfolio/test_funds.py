from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.gateway import FundsReport
from operations.models import Event
from portfolio.models import Funds, LedgerEntry
from portfolio.posting import cash_balance, ledger_faults
from portfolio.selectors import latest_funds
from portfolio.services import deposit, refresh_funds
from tests.builders import NOW, make_instrument
from tests.portfolio.fills import make_desk, trade

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=1)


def report(cash: str, *, used: str = "0") -> FundsReport:
    return FundsReport(
        cash=Decimal(cash),
        margin_used=Decimal(used),
        available=Decimal(cash) - Decimal(used),
        opening_balance=Decimal(cash),
        withdrawable=Decimal(cash),
    )


class TestRefreshFunds:
    def test_notes_what_the_broker_says(self) -> None:
        account = make_desk()

        funds = refresh_funds(account, report("1000", used="300"), now=NOW)

        assert (funds.cash, funds.available_balance, funds.margin_used) == (1000, 700, 300)
        account.refresh_from_db()
        assert account.margin == 700

    def test_keeps_what_it_said_before(self) -> None:
        account = make_desk()
        refresh_funds(account, report("1000"), now=NOW)

        refresh_funds(account, report("900"), now=LATER)

        assert Funds.objects.count() == 2
        current = latest_funds(account)
        assert current is not None
        assert current.cash == 900

    def test_only_renews_the_time_when_nothing_has_changed(self) -> None:
        account = make_desk()
        refresh_funds(account, report("1000"), now=NOW)
        told = Event.objects.count()

        funds = refresh_funds(account, report("1000"), now=LATER)

        assert (Funds.objects.count(), funds.as_of) == (1, LATER)
        assert Event.objects.count() == told

    def test_opens_the_books_with_the_cash_of_the_broker(self) -> None:
        account = make_desk()

        refresh_funds(account, report("1000"), now=NOW)

        assert cash_balance(account) == 1000
        assert ledger_faults(account) == []

    def test_opens_the_books_around_what_was_traded_before(self) -> None:
        account = make_desk()
        booked = trade(account, make_instrument(), "BUY 10 @ 100")

        refresh_funds(account, report(str(1000 - booked.charges.total)), now=NOW)

        assert cash_balance(account) == 1000 - booked.charges.total
        assert LedgerEntry.objects.get(ledger="CAPITAL").credit == 1000

    def test_never_changes_books_that_are_open(self) -> None:
        account = make_desk()
        deposit(account, amount=Decimal(1000), now=NOW)

        refresh_funds(account, report("990"), now=NOW)

        assert cash_balance(account) == 1000


class TestLatestFunds:
    def test_is_none_before_the_broker_has_spoken(self) -> None:
        assert latest_funds(make_desk()) is None
