"""The kill switch: one page that says what happens, a word to type, one press.

It stands among the orders because it also cancels them; risk, a floor below, holds the switch.
"""

from dataclasses import dataclass
from decimal import Decimal

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.http import UserRequest
from accounts.models import Workspace
from accounts.permissions import trader_required
from market.quotes import quotes_of
from operations.ids import new_id
from orders.models import Order
from orders.models.orders import OrderQuerySet
from orders.services.exiting import cancel_entries, exit_positions
from orders.views.exiting import tell_exits
from portfolio.models import Position
from risk.services import engage_kill_switch

WORD = "HALT"


class HaltForm(forms.Form):
    exit = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=300, required=False)
    word = forms.CharField(max_length=10)
    key = forms.UUIDField()

    def clean_word(self) -> str:
        word = str(self.cleaned_data["word"]).strip().upper()
        if word != WORD:
            raise forms.ValidationError(f"Type {WORD} to confirm.")
        return word


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a halt of the whole workspace does, in numbers."""

    orders: int
    strategies: int
    accounts: int
    positions: int
    value: Decimal
    unrealized: Decimal


@require_http_methods(["GET", "POST"])
@trader_required
def halt(request: UserRequest) -> HttpResponse:
    """Say what a halt does; with the word typed, do it."""
    form = HaltForm(request.POST or None, initial={"key": new_id()})
    if form.is_valid():
        _halt(request, form)
        return redirect("risk:overview")
    context = {
        "form": form,
        "consequences": consequences_of(request.workspace),
        "word": WORD,
        "now": timezone.now(),
    }
    return render(request, "risk/halt.html", context)


def consequences_of(workspace: Workspace) -> Consequences:
    positions = list(
        Position.objects.open().filter(workspace=workspace).select_related("instrument")
    )
    quotes = quotes_of({position.instrument.key for position in positions})
    priced = [
        (position, quotes[position.instrument.key].ltp)
        for position in positions
        if position.instrument.key in quotes
    ]
    return Consequences(
        orders=_entries(workspace).count(),
        strategies=workspace.user_strategies.filter(status="ACTIVE").count(),
        accounts=workspace.accounts.filter(is_active=True).count(),
        positions=len(positions),
        value=sum((price * abs(each.quantity) for each, price in priced), Decimal(0)),
        unrealized=sum((each.unrealized_at(price) for each, price in priced), Decimal(0)),
    )


def _entries(workspace: Workspace) -> OrderQuerySet:
    return Order.objects.filter(workspace=workspace, is_exit=False).alive()


def _halt(request: UserRequest, form: HaltForm) -> None:
    """Shut the switch first, so that nothing new leaves while the open orders are cancelled."""
    now, chosen = timezone.now(), form.cleaned_data
    reason = chosen["reason"] or "Halted by hand"
    engage_kill_switch(request.workspace, by=request.user, reason=reason, now=now)
    entries = _entries(request.workspace).select_related("instrument", "account__connection")
    cancelled, complaints = cancel_entries(list(entries), now=now)
    messages.success(request, f"Trading is halted. Open entry orders being cancelled: {cancelled}.")
    if chosen["exit"]:
        complaints += _exit_everything(request, key=chosen["key"].hex)
    for complaint in complaints:
        messages.error(request, complaint)


def _exit_everything(request: UserRequest, *, key: str) -> list[str]:
    positions = Position.objects.open().filter(workspace=request.workspace)
    now = timezone.now()
    orders, complaints = exit_positions(
        positions.select_related("instrument", "account__connection"),
        by=request.user,
        now=now,
        idempotency_key=key,
    )
    tell_exits(request, orders, now=now)
    return complaints
