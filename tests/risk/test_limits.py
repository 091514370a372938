from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Membership, Role
from risk.models import RiskRule, RuleType
from risk.services import RuleInvalid, add_rule, change_rule, remove_rule
from risk.services.limits import RuleTerms
from tests.builders import NOW, make_user, make_workspace

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

    def test_changed_counts_anew(self) -> None:
        owner = make_user()
        rule = add_rule(make_workspace(owner), terms(), by=owner, now=NOW)
        RiskRule.objects.update(is_violated=True, confirmations=3)
        rule.refresh_from_db()
        changed = change_rule(rule, terms(value="2000"), by=owner, now=NOW)
        assert (changed.rule_value, changed.is_violated, changed.confirmations) == (2000, False, 0)

    def test_removed_is_gone(self) -> None:
        owner = make_user()
        rule = add_rule(make_workspace(owner), terms(), by=owner, now=NOW)
        remove_rule(rule, by=owner, now=NOW)
        assert not RiskRule.objects.exists()
