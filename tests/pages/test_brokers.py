from decimal import Decimal

import pytest

from accounts.models import Role
from brokers.models import PaperAccount, TradingAccount
from brokers.registry import gateway_for
from portfolio.models import LedgerEntry, LedgerName
from portfolio.posting import cash_balance
from portfolio.selectors import latest_funds
from portfolio.services import refresh_funds
from tests.orders.desk import Desk
from tests.pages.desks import (
    client_of,
    client_of_stranger,
    client_with_role,
    csv_rows,
    queries_of,
)

URL = "/brokers/"
OPEN = "/positions/practice/open/"


class TestBrokersPage:
    def test_shows_nothing_of_another_desk(self, desk: Desk) -> None:
        page = client_of_stranger().get(URL)
        assert not list(page.context["listing"])
        assert b"No account yet" in page.content

    def test_shows_what_the_broker_last_said_of_the_money(self, desk: Desk) -> None:
        refresh_funds(
            desk.account, gateway_for(desk.account, clock=desk.clock).funds(), now=desk.now
        )
        (row,) = client_of(desk).get(URL).context["listing"]
        assert row.available_balance == 1_000_000

    def test_shows_calls_to_managers_only(self, desk: Desk) -> None:
        trader = client_with_role(desk.account.workspace, Role.TRADER)
        assert b"Last calls" in client_of(desk).get(URL).content
        assert b"Last calls" not in trader.get(URL).content

    def test_costs_few_queries(self, desk: Desk) -> None:
        assert queries_of(client_of(desk), f"{URL}part/") <= 7

    def test_exports_accounts(self, desk: Desk) -> None:
        _, row = csv_rows(client_of(desk).get(f"{URL}export/"))
        assert row[:2] == ["Practice", "paper"]


class TestOpenPracticeAccount:
    def test_is_refused_to_a_viewer(self, desk: Desk) -> None:
        viewer = client_with_role(desk.account.workspace, Role.VIEWER)
        assert viewer.post(OPEN, {"name": "Mine", "cash": "1000"}).status_code == 403

    def test_is_reached_from_the_brokers_pages(self, desk: Desk) -> None:
        assert client_of(desk).get(f"{URL}open-paper/")["Location"] == OPEN

    def test_opens_it_with_its_books(self, desk: Desk) -> None:
        client_of(desk).post(OPEN, {"name": "Second", "cash": "2,50,000"})
        account = TradingAccount.objects.get(name="Second")
        assert cash_balance(account) == PaperAccount.objects.get(account=account).cash == 250000

    @pytest.mark.parametrize(
        ("name", "cash"),
        [("Practice", "5000"), ("", "5000"), ("Second", "999"), ("Second", "x"), ("Second", "")],
    )
    def test_says_what_is_wrong(self, desk: Desk, name: str, cash: str) -> None:
        page = client_of(desk).post(OPEN, {"name": name, "cash": cash})
        assert page.context["form"].errors
        assert TradingAccount.objects.count() == 1


class TestMovePracticeMoney:
    def test_is_not_there_for_a_stranger(self, desk: Desk) -> None:
        answer = client_of_stranger().post(self.url(desk), {"amount": "100"})
        assert answer.status_code == 404

    @pytest.mark.parametrize("amount", ["50,000", "-50,000"])
    def test_moves_it_at_the_broker_and_in_the_books(self, desk: Desk, amount: str) -> None:
        client_of(desk).post(self.url(desk), {"amount": amount})
        expected = 1_000_000 + Decimal(amount.replace(",", ""))
        funds = latest_funds(desk.account)
        assert funds is not None
        assert PaperAccount.objects.get(account=desk.account).cash == expected
        assert (cash_balance(desk.account), funds.available_balance) == (expected, expected)

    def test_keeps_the_books_in_balance(self, desk: Desk) -> None:
        client_of(desk).post(self.url(desk), {"amount": "50000"})
        lines = LedgerEntry.objects.filter(account=desk.account)
        assert {line.ledger for line in lines} == {LedgerName.CASH, LedgerName.CAPITAL}
        assert sum(line.debit - line.credit for line in lines) == 0

    @pytest.mark.parametrize("amount", ["0", "-20,00,000", "", "x", "NaN"])
    def test_says_what_is_wrong(self, desk: Desk, amount: str) -> None:
        page = client_of(desk).post(self.url(desk), {"amount": amount})
        assert "amount" in page.context["form"].errors
        assert PaperAccount.objects.get(account=desk.account).cash == 1_000_000

    def url(self, desk: Desk) -> str:
        return f"/positions/practice/{desk.account.pk}/money/"


class TestCompareNow:
    def test_is_not_there_for_a_stranger(self, desk: Desk) -> None:
        answer = client_of_stranger().post(f"/orders/reconcile/{desk.account.pk}/")
        assert answer.status_code == 404

    def test_says_that_both_sides_agree(self, desk: Desk) -> None:
        desk.buy()
        answer = client_of(desk).post(f"/orders/reconcile/{desk.account.pk}/", follow=True)
        assert [message.level_tag for message in answer.context["messages"]] == ["success"]
