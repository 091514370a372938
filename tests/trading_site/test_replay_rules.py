"""A replay under the limits of a desk: what they would have refused is refused there."""

from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User, Workspace
from orders.models import Order, OrderSource
from orders.states import OrderStatus
from risk.models import RiskRule, RuleType
from strategies.models import Strategy, UserStrategy
from tests.builders import NOW, make_account, make_user, make_workspace
from tests.trading_site.price_files import WEDNESDAY, write_prices
from trading_site.replaying import Replay, ReplayRequest, prepare_replay

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def files_elsewhere(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prices = tmp_path / "prices"
    prices.mkdir()
    return write_prices(prices, "INFY", "TCS", days=(WEDNESDAY,))


@pytest.fixture
def desk() -> Workspace:
    return make_workspace(make_user(), "Desk")


def limit(desk: Workspace, kind: RuleType, value: str, **fields: object) -> RiskRule:
    return RiskRule.objects.create(
        workspace=desk, user=desk.owner, rule_type=kind, rule_value=Decimal(value), **fields
    )


def activate(desk: Workspace, slug: str, name: str = "Practice") -> UserStrategy:
    return UserStrategy.objects.create(
        workspace=desk,
        user=desk.owner,
        strategy=Strategy.objects.get(slug=slug),
        account=make_account(desk, name),
        activated_at=NOW,
    )


def prepare(folder: Path, desk: Workspace) -> Replay:
    request = ReplayRequest(folder, ("price_breakout",), rules_of=desk)
    return prepare_replay(request, user=desk.owner, now=timezone.now())


class TestRulesOfADesk:
    def test_refuse_what_they_would_have_refused(self, folder: Path, desk: Workspace) -> None:
        limit(desk, RuleType.MAX_ORDERS_PER_DAY, "1")
        replay = prepare(folder, desk)
        [day] = replay.play()
        denied = Order.objects.filter(account=replay.account, status=OrderStatus.DENIED)
        assert denied.exists()
        assert any("orders" in reason.lower() for reason, _ in day.refusals)
        assert replay.faults() == []

    def test_close_what_is_open(self, folder: Path, desk: Workspace) -> None:
        limit(desk, RuleType.TRAILING_STOP, "0.05", exits_positions=True)
        list(prepare(folder, desk).play())
        assert Order.objects.filter(source=OrderSource.RISK, filled_quantity__gt=0).exists()

    def test_are_named(self, folder: Path, desk: Workspace) -> None:
        limit(desk, RuleType.MAX_DAILY_LOSS, "2500.5")
        assert prepare(folder, desk).rules.in_force == ("Largest loss in a day 2,500.5",)

    def test_do_not_count_while_they_are_switched_off(self, folder: Path, desk: Workspace) -> None:
        limit(desk, RuleType.MAX_ORDERS_PER_DAY, "1", is_active=False)
        assert prepare(folder, desk).rules.in_force == ()

    def test_stay_as_they_are(self, folder: Path, desk: Workspace) -> None:
        rule = limit(desk, RuleType.MAX_ORDERS_PER_DAY, "1")
        list(prepare(folder, desk).play())
        assert not rule.standings.exists()

    def test_are_those_of_the_same_strategy_here(self, folder: Path, desk: Workspace) -> None:
        activation = activate(desk, "price_breakout")
        limit(desk, RuleType.MAX_LOTS, "5", user_strategy=activation)
        replay = prepare(folder, desk)
        copied = RiskRule.objects.get(workspace=replay.account.workspace)
        assert copied.user_strategy == UserStrategy.objects.get(account=replay.account)

    def test_are_the_strictest_of_several(self, folder: Path, desk: Workspace) -> None:
        for value, name in (("5", "One"), ("3", "Two"), ("4", "Three")):
            activation = activate(desk, "price_breakout", name)
            limit(desk, RuleType.MAX_LOTS, value, user_strategy=activation)
        rules = prepare(folder, desk).rules
        assert [words.split(" (")[0] for words in rules.in_force] == [
            "Most lots open in one instrument 3"
        ]
        assert len(rules.left_out) == 2

    def test_leave_out_what_speaks_of_something_else(self, folder: Path, desk: Workspace) -> None:
        activation = activate(desk, "rsi_dmi")
        limit(desk, RuleType.MAX_LOTS, "5", user_strategy=activation)
        limit(desk, RuleType.MAX_LOTS, "6", account=activation.account)
        limit(desk, RuleType.MAX_DAILY_LOSS, "100", currency="USD")
        rules = prepare(folder, desk).rules
        assert rules.in_force == ()
        assert [words.rpartition(": ")[2] for words in rules.left_out] == [
            "it is in USD",
            "its strategy is not played",
            "it speaks of Practice alone",
        ]


class TestWithRules:
    def played(self, folder: Path, *arguments: str) -> str:
        output = StringIO()
        strategies = ("--strategies", "price_breakout")
        call_command("replay", folder, *strategies, *arguments, stdout=output)
        return output.getvalue()

    def test_refuses_a_desk_that_the_person_does_not_see(
        self, folder: Path, desk: Workspace
    ) -> None:
        make_workspace(make_user("stranger"), "Other desk")
        with pytest.raises(CommandError, match="no desk called Other desk"):
            self.played(folder, "--user", desk.owner.username, "--with-rules", "Other desk")

    def test_says_so_when_no_limit_counts(self, folder: Path, desk: Workspace) -> None:
        limit(desk, RuleType.MAX_LOTS, "5")
        assert "No limit counts; --with-rules" in self.played(folder)

    def test_takes_the_limits_of_ones_own_desk(self, folder: Path, desk: Workspace) -> None:
        limit(desk, RuleType.MAX_LOTS, "5")
        assert "Limit: Most lots open in one instrument 5" in self.played(folder, "--with-rules")

    def test_takes_those_of_a_desk_that_is_named(self, folder: Path, desk: Workspace) -> None:
        other = make_workspace(User.objects.get(), "Other desk")
        limit(other, RuleType.MAX_LOTS, "7")
        text = self.played(folder, "--with-rules", "Other desk")
        assert "Limit: Most lots open in one instrument 7" in text
