from datetime import datetime
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User, Workspace
from brokers.models import TradingAccount
from brokers.services import open_paper_account
from tests.builders import make_account_at, make_instrument, make_user, make_workspace


class TestShell:
    def test_has_no_inline_script_or_style(self, browser: Client, account: TradingAccount) -> None:
        page = browser.get("/").content.decode()
        assert "style=" not in page and "<style" not in page and "javascript:" not in page
        assert "onclick" not in page
        assert page.count("<script") == page.count("<script src=")

    def test_forbids_what_it_does_not_use(self, browser: Client) -> None:
        policy = browser.get("/")["Content-Security-Policy"]
        assert "script-src 'self'" in policy and "unsafe" not in policy

    def test_marks_the_page_that_one_is_on(self, browser: Client) -> None:
        page = browser.get("/orders/trades/").content.decode()
        assert 'href="/orders/trades/" data-go="t" aria-current="page"' in page
        assert page.count('class="rail"') == 1

    def test_counts_unread_notifications(self, browser: Client) -> None:
        assert b"Notifications, 0 unread" in browser.get("/shell/bell/").content

    def test_names_the_index_and_its_change(self, browser: Client, share: object) -> None:
        make_instrument("SIM:NIFTY 50", segment="IDX", instrument_type="INDEX")
        assert b"NIFTY 50" in browser.get("/").content

    def test_tells_the_american_day_where_all_accounts_are_american(
        self, browser: Client, account: TradingAccount
    ) -> None:
        assert "US market" not in browser.get("/more/").content.decode()
        TradingAccount.objects.filter(pk=account.pk).update(currency="USD")
        assert "US market closed" in browser.get("/more/").content.decode()

    def test_offers_every_page_to_a_phone(self, browser: Client) -> None:
        page = browser.get("/more/").content.decode()
        assert "Sign out" in page and "Brokers" in page

    def test_has_no_part_of_another_name(self, browser: Client) -> None:
        assert browser.get("/shell/secrets/").status_code == 404


class TestScope:
    def test_is_remembered(
        self, browser: Client, account: TradingAccount, workspace: Workspace, now: datetime
    ) -> None:
        second = open_paper_account(
            workspace, user=workspace.owner, name="Second", cash=Decimal(1), now=now
        )
        browser.post("/scope/", {"scope": str(second.pk), "next": "/orders/"})
        assert "Second: choose workspace and account" in browser.get("/").content.decode()

    def test_of_a_stranger_is_ignored(
        self, browser: Client, account: TradingAccount, now: datetime
    ) -> None:
        other = make_user("mira")
        theirs = open_paper_account(
            make_workspace(other), user=other, name="Hers", cash=Decimal(1), now=now
        )
        browser.post("/scope/", {"scope": str(theirs.pk)})
        assert "Practice: choose workspace and account" in browser.get("/").content.decode()

    @pytest.mark.parametrize("is_chosen", [True, False])
    def test_stays_when_a_broker_is_connected(
        self, browser: Client, account: TradingAccount, workspace: Workspace, is_chosen: bool
    ) -> None:
        if is_chosen:
            browser.post("/scope/", {"scope": str(account.pk)})
        make_account_at("angel", workspace)
        assert "Practice: choose workspace and account" in browser.get("/").content.decode()

    @pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", ""])
    def test_returns_to_this_site_only(
        self, browser: Client, account: TradingAccount, wanted: str
    ) -> None:
        answer = browser.post("/scope/", {"scope": str(account.pk), "next": wanted})
        assert answer["Location"] == "/"


class TestTheme:
    def test_is_kept_on_the_device(self, browser: Client) -> None:
        browser.post("/accounts/theme/", {"theme": "dark"})
        assert b'data-theme="dark"' in browser.get("/").content

    def test_that_does_not_exist_follows_the_system(self, browser: Client) -> None:
        browser.post("/accounts/theme/", {"theme": '"><script>'})
        assert b"data-theme=" not in browser.get("/").content


class TestSwitchingDesks:
    def test_enters_another_of_ones_own(self, browser: Client, user: User) -> None:
        second = make_workspace(user, "Second desk")
        browser.post("/accounts/desk/", {"workspace": str(second.pk)})
        assert "Second desk" in browser.get("/").content.decode()

    @pytest.mark.parametrize("wanted", ["", "not-an-id"])
    def test_that_is_not_named_is_not_found(self, browser: Client, wanted: str) -> None:
        assert browser.post("/accounts/desk/", {"workspace": wanted}).status_code == 404

    def test_of_a_stranger_is_not_found(self, browser: Client) -> None:
        theirs = make_workspace(make_user("mira"), "Hers")
        answer = browser.post("/accounts/desk/", {"workspace": str(theirs.pk)})
        assert answer.status_code == 404


class TestIcon:
    def test_is_there_for_a_page_that_names_none(self, client: Client, db: None) -> None:
        assert client.get("/favicon.ico")["Location"].endswith("mark.svg")


class TestErrorPages:
    def test_tell_that_nothing_has_changed(self, browser: Client) -> None:
        answer = browser.get("/no/such/page/")
        assert answer.status_code == 404
        assert b"Nothing about your orders has changed" in answer.content

    @pytest.mark.parametrize(
        "address", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]
    )
    def test_doors_open_without_a_session(self, client: Client, db: None, address: str) -> None:
        answer = client.get(address)
        assert answer.status_code == 200
        assert b'class="gate"' in answer.content and b"style=" not in answer.content
