from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from accounts.models import Role
from brokers.models import TradingAccount
from brokers.services import open_paper_account
from portfolio.models import TradingSession
from risk.models import RiskRule, RuleType, Trading, TradingState
from risk.services import engage_kill_switch
from risk.services.limits import RuleTerms, add_rule
from risk.stops import stops_in_force
from tests.builders import PASSWORD
from tests.orders.desk import Desk
from tests.pages.desks import (
    client_of,
    client_of_stranger,
    client_with_role,
    csv_rows,
    queries_of,
)

URL = "/risk/"
LIMIT = {"rule_type": "MAX_DAILY_LOSS", "rule_value": "25,000"}


def make_rule(desk: Desk, kind: RuleType = RuleType.MAX_DAILY_LOSS, value: str = "100") -> RiskRule:
    terms = RuleTerms(kind, Decimal(value))
    return add_rule(desk.account.workspace, terms, by=desk.user, now=desk.now)


def begin_day(account: TradingAccount, desk: Desk, *, pnl: str) -> None:
    TradingSession.objects.update_or_create(
        account=account,
        session_date=desk.now.date(),
        defaults={
            "workspace": account.workspace,
            "user": desk.user,
            "start_time": desk.now,
            "capital_at_start": Decimal(100000),
            "realized_pnl": Decimal(pnl),
            "total_pnl": Decimal(pnl),
        },
    )


class TestRiskPage:
    def test_sends_who_is_not_signed_in_away(self, client: Client, db: None) -> None:
        assert client.get(URL).status_code == 302

    def test_tells_each_accounts_state_and_what_is_at_stake(self, desk: Desk) -> None:
        desk.buy()
        desk.place(limit="95.00")
        (state,) = client_of(desk).get(URL).context["states"]
        assert (state.state, state.open_orders, state.open_positions) == (Trading.ACTIVE, 1, 1)

    def test_shows_a_rule_with_its_limit(self, desk: Desk) -> None:
        make_rule(desk, value="25000")
        page = client_of(desk).get(URL)
        (row,) = page.context["rules"]
        assert (row.limit, row.percent) == ("25,000.00", 0)

    def test_does_not_invent_a_distance_for_a_rule_of_single_orders(self, desk: Desk) -> None:
        make_rule(desk, RuleType.MAX_LOTS, "5")
        (row,) = client_of(desk).get(URL).context["rules"]
        assert row.percent is None

    def test_measures_a_rule_over_all_accounts_of_its_reach(self, desk: Desk) -> None:
        make_rule(desk, value="10000")
        idle = open_paper_account(
            desk.account.workspace, user=desk.user, name="Idle", cash=Decimal(1000), now=desk.now
        )
        begin_day(desk.account, desk, pnl="-2500")
        begin_day(idle, desk, pnl="0")
        (row,) = client_of(desk).get(URL).context["rules"]
        assert (row.current, row.percent) == ("2,500.00", 25)

    def test_lists_what_was_refused(self, desk: Desk) -> None:
        make_rule(desk, RuleType.MAX_POSITION_SIZE, "100")
        order = desk.place(limit="95.00")
        page = client_of(desk).get(URL)
        assert f"/orders/{order.pk}/" in page.content.decode()

    def test_shows_nothing_of_another_desk(self, desk: Desk) -> None:
        make_rule(desk)
        context = client_of_stranger().get(URL).context
        assert not context["rules"]
        assert not context["states"]

    def test_costs_few_queries(self, desk: Desk) -> None:
        make_rule(desk)
        assert queries_of(client_of(desk), f"{URL}part/") <= 18

    def test_exports_violations(self, desk: Desk) -> None:
        make_rule(desk, RuleType.MAX_POSITION_SIZE, "100")
        desk.place(limit="95.00")
        _, *rows = csv_rows(client_of(desk).get(f"{URL}violations/export/"))
        assert [row[-1] for row in rows] == ["NSE:RELIANCE"]


class TestSetState:
    def test_is_refused_to_a_viewer(self, desk: Desk) -> None:
        viewer = client_with_role(desk.account.workspace, Role.VIEWER)
        assert viewer.post(f"{URL}state/", {"state": "HALTED"}).status_code == 403

    def test_halts_one_account(self, desk: Desk) -> None:
        typed = {"account": str(desk.account.pk), "state": "HALTED"}
        client_of(desk).post(f"{URL}state/", typed)
        assert TradingState.objects.get(account=desk.account).state == Trading.HALTED

    @pytest.mark.parametrize("state", ["", "NONSENSE"])
    def test_refuses_a_state_that_is_none(self, desk: Desk, state: str) -> None:
        client_of(desk).post(f"{URL}state/", {"state": state})
        assert not TradingState.objects.exists()

    def test_leaves_another_desks_account_alone(self, desk: Desk) -> None:
        typed = {"account": str(desk.account.pk), "state": "HALTED"}
        client_of_stranger().post(f"{URL}state/", typed)
        assert not TradingState.objects.exists()


class TestAnOldSession:
    """Someone signed in an hour ago: to stop is theirs at once, to let go asks who they are."""

    @pytest.fixture
    def browser(self, desk: Desk) -> Iterator[Client]:
        client = client_of(desk)
        with time_machine.travel(desk.now + timedelta(hours=1), tick=False):
            yield client

    def asks_for_the_password(self, client: Client, url: str, **form: str) -> bool:
        answer = client.post(url, form)
        return answer.headers.get("Location", "").startswith("/accounts/reauthenticate/")

    def test_halts_without_a_password_and_lets_go_with_one(
        self, desk: Desk, browser: Client
    ) -> None:
        url = f"{URL}state/"
        assert not self.asks_for_the_password(browser, url, state="HALTED", reason="News")
        for state in ("REDUCING", "ACTIVE"):
            assert self.asks_for_the_password(browser, url, state=state, reason="Over")
        assert TradingState.objects.get().state == Trading.HALTED

    def test_tightens_a_limit_without_a_password_and_raises_it_with_one(
        self, desk: Desk, browser: Client
    ) -> None:
        rule = make_rule(desk, value="100")
        url = f"{URL}rules/{rule.pk}/"
        assert not self.asks_for_the_password(browser, url, rule_value="90")
        assert self.asks_for_the_password(browser, url, rule_value="91")
        assert self.asks_for_the_password(browser, f"{url}remove/")
        rule.refresh_from_db()
        assert rule.rule_value == 90

    def test_lowers_the_least_capital_with_a_password_alone(
        self, desk: Desk, browser: Client
    ) -> None:
        rule = make_rule(desk, RuleType.MIN_CAPITAL_THRESHOLD, "100")
        url = f"{URL}rules/{rule.pk}/"
        assert self.asks_for_the_password(browser, url, rule_value="99")
        assert not self.asks_for_the_password(browser, url, rule_value="101")

    def test_releases_the_kill_switch_with_a_password_alone(
        self, desk: Desk, browser: Client
    ) -> None:
        engage_kill_switch(desk.account.workspace, by=desk.user, reason="News", now=desk.now)
        assert self.asks_for_the_password(browser, f"{URL}resume/", reason="Over")
        browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
        assert not self.asks_for_the_password(browser, f"{URL}resume/", reason="Over")
        assert stops_in_force(desk.account.workspace).kill_switch is None


class TestResume:
    def test_changes_nothing_on_get(self, desk: Desk) -> None:
        switch = engage_kill_switch(desk.account.workspace, by=None, reason="x", now=desk.now)
        client_of(desk).get(f"{URL}resume/")
        switch.refresh_from_db()
        assert switch.is_in_force

    def test_releases_the_switch(self, desk: Desk) -> None:
        switch = engage_kill_switch(desk.account.workspace, by=None, reason="x", now=desk.now)
        client_of(desk).post(f"{URL}resume/")
        switch.refresh_from_db()
        assert not switch.is_in_force

    def test_is_refused_to_a_viewer(self, desk: Desk) -> None:
        viewer = client_with_role(desk.account.workspace, Role.VIEWER)
        assert viewer.post(f"{URL}resume/").status_code == 403


class TestRuleForm:
    def test_is_refused_to_a_trader(self, desk: Desk) -> None:
        trader = client_with_role(desk.account.workspace, Role.TRADER)
        assert trader.post(f"{URL}rules/add/", LIMIT).status_code == 403
        assert not RiskRule.objects.exists()

    def test_puts_a_rule_in_force(self, desk: Desk) -> None:
        client_of(desk).post(f"{URL}rules/add/", LIMIT)
        assert RiskRule.objects.get().rule_value == 25000

    @pytest.mark.parametrize("value", ["", "0", "-5", "NaN", "x", "1e99"])
    def test_says_beside_the_field_what_is_wrong(self, desk: Desk, value: str) -> None:
        page = client_of(desk).post(f"{URL}rules/add/", {**LIMIT, "rule_value": value})
        assert "rule_value" in page.context["form"].errors
        assert not RiskRule.objects.exists()

    def test_refuses_a_second_rule_of_the_same_kind(self, desk: Desk) -> None:
        make_rule(desk)
        page = client_of(desk).post(f"{URL}rules/add/", LIMIT)
        assert "rule_type" in page.context["form"].errors

    def test_says_what_a_limit_is_counted_in(self, desk: Desk) -> None:
        assert b"lots open in one instrument: a number of lots" in (
            client_of(desk).get("/risk/rules/add/").content
        )
        rule = make_rule(desk, RuleType.MAX_LOTS, "5")
        page = client_of(desk).get(f"/risk/rules/{rule.pk}/").content
        assert b"A number of lots. One lot of a share is one share." in page

    def test_changes_a_limit(self, desk: Desk) -> None:
        rule = make_rule(desk)
        client_of(desk).post(f"{URL}rules/{rule.pk}/", {"rule_value": "300"})
        rule.refresh_from_db()
        assert rule.rule_value == 300

    def test_is_not_there_for_a_stranger(self, desk: Desk) -> None:
        rule = make_rule(desk)
        stranger = client_of_stranger()
        assert stranger.post(f"{URL}rules/{rule.pk}/", {"rule_value": "300"}).status_code == 404
        assert stranger.post(f"{URL}rules/{rule.pk}/remove/").status_code == 404
        assert RiskRule.objects.filter(pk=rule.pk, rule_value=100).exists()

    def test_removes_a_rule(self, desk: Desk) -> None:
        rule = make_rule(desk)
        client_of(desk).post(f"{URL}rules/{rule.pk}/remove/")
        assert not RiskRule.objects.exists()
