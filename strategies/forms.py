"""The form that switches a strategy on, and what the lists of strategies may be narrowed to."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from accounts.models import User, Workspace
from brokers.models import TradingAccount
from brokers.scope import is_of_replays
from brokers.terms import InstrumentType, Product
from market.models import Instrument, Interval
from market.quotes import quotes_of
from operations.amounts import FigureField, FigureTextField
from operations.listing import ListFilter
from strategies.models import ActivationStatus, RiskLevel, Strategy, UserStrategy
from strategies.parameters import Kind, Parameter
from strategies.selectors import declared
from strategies.validation import (
    EVALUATED_INTERVALS,
    NO_INSTRUMENT,
    PRODUCTS,
    ActivationRequest,
)

PREFIX = "parameter_"


class ActivationFilter(ListFilter):
    """Without a state it shows what runs, and in a desk of replays what was played."""

    status = forms.ChoiceField(
        label="State", choices=[("", "Running and paused"), *ActivationStatus.choices]
    )
    account = forms.ModelChoiceField(
        TradingAccount.objects.none(), label="Account", empty_label="Any account"
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        account = self.fields["account"]
        if isinstance(account, forms.ModelChoiceField):
            account.queryset = workspace.accounts.order_by("name")
        self._is_of_replays = is_of_replays(workspace)
        status = self.fields["status"]
        if self._is_of_replays and isinstance(status, forms.ChoiceField):
            status.choices = [("", "Any state"), *ActivationStatus.choices]

    def narrow(self, activations: QuerySet[UserStrategy]) -> QuerySet[UserStrategy]:
        chosen = self.chosen()
        if "status" in chosen:
            activations = activations.filter(status=chosen["status"])
        elif not self._is_of_replays:
            activations = activations.exclude(status=ActivationStatus.STOPPED)
        if "account" in chosen:
            activations = activations.filter(account=chosen["account"])
        return activations


class CatalogueFilter(ListFilter):
    category = forms.ChoiceField(label="Category")
    risk = forms.ChoiceField(label="Risk", choices=[("", "Any risk"), *RiskLevel.choices])
    prefix = "catalogue"

    def __init__(self, *args: Any, categories: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        category = self.fields["category"]
        if isinstance(category, forms.ChoiceField):
            category.choices = [("", "Any category"), *((each, each) for each in categories)]

    def narrow(self, strategies: QuerySet[Strategy]) -> QuerySet[Strategy]:
        chosen = self.chosen()
        if "category" in chosen:
            strategies = strategies.filter(category=chosen["category"])
        if "risk" in chosen:
            strategies = strategies.filter(risk_level=chosen["risk"])
        return strategies


class ActivationForm(forms.Form):
    """Account, money, instruments and the strategy's own settings. The service judges them."""

    account = forms.ModelChoiceField(TradingAccount.objects.none(), empty_label=None)
    allocation = FigureField(label="Allocation, ₹", max_digits=15, decimal_places=2)
    interval = forms.ChoiceField(
        label="Candles", choices=[(each.value, each.label) for each in EVALUATED_INTERVALS]
    )
    product = forms.ChoiceField(choices=[(each.value, each.label) for each in PRODUCTS])
    instruments = forms.ModelMultipleChoiceField(
        Instrument.objects.none(),
        to_field_name="key",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    others = forms.CharField(
        label="Other instruments",
        required=False,
        max_length=2000,
        help_text="Keys, with commas between them: NSE:INFY, NSE:TCS",
    )
    understood = forms.BooleanField(
        label="I have read what it does, and I can lose this money",
        error_messages={"required": "Tick this to go on."},
    )

    def __init__(
        self, *args: Any, strategy: Strategy, workspace: Workspace, user: User, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.strategy = strategy
        self.fields["interval"].initial = Interval.M5
        self.fields["product"].initial = Product.MIS
        self.fields["allocation"].initial = f"{strategy.min_capital:.0f}"
        account, instruments = self.fields["account"], self.fields["instruments"]
        if isinstance(account, forms.ModelChoiceField):
            active = workspace.accounts.filter(is_active=True).order_by("name")
            account.queryset = active
            account.widget.choices = self._free_accounts(active, user)
        if isinstance(instruments, forms.ModelMultipleChoiceField):
            instruments.queryset = _offered(strategy, user=user, workspace=workspace)
            instruments.choices = _priced_first(instruments.queryset)
        for parameter in declared(strategy):
            self.fields[PREFIX + parameter.name] = _field_of(parameter, strategy.parameters)

    def _free_accounts(self, active: QuerySet[TradingAccount], user: User) -> list[tuple[str, str]]:
        """Where this person does not run it yet: it runs once on an account."""
        running = UserStrategy.objects.not_stopped().filter(user=user, strategy=self.strategy)
        self.running = list(running.select_related("account__connection").order_by("account__name"))
        taken = {each.account_id for each in self.running}
        return [(str(each.pk), str(each)) for each in active if each.pk not in taken]

    @property
    def has_account(self) -> bool:
        """There is an account left to start it on."""
        return bool(self.fields["account"].widget.choices)

    @property
    def wrong_fields(self) -> list[str]:
        """The labels of the fields with errors, in their order."""
        return [str(self[name].label) for name in self.fields if name in self.errors]

    @property
    def settings(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(PREFIX)]

    def clean(self) -> dict[str, Any] | None:
        given = self.cleaned_data
        if "others" in given and not given["others"] and not given.get("instruments"):
            self.add_error("instruments", NO_INSTRUMENT)
        return super().clean()

    def clean_others(self) -> list[Instrument]:
        keys = {key.strip().upper() for key in self.cleaned_data["others"].split(",")} - {""}
        found = list(Instrument.objects.active().filter(key__in=keys))
        missing = sorted(keys - {instrument.key for instrument in found})
        if missing:
            raise forms.ValidationError(f"No instrument is called {', '.join(missing)}.")
        return found

    def request(self) -> ActivationRequest:
        """Return what a valid form asks for."""
        data = self.cleaned_data
        instruments = {each.key: each for each in (*data["instruments"], *data["others"])}
        return ActivationRequest(
            strategy=self.strategy,
            account=data["account"],
            allocation=data["allocation"],
            instruments=tuple(instruments[key] for key in sorted(instruments)),
            interval=Interval(data["interval"]),
            product=Product(data["product"]),
            custom_parameters={
                name.removeprefix(PREFIX): data[name]
                for name in self.changed_data
                if name.startswith(PREFIX)
            },
        )

    def refuse(self, errors: Mapping[str, list[str]]) -> None:
        """Show each refusal of the service beside its field, or above all of them."""
        for name, words in errors.items():
            known = next((each for each in (name, PREFIX + name) if each in self.fields), None)
            for word in words:
                self.add_error(known, word)


def _offered(strategy: Strategy, *, user: User, workspace: Workspace) -> QuerySet[Instrument]:
    """The strategy's own instruments and those of the person's watchlists."""
    watched = user.watchlists.filter(workspace=workspace).values("items__instrument")
    offered = Instrument.objects.active().filter(Q(key__in=strategy.symbols) | Q(pk__in=watched))
    return offered.exclude(instrument_type=InstrumentType.INDEX).order_by("key")


def _priced_first(offered: Iterable[Instrument]) -> list[tuple[str, str]]:
    """Name what can be traded now first; a strategy is blind where no price comes."""
    keys = [instrument.key for instrument in offered]
    quoted = quotes_of(keys)
    ordered = sorted(keys, key=lambda key: key not in quoted)
    return [(key, key if key in quoted else f"{key} (no price yet)") for key in ordered]


def _field_of(parameter: Parameter, defaults: Mapping[str, object]) -> forms.Field:
    initial = defaults.get(parameter.name, parameter.default)
    if parameter.kind is Kind.YES_NO:
        return forms.BooleanField(label=parameter.words, initial=initial, required=False)
    if parameter.kind is Kind.CHOICE:
        return forms.ChoiceField(label=parameter.words, initial=initial, choices=parameter.choices)
    return FigureTextField(
        label=parameter.words,
        initial=str(initial),
        max_length=20,
        help_text=parameter.limits.capitalize(),
    )
