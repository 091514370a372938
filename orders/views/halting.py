"""The kill switch: one page that says what happens, a word to type, one press.

It stands among the orders because it also cancels them; risk, a floor below, holds the switch.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.http import UserRequest
from accounts.models import Workspace
from accounts.permissions import trader_required
from market.quotes import quotes_of
from operations.figures import gain, money
from operations.ids import new_id
from orders.models import Order
from orders.services.halting import HaltRequest, halt_trading
from orders.views.exiting import tell_exits
from portfolio.models import Position

WORD = "HALT"


class HaltForm(forms.Form):
    exit = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=300, required=False)
    # Whatever is typed there is answered alike: with the word to type.
    word = forms.CharField(required=False)
    key = forms.UUIDField()

    def clean_word(self) -> str:
        word = str(self.cleaned_data["word"]).strip().upper()
        if word != WORD:
            raise forms.ValidationError(f"Type {WORD} to confirm.")
        return word


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a halt of the whole workspace does, in numbers; each kind of money stands by itself."""

    orders: int
    strategies: int
    accounts: int
    positions: int
    value: str
    unrealized: str


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
        Position.objects.open()
        .filter(workspace=workspace)
        .select_related("instrument", "account__connection")
    )
    quotes = quotes_of({position.instrument.key for position in positions})
    priced = [
        (position, quotes[position.instrument.key].ltp)
        for position in positions
        if position.instrument.key in quotes
    ]
    return Consequences(
        orders=Order.objects.filter(workspace=workspace).entries().alive().count(),
        strategies=workspace.user_strategies.filter(status="ACTIVE").count(),
        accounts=workspace.accounts.filter(is_active=True).count(),
        positions=len(positions),
        value=_sums(priced, lambda each, price: price * abs(each.quantity), write=money),
        unrealized=_sums(priced, Position.unrealized_at, write=gain),
    )


def _sums(
    priced: Iterable[tuple[Position, Decimal]],
    worth: Callable[[Position, Decimal], Decimal],
    *,
    write: Callable[[Decimal, str], str],
) -> str:
    """Add up each kind of money: +₹4,000 live and −₹2,702 paper."""
    amounts: dict[tuple[bool, str], Decimal] = defaultdict(Decimal)
    for position, price in priced:
        account = position.account
        amounts[account.is_paper, account.currency] += worth(position, price)
    is_mixed = len({is_paper for is_paper, _ in amounts}) > 1
    written = [
        write(amount, currency) + (f" {'paper' if is_paper else 'live'}" if is_mixed else "")
        for (is_paper, currency), amount in sorted(amounts.items())
    ]
    return " and ".join(written) or write(Decimal(0), "INR")


def _halt(request: UserRequest, form: HaltForm) -> None:
    now, chosen = timezone.now(), form.cleaned_data
    wanted = HaltRequest(
        by=request.user,
        reason=chosen["reason"] or "Halted by hand",
        key=chosen["key"].hex,
        exits_positions=chosen["exit"],
    )
    halted = halt_trading(request.workspace, wanted, now=now)
    cancelled = f"{halted.cancelled} open entry order{pluralize(halted.cancelled)}"
    words = f"Trading is halted. {cancelled} being cancelled. Resume on this page."
    messages.success(request, words)
    tell_exits(request, halted.exits, now=now)
    for complaint in halted.complaints:
        messages.error(request, complaint)
