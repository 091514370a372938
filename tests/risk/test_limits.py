from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Membership, Role, User, Workspace
from risk.forms import RuleForm
from risk.models import RiskRule, RuleType
from risk.services import RuleInvalid, add_rule, change_rule, remove_rule
from risk.services.limits import RuleTerms
from tests.builders import NOW, make_account, make_user, make_workspace
from tests.portfolio.fills import make_running_strategy

pytestmark = pytest.mark.django_db


def terms(rule_type: RuleType = RuleType.MAX_DAILY_LOSS, value: str = "1000") -> RuleTerms:
    return RuleTerms(rule_type, Decimal(value))


class TestALimit:
    def test_is_not_set_by_a_trader(self) -> None:
        workspace, trader = make_workspace(make_user()), make_user("tara")
        Membership.objects.create(workspace=workspace, user=trader, role=Role.TRADER)
        with pytest.raises(PermissionDenied):
            add_rule(workspace, terms(), by=trader, now=NOW)

    @pytest.mark.parametrize(
        ("rule_type", "value"),
        [
            (RuleType.MAX_DAILY_LOSS, "0"),
            (RuleType.MAX_DAILY_LOSS, "-1"),
            (RuleType.MAX_DAILY_LOSS, "NaN"),
            (RuleType.MAX_DAILY_LOSS, "1e30"),
            (RuleType.MAX_DRAWDOWN, "101"),
            (RuleType.MAX_LOTS, "1.5"),
        ],
    )
    def test_out_of_range_is_refused(self, rule_type: RuleType, value: str) -> None:
        owner = make_user()
        with pytest.raises(RuleInvalid) as refused:
            add_rule(make_workspace(owner), terms(rule_type, value), by=owner, now=NOW)
        assert refused.value.field == "rule_value"

    def test_of_one_kind_exists_once_in_its_reach(self) -> None:
        owner = make_user()
        workspace = make_workspace(owner)
        add_rule(workspace, terms(), by=owner, now=NOW)
        with pytest.raises(RuleInvalid, match="already"):
            add_rule(workspace, terms(), by=owner, now=NOW)

    def test_that_an_account_live_must_have_is_not_removed(self) -> None:
        owner = make_user()
        workspace = make_workspace(owner)
        rule = add_rule(workspace, terms(), by=owner, now=NOW)
        account = make_account(workspace, live_enabled=True)
        with pytest.raises(RuleInvalid, match="asks for a largest loss"):
            remove_rule(rule, by=owner, now=NOW)
        assert RiskRule.objects.get() == rule
        add_rule(workspace, replace(terms(), account=account), by=owner, now=NOW)
        remove_rule(rule, by=owner, now=NOW)
        assert RiskRule.objects.get().account == account

    def test_changed_counts_anew(self) -> None:
        owner = make_user()
        rule = add_rule(make_workspace(owner), terms(), by=owner, now=NOW)
        kind = {"is_live": False, "currency": "INR"}
        rule.standings.create(**kind, is_violated=True, confirmations=3)
        changed = change_rule(rule, terms(value="2000"), by=owner, now=NOW)
        assert (changed.rule_value, changed.standings.get().confirmations) == (2000, 0)
        assert not changed.is_violated

    def test_removed_is_gone(self) -> None:
        owner = make_user()
        rule = add_rule(make_workspace(owner), terms(), by=owner, now=NOW)
        remove_rule(rule, by=owner, now=NOW)
        assert not RiskRule.objects.exists()


class TestTheCurrencyOfAnAmount:
    def test_must_be_said_where_the_desk_has_several(self) -> None:
        owner, workspace = self.desk("INR", "USD")
        with pytest.raises(RuleInvalid, match="Say in which currency: INR, USD") as refused:
            add_rule(workspace, terms(), by=owner, now=NOW)
        assert refused.value.field == "currency"

    def test_that_no_account_is_kept_in_is_refused(self) -> None:
        owner, workspace = self.desk("INR", "USD")
        with pytest.raises(RuleInvalid, match="No account is kept in EUR"):
            add_rule(workspace, replace(terms(), currency="EUR"), by=owner, now=NOW)

    def test_is_not_another_than_the_accounts(self) -> None:
        owner, workspace = self.desk("USD")
        asked = replace(terms(), account=workspace.accounts.get(), currency="INR")
        with pytest.raises(RuleInvalid, match="is kept in USD"):
            add_rule(workspace, asked, by=owner, now=NOW)

    def test_is_the_accounts_own(self) -> None:
        owner, workspace = self.desk("INR", "USD")
        dollars = replace(terms(), account=workspace.accounts.get(currency="USD"))
        assert add_rule(workspace, dollars, by=owner, now=NOW).currency == "USD"

    def test_is_that_of_the_strategys_account(self) -> None:
        owner, workspace = self.desk("INR", "USD")
        strategy = make_running_strategy(workspace.accounts.get(currency="USD"))
        asked = replace(terms(), user_strategy_id=strategy)
        assert add_rule(workspace, asked, by=owner, now=NOW).currency == "USD"

    def test_goes_without_saying_where_the_desk_has_one(self) -> None:
        owner, workspace = self.desk("USD", "USD")
        assert add_rule(workspace, terms(), by=owner, now=NOW).currency == "USD"

    def test_lets_the_desk_have_one_amount_in_each(self) -> None:
        owner, workspace = self.desk("INR", "USD")
        for currency in ("INR", "USD"):
            add_rule(workspace, replace(terms(), currency=currency), by=owner, now=NOW)
        assert RiskRule.objects.count() == 2

    def test_does_not_make_two_of_one_count(self) -> None:
        owner, workspace = self.desk("INR", "USD")
        count = terms(RuleType.MAX_LOTS, "5")
        add_rule(workspace, replace(count, currency="INR"), by=owner, now=NOW)
        with pytest.raises(RuleInvalid, match="already"):
            add_rule(workspace, replace(count, currency="USD"), by=owner, now=NOW)

    def test_is_asked_for_on_the_form_only_where_there_are_several(self) -> None:
        _, one = self.desk("INR")
        assert "currency" not in RuleForm(workspace=one).fields
        _, several = self.desk("INR", "USD", owner="bela")
        asked = RuleForm(workspace=several).fields["currency"]
        assert "take no entries until it is set in theirs too" in asked.help_text

    def desk(self, *currencies: str, owner: str = "asha") -> tuple[User, Workspace]:
        user = make_user(owner)
        workspace = make_workspace(user)
        for number, currency in enumerate(currencies):
            make_account(workspace, f"{currency} {number}", currency=currency)
        return user, workspace
