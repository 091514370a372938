"""Forms of the risk page. They parse; the services judge."""

import uuid
from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import Workspace
from brokers.models import TradingAccount
from operations.amounts import AmountInput
from operations.listing import ListFilter
from risk.models import RiskRule, RiskViolation, RuleType, Trading
from risk.services.limits import RuleInvalid, RuleTerms


class LimitForm(forms.Form):
    """What of a rule can be changed later: its value, and whether it closes positions."""

    rule_value = forms.DecimalField(
        label="Limit", max_digits=15, decimal_places=4, widget=AmountInput
    )
    exits_positions = forms.BooleanField(
        label="Also exit the open positions when it is reached", required=False
    )

    def refuse(self, refusal: RuleInvalid) -> None:
        """Show what the service refused beside its field."""
        self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))

    def terms_of(self, rule: RiskRule) -> RuleTerms:
        return RuleTerms(
            rule_type=RuleType(rule.rule_type),
            rule_value=self.cleaned_data["rule_value"],
            account=rule.account,
            user_strategy_id=rule.user_strategy_id,
            exits_positions=self.cleaned_data["exits_positions"],
        )


class RuleForm(LimitForm):
    rule_type = forms.ChoiceField(label="Rule", choices=RuleType.choices)
    account = forms.ModelChoiceField(
        TradingAccount.objects.none(),
        label="Account",
        required=False,
        empty_label="Every account of the desk",
    )
    strategy = forms.ChoiceField(label="Strategy", required=False)
    field_order = ("rule_type", "rule_value", "account", "strategy", "exits_positions")

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        account, strategy = self.fields["account"], self.fields["strategy"]
        if isinstance(account, forms.ModelChoiceField):
            account.queryset = workspace.accounts.filter(is_active=True).order_by("name")
        if isinstance(strategy, forms.ChoiceField):
            strategy.choices = [("", "Every strategy, and by hand"), *_strategies(workspace)]

    def terms(self) -> RuleTerms:
        strategy = self.cleaned_data["strategy"]
        return RuleTerms(
            rule_type=RuleType(self.cleaned_data["rule_type"]),
            rule_value=self.cleaned_data["rule_value"],
            account=self.cleaned_data["account"],
            user_strategy_id=uuid.UUID(strategy) if strategy else None,
            exits_positions=self.cleaned_data["exits_positions"],
        )


class StateForm(forms.Form):
    """A trading state for one account, or for the whole desk when none is named."""

    account = forms.ModelChoiceField(TradingAccount.objects.none(), required=False)
    state = forms.ChoiceField(choices=Trading.choices)
    reason = forms.CharField(max_length=300, required=False)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        account = self.fields["account"]
        if isinstance(account, forms.ModelChoiceField):
            account.queryset = workspace.accounts.all()


class ViolationFilter(ListFilter):
    account = forms.ModelChoiceField(
        TradingAccount.objects.none(), label="Account", empty_label="Any account"
    )
    day = forms.DateField(label="Day", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        account = self.fields["account"]
        if isinstance(account, forms.ModelChoiceField):
            account.queryset = workspace.accounts.order_by("name")

    def narrow(self, violations: QuerySet[RiskViolation]) -> QuerySet[RiskViolation]:
        chosen = self.chosen()
        if "account" in chosen:
            violations = violations.filter(account=chosen["account"])
        if "day" in chosen:
            violations = violations.filter(violated_at__date=chosen["day"])
        return violations


def _strategies(workspace: Workspace) -> list[tuple[str, str]]:
    running = workspace.user_strategies.exclude(status="STOPPED")
    named = running.values_list("pk", "strategy__name", "account__name").order_by("strategy__name")
    return [(str(key), f"{name} on {account}") for key, name, account in named]
