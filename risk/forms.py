"""Forms of the risk page. They parse; the services judge."""

import uuid
from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import Workspace
from brokers.models import TradingAccount
from operations.amounts import FigureField
from operations.listing import ListFilter
from risk.models import RiskRule, RiskViolation, RuleType, Trading
from risk.services.limits import RuleInvalid, RuleTerms, currencies_of

# What a limit is counted in, rule by rule.
UNITS = {
    RuleType.MAX_POSITION_SIZE: "an amount of money",
    RuleType.MAX_DRAWDOWN: "a percentage",
    RuleType.MAX_DAILY_LOSS: "an amount of money",
    RuleType.MAX_ORDERS_PER_DAY: "a number of orders",
    RuleType.MIN_CAPITAL_THRESHOLD: "an amount of money",
    RuleType.MAX_LOTS: "a number of lots",
    RuleType.PROFIT_LOCK: "an amount of money",
    RuleType.TRAILING_STOP: "points of the price",
}
LOTS = "One lot of a share is one share."


class LimitForm(forms.Form):
    """What of a rule can be changed later: its value, and whether it closes positions."""

    rule_value = FigureField(label="Limit", max_digits=15, decimal_places=4)
    exits_positions = forms.BooleanField(
        label="Also exit the open positions when it is reached", required=False
    )

    def measure(self, rule_type: str) -> None:
        """Say what this rule's limit is counted in."""
        kind = RuleType(rule_type)
        words = f"{UNITS[kind].capitalize()}."
        lots = f" {LOTS}" if kind is RuleType.MAX_LOTS else ""
        self.fields["rule_value"].help_text = f"{words}{lots}"

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
            currency=rule.currency,
        )


class RuleForm(LimitForm):
    """A new rule. The currency is asked for only where the desk has several."""

    rule_type = forms.ChoiceField(
        label="Rule", choices=[(kind, f"{kind.label}: {UNITS[kind]}") for kind in RuleType]
    )
    currency = forms.ChoiceField(
        label="Currency of an amount",
        required=False,
        help_text="An amount for every account holds in one currency alone: accounts in another "
        "take no entries until it is set in theirs too. Empty for an account's own currency.",
    )
    account = forms.ModelChoiceField(
        TradingAccount.objects.none(),
        label="Account",
        required=False,
        empty_label="Every account of the desk",
        help_text="Every account: real and paper money are counted apart, each against this limit.",
    )
    strategy = forms.ChoiceField(label="Strategy", required=False)
    field_order = ("rule_type", "rule_value", "currency", "account", "strategy", "exits_positions")

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rule_value"].help_text = f"In the unit that the rule names. {LOTS}"
        self._offer_currencies(currencies_of(workspace))
        account, strategy = self.fields["account"], self.fields["strategy"]
        if isinstance(account, forms.ModelChoiceField):
            account.queryset = workspace.accounts.filter(is_active=True).order_by("name")
        if isinstance(strategy, forms.ChoiceField):
            strategy.choices = [("", "Every strategy, and by hand"), *_strategies(workspace)]

    def _offer_currencies(self, known: list[str]) -> None:
        currency = self.fields["currency"]
        if len(known) < 2:
            del self.fields["currency"]
        elif isinstance(currency, forms.ChoiceField):
            currency.choices = [("", "The account's own"), *((each, each) for each in known)]

    def terms(self) -> RuleTerms:
        strategy = self.cleaned_data["strategy"]
        return RuleTerms(
            rule_type=RuleType(self.cleaned_data["rule_type"]),
            rule_value=self.cleaned_data["rule_value"],
            account=self.cleaned_data["account"],
            user_strategy_id=uuid.UUID(strategy) if strategy else None,
            exits_positions=self.cleaned_data["exits_positions"],
            currency=self.cleaned_data.get("currency", ""),
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


class NameForm(forms.Form):
    """A name typed once more, so that nobody acts on the wrong account."""

    name = forms.CharField(label="Type the account's name", max_length=100)

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = name
        self.fields["name"].widget.attrs["autocomplete"] = "off"

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        if typed != self.wanted:
            raise forms.ValidationError(f"Type {self.wanted} exactly as it is written")
        return typed


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
