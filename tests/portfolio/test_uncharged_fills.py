"""A fill whose charges are not known says so, and is charged once its rates are on file."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Role
from brokers.models import TradingAccount
from orders.booked_fills import booked_fills
from orders.models import Order, Trade
from orders.services.charging import Charged, charge_trades
from portfolio.models import ChargeRate, LedgerEntry, LedgerName, Position, TradingSession
from portfolio.posting import ledger_balances, ledger_faults
from portfolio.proving import differences
from portfolio.rebuilding import rebuild
from portfolio.selectors import day_summary
from portfolio.services import close_session, deposit
from tests.builders import NOW, make_instrument
from tests.pages.desks import client_with_role, csv_rows
from tests.portfolio.fills import TODAY, make_desk, make_fill, record

pytestmark = pytest.mark.django_db

RATES = {"exchange": "NSE", "group": "INTRADAY", "effective_from__lte": TODAY}
LATER = NOW + timedelta(days=3)


def take_rates_off_file() -> list[ChargeRate]:
    rates = list(ChargeRate.objects.filter(**RATES))
    for rate in rates:
        rate.delete()
    return rates


def put_on_file(rates: list[ChargeRate]) -> None:
    for rate in rates:
        rate.save(force_insert=True)


@pytest.fixture
def rates() -> list[ChargeRate]:
    """The rates that are missing while the fills are booked."""
    return take_rates_off_file()


@pytest.fixture
def account(rates: list[ChargeRate]) -> TradingAccount:
    """A desk that has bought and turned short on a day of unknown rates."""
    account, instrument = make_desk(), make_instrument()
    deposit(account, amount=Decimal(100_000), now=NOW)
    for minute, traded in enumerate(["BUY 10 @ 100", "SELL 15 @ 103"]):
        record(make_fill(account, instrument, traded, at=NOW + timedelta(minutes=minute)))
    return account


def figures(account: TradingAccount) -> dict[str, object]:
    session = TradingSession.objects.get(account=account)
    positions = Position.objects.filter(account=account).order_by("created_at", "pk")
    return {
        "trades": list(Trade.objects.order_by("pk").values_list("stt", "gst", "net_amount")),
        "positions": list(positions.values_list("charges", flat=True)),
        "session": (session.charges, session.total_pnl, session.capital_at_end),
        "ledger": ledger_balances(account),
    }


def found(account: TradingAccount) -> list[str]:
    books = rebuild(booked_fills(account))
    return [str(each) for each in (*differences(account, books), *ledger_faults(account))]


class TestUnchargedFill:
    def test_is_counted_on_its_day(self, account: TradingAccount) -> None:
        assert TradingSession.objects.get().uncharged_fills == 2
        assert day_summary(account, now=NOW).uncharged_fills == 2

    def test_leaves_books_that_agree(self, account: TradingAccount) -> None:
        assert found(account) == []

    def test_is_named_by_the_proof_once_its_rates_are_known(
        self, account: TradingAccount, rates: list[ChargeRate]
    ) -> None:
        put_on_file(rates)
        assert any(
            "fills without charges is 2, the trades make it 0" in each for each in found(account)
        )


class TestChargeTrades:
    def test_charges_nothing_while_no_rate_is_known(self, account: TradingAccount) -> None:
        before = figures(account)
        assert charge_trades(account, now=LATER) == Charged(0, 2)
        assert figures(account) == before

    def test_leaves_books_that_agree(
        self, account: TradingAccount, rates: list[ChargeRate]
    ) -> None:
        put_on_file(rates)
        assert charge_trades(account, now=LATER) == Charged(2, 0)
        assert found(account) == []
        assert not Trade.objects.filter(charges_known=False).exists()
        assert TradingSession.objects.get().uncharged_fills == 0

    def test_makes_the_figures_that_known_rates_would_have_made(
        self, account: TradingAccount, rates: list[ChargeRate]
    ) -> None:
        close_session(account, session_date=TODAY, now=NOW)
        put_on_file(rates)
        charge_trades(account, now=LATER)
        late = figures(account)
        other, instrument = make_desk("ravi"), make_instrument("NSE:TCS")
        deposit(other, amount=Decimal(100_000), now=NOW)
        Trade.objects.all().delete()
        for minute, traded in enumerate(["BUY 10 @ 100", "SELL 15 @ 103"]):
            record(make_fill(other, instrument, traded, at=NOW + timedelta(minutes=minute)))
        close_session(other, session_date=TODAY, now=NOW)
        assert figures(other) == late

    def test_happens_once(self, account: TradingAccount, rates: list[ChargeRate]) -> None:
        put_on_file(rates)
        charge_trades(account, now=LATER)
        before = figures(account)
        assert charge_trades(account, now=LATER) == Charged()
        assert figures(account) == before

    def test_is_dated_by_the_day_it_is_posted(
        self, account: TradingAccount, rates: list[ChargeRate]
    ) -> None:
        put_on_file(rates)
        charge_trades(account, now=LATER)
        lines = LedgerEntry.objects.filter(ledger=LedgerName.CHARGES)
        assert {line.entry_date for line in lines} == {TODAY + timedelta(days=3)}
        assert all(line.particulars.startswith("Charges of ") for line in lines)

    def test_sets_nothing_else_right(
        self, account: TradingAccount, rates: list[ChargeRate]
    ) -> None:
        Position.objects.open().update(realized_pnl=7)
        put_on_file(rates)
        charge_trades(account, now=LATER)
        assert Position.objects.open().get().realized_pnl == 7

    def test_is_offered_by_the_proof(
        self, account: TradingAccount, rates: list[ChargeRate]
    ) -> None:
        put_on_file(rates)
        output = StringIO()
        call_command("rebuild_books", "--charge", stdout=output)
        assert "2 trades charged, 0 still without rates" in output.getvalue()
        assert "what the trades make them" in output.getvalue()


class TestPages:
    @pytest.fixture
    def client(self, account: TradingAccount) -> Client:
        return client_with_role(account.workspace, Role.TRADER)

    def test_say_it_on_the_order(self, client: Client) -> None:
        order = Order.objects.order_by("created_at", "pk")[0]
        page = client.get(f"/orders/{order.pk}/").content.decode()
        assert "Charges not known for 1 fill:" in page
        assert "not known</span>" in page

    def test_say_it_in_the_list_of_trades(self, client: Client) -> None:
        page = client.get("/orders/trades/").content.decode()
        assert page.count("not known</span>") >= 2
        assert "charges not known for 2 fills" in page

    def test_say_it_in_the_file_of_trades(self, client: Client) -> None:
        header, *rows = csv_rows(client.get("/orders/trades/export/"))
        assert [row[header.index("Charges known")] for row in rows] == ["no", "no"]

    def test_say_it_at_the_profit_of_the_day(self, client: Client) -> None:
        TradingSession.objects.update(session_date=timezone.localdate())
        for page in ("/positions/", "/"):
            assert "not known for 2 fills" in client.get(page).content.decode()
