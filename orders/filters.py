"""What the lists of orders and of trades may be narrowed to."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import Workspace
from brokers.models import TradingAccount
from brokers.terms import Side
from operations.listing import ListFilter
from orders.models import Order, Trade
from orders.states import ALIVE, OrderStatus

# The broker or we ourselves refused it, it was called off, or its time ran out.
UNFILLED_ENDS = (
    OrderStatus.CANCELLED,
    OrderStatus.REJECTED,
    OrderStatus.EXPIRED,
    OrderStatus.DENIED,
)
STATUS_GROUPS = {"open": ALIVE, "ended": UNFILLED_ENDS}
BY_HAND = "by-hand"


class _DealFilter(ListFilter):
    """What orders and trades have in common."""

    account = forms.ModelChoiceField(
        TradingAccount.objects.none(), label="Account", empty_label="Any account"
    )
    strategy = forms.ChoiceField(label="Strategy")
    instrument = forms.CharField(
        label="Instrument",
        max_length=60,
        widget=forms.TextInput(attrs={"placeholder": "Instrument", "type": "search"}),
    )
    day = forms.DateField(label="Day", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        account, strategy = self.fields["account"], self.fields["strategy"]
        if isinstance(account, forms.ModelChoiceField):
            account.queryset = workspace.accounts.order_by("name")
        if isinstance(strategy, forms.ChoiceField):
            strategy.choices = _strategy_choices(workspace)

    def conditions(self, *, strategy: str, day: str) -> dict[str, Any]:
        """Return what to filter by, where ``strategy`` and ``day`` are the row's own fields."""
        chosen = self.chosen()
        found: dict[str, Any] = {}
        if "account" in chosen:
            found["account"] = chosen["account"]
        if "instrument" in chosen:
            found["instrument__key__icontains"] = chosen["instrument"]
        if "day" in chosen:
            found[day] = chosen["day"]
        if "strategy" in chosen:
            by_hand = chosen["strategy"] == BY_HAND
            found[strategy] = None if by_hand else chosen["strategy"]
        return found


class OrderFilter(_DealFilter):
    status = forms.ChoiceField(
        label="Status",
        choices=[
            ("", "Any status"),
            ("open", "Not ended yet"),
            ("ended", "Ended without a fill"),
            *OrderStatus.choices,
        ],
    )
    field_order = ("status", "account", "strategy", "instrument", "day")

    def narrow(self, orders: QuerySet[Order]) -> QuerySet[Order]:
        orders = orders.filter(**self.conditions(strategy="user_strategy", day="created_at__date"))
        status = self.chosen().get("status")
        if status:
            orders = orders.filter(status__in=STATUS_GROUPS.get(status, (status,)))
        return orders


class TradeFilter(_DealFilter):
    side = forms.ChoiceField(label="Side", choices=[("", "Both sides"), *Side.choices])
    field_order = ("side", "account", "strategy", "instrument", "day")

    def narrow(self, trades: QuerySet[Trade]) -> QuerySet[Trade]:
        trades = trades.filter(
            **self.conditions(strategy="order__user_strategy", day="session_date")
        )
        side = self.chosen().get("side")
        return trades.filter(side=side) if side else trades


def _strategy_choices(workspace: Workspace) -> list[tuple[str, str]]:
    # Of the activations and not of the orders: there are dozens of the one, millions of the other.
    named = workspace.user_strategies.values_list("pk", "strategy__name", "account__name").order_by(
        "strategy__name", "account__name"
    )
    choices = [(str(key), f"{name} · {account}") for key, name, account in named]
    return [("", "Any strategy"), (BY_HAND, "By hand"), *choices]
