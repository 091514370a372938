"""Nobody below the one who stopped trading lets it go on, by whichever way they ask."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import Membership, Role, User
from operations.models import SystemLog
from risk.models import RuleType, Trading, TradingState
from risk.releasing import ReleaseRefused
from risk.selectors import effective_state
from risk.services import (
    RuleInvalid,
    engage_kill_switch,
    release_kill_switch,
    remove_rule,
    set_trading_state,
)
from risk.services.switching import Cause, Scope
from tests.builders import make_user
from tests.orders.desk import Desk, make_desk
from tests.risk.test_evaluating import evaluate
from tests.risk.test_judging import limit

pytestmark = pytest.mark.django_db
ROLES = (Role.TRADER, Role.ADMIN, Role.OWNER)
MAY = [(a, b, ROLES.index(b) >= ROLES.index(a)) for a in ROLES for b in ROLES]


def person(desk: Desk, role: Role) -> User:
    user, is_new = User.objects.get_or_create(username=role, email=f"{role}@example.com")
    if is_new:
        Membership.objects.create(workspace=desk.account.workspace, user=user, role=role)
    return user


def set_state(desk: Desk, state: Trading, by: User | None, reason: str = "") -> TradingState:
    scope = Scope(desk.account.workspace)
    return set_trading_state(scope, state, cause=Cause(reason, by=by), now=desk.now)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


class TestAStateSetByAPerson:
    @pytest.mark.parametrize(("setter", "releaser", "is_allowed"), MAY)
    def test_is_released_by_nobody_below_them(
        self, setter: Role, releaser: Role, is_allowed: bool
    ) -> None:
        desk = make_desk()
        set_state(desk, Trading.HALTED, person(desk, setter))
        if is_allowed:
            set_state(desk, Trading.ACTIVE, person(desk, releaser))
        else:
            with pytest.raises(ReleaseRefused, match="may let it go on"):
                set_state(desk, Trading.ACTIVE, person(desk, releaser))
        expected = Trading.ACTIVE if is_allowed else Trading.HALTED
        assert effective_state(desk.account) is expected

    @pytest.mark.parametrize("state", [Trading.ACTIVE, Trading.REDUCING])
    def test_is_not_loosened_on_the_page_by_a_trader(self, state: Trading) -> None:
        desk = make_desk()
        set_state(desk, Trading.HALTED, desk.user)
        client = client_of(person(desk, Role.TRADER))
        page = client.post("/risk/state/", {"state": state}, follow=True).content.decode()
        assert "only the owner of this desk may let it go on" in page
        assert effective_state(desk.account) is Trading.HALTED

    def test_made_stricter_by_a_trader_is_still_the_owners(self) -> None:
        desk = make_desk()
        trader = person(desk, Role.TRADER)
        set_state(desk, Trading.REDUCING, desk.user)
        set_state(desk, Trading.HALTED, trader)
        set_state(desk, Trading.REDUCING, trader)
        with pytest.raises(ReleaseRefused):
            set_state(desk, Trading.ACTIVE, trader)
        assert effective_state(desk.account) is Trading.REDUCING

    def test_is_released_by_the_command_line(self) -> None:
        desk = make_desk()
        set_state(desk, Trading.HALTED, desk.user)
        call_command("trading_state", "ACTIVE", "--workspace", "Desk", stdout=StringIO())
        assert effective_state(desk.account) is Trading.ACTIVE


class TestAStopSetByARule:
    def stopped(self) -> Desk:
        desk = make_desk()
        limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(100)
        evaluate(desk, "90.00")
        return desk

    @pytest.mark.parametrize("role", [Role.TRADER, Role.ADMIN])
    def test_is_not_released_below_an_owner(self, role: Role) -> None:
        desk = self.stopped()
        with pytest.raises(ReleaseRefused, match="only the owner"):
            set_state(desk, Trading.ACTIVE, person(desk, role), "I know better")
        assert effective_state(desk.account) is Trading.REDUCING

    def test_is_not_released_without_a_reason(self) -> None:
        desk = self.stopped()
        with pytest.raises(ReleaseRefused, match="say why"):
            set_state(desk, Trading.ACTIVE, desk.user, " ")
        assert effective_state(desk.account) is Trading.REDUCING

    def test_is_released_by_an_owner_whose_reason_is_kept(self) -> None:
        desk = self.stopped()
        typed = {"state": "ACTIVE", "reason": "A wrong price"}
        client_of(desk.user).post("/risk/state/", typed)
        assert effective_state(desk.account) is Trading.ACTIVE
        kept = SystemLog.objects.get(type="rms")
        assert kept.user == desk.user
        assert "A wrong price" in kept.message

    def test_is_not_released_by_an_admin_who_removes_the_rule(self) -> None:
        desk = self.stopped()
        rule = desk.account.workspace.risk_rules.get()
        with pytest.raises(RuleInvalid, match="only the owner"):
            remove_rule(rule, by=person(desk, Role.ADMIN), now=desk.now)
        assert effective_state(desk.account) is Trading.REDUCING

    def test_is_listed_with_who_may_release_it(self) -> None:
        desk = self.stopped()
        page = client_of(person(desk, Role.TRADER)).get("/risk/").content.decode()
        assert "The whole desk, paper INR: exits only" in page
        assert "only the owner of this desk may let it go on, or its next session" in page
        assert "Let it go on" not in page
        assert "Let it go on" in client_of(desk.user).get("/risk/").content.decode()


class TestTheKillSwitch:
    @pytest.mark.parametrize(("setter", "releaser", "is_allowed"), MAY)
    def test_is_released_by_nobody_below_who_engaged_it(
        self, setter: Role, releaser: Role, is_allowed: bool
    ) -> None:
        desk = make_desk()
        workspace, by = desk.account.workspace, person(desk, setter)
        engage_kill_switch(workspace, by=by, reason="Panic", now=desk.now)
        client_of(person(desk, releaser)).post("/risk/resume/", {"reason": "Over"})
        expected = Trading.ACTIVE if is_allowed else Trading.HALTED
        assert effective_state(desk.account) is expected

    def test_engaged_by_a_trader_and_then_an_owner_is_the_owners(self) -> None:
        desk = make_desk()
        workspace, trader = desk.account.workspace, person(desk, Role.TRADER)
        for by in (trader, desk.user, trader):
            engage_kill_switch(workspace, by=by, reason="Panic", now=desk.now)
        with pytest.raises(ReleaseRefused):
            release_kill_switch(workspace, by=trader, now=desk.now)

    def test_of_every_desk_is_the_command_lines_alone(self) -> None:
        desk = make_desk()
        engage_kill_switch(None, by=None, reason="drill", now=desk.now)
        page = client_of(desk.user).get("/risk/resume/").content.decode()
        assert "only the command line of the server may let it go on" in page

    def test_is_not_offered_to_who_may_not_release_it(self) -> None:
        desk = make_desk()
        engage_kill_switch(desk.account.workspace, by=desk.user, reason="x", now=desk.now)
        page = client_of(person(desk, Role.TRADER)).get("/risk/resume/").content.decode()
        assert "only the owner of this desk" in page
        assert "Resume trading</button>" not in page

    def test_is_not_touched_by_a_stranger(self) -> None:
        desk = make_desk()
        switch = engage_kill_switch(desk.account.workspace, by=None, reason="x", now=desk.now)
        client_of(make_user("mallory")).post("/risk/resume/")
        switch.refresh_from_db()
        assert switch.is_in_force
