"""What only a person can settle: an order that outlasted its day unknown, a doubted difference."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import UserRequest
from accounts.permissions import trader_required
from operations.figures import ist_minute
from orders.lifecycle import IllegalTransition
from orders.models import Order
from orders.selectors import orders_on_page
from orders.services.accepting import Acceptance, NotAcceptable, accept_difference
from orders.services.adjusting import price_of
from orders.services.deciding import (
    StillSettling,
    check_over,
    check_unknown,
    check_verdict,
    settle_by_hand,
    words_of,
)
from orders.settle_form import AcceptForm, SettleForm
from orders.validation import OrderInvalid
from orders.views.answers import in_words
from portfolio.models import DifferenceState, PositionDifference


@require_GET
@trader_required
def settle(request: UserRequest, order_id: uuid.UUID) -> HttpResponse:
    """Show the form; filled in, what it would do, with nothing done yet."""
    order = _order(request, order_id)
    try:
        check_unknown(order)
        check_over(order, now=timezone.now())
    except (IllegalTransition, StillSettling) as refusal:
        messages.error(request, in_words(refusal))
        return redirect(order)
    form = SettleForm(request.GET or None)
    if form.is_valid():
        try:
            check_verdict(order, form.verdict())
        except OrderInvalid as refusal:
            form.refuse(refusal.errors)
        else:
            context = {"order": order, "form": form, "words": words_of(form.verdict())}
            return render(request, "orders/settle_confirm.html", context)
    return render(request, "orders/settle.html", {"order": order, "form": form})


@require_POST
@trader_required
def settle_now(request: UserRequest, order_id: uuid.UUID) -> HttpResponse:
    order = _order(request, order_id)
    form = SettleForm(request.POST)
    if not form.is_valid():
        return render(request, "orders/settle.html", {"order": order, "form": form})
    try:
        settled = settle_by_hand(order, form.verdict(), by=request.user, clock=timezone.now)
    except OrderInvalid as refusal:
        form.refuse(refusal.errors)
        return render(request, "orders/settle.html", {"order": order, "form": form})
    except (IllegalTransition, StillSettling) as refusal:
        messages.error(request, f"{in_words(refusal)}. Nothing was changed by hand.")
    else:
        messages.success(request, f"Settled by hand: {settled.get_status_display().lower()}.")
    return redirect(order)


@require_http_methods(["GET", "POST"])
@trader_required
def accept(request: UserRequest, difference_id: uuid.UUID) -> HttpResponse:
    """Show one difference and what accepting it books; sent with a reason, do it."""
    row = _difference(request, difference_id)
    if row.state != DifferenceState.OPEN:
        messages.warning(request, f"{_settled_words(row)} Nothing new was booked.")
        return redirect("portfolio:differences")
    form = AcceptForm(request.POST or None, initial={"ours": row.ours, "theirs": row.theirs})
    if form.is_valid() and _accepted(request, row, form):
        return redirect("portfolio:differences")
    row = _difference(request, difference_id)
    if form.is_bound:
        form.show(row)
    context = {"row": row, "form": form, "price": price_of(row), "now": timezone.now()}
    return render(request, "orders/accept.html", context)


def _accepted(request: UserRequest, row: PositionDifference, form: AcceptForm) -> bool:
    acceptance = Acceptance(**form.cleaned_data, by=request.user)
    try:
        adopted = accept_difference(row, acceptance, clock=timezone.now)
    except NotAcceptable as refusal:
        form.add_error(None, f"{refusal}.")
        return False
    messages.success(request, _settled_words(adopted))
    return True


def _settled_words(row: PositionDifference) -> str:
    name = row.instrument.trading_symbol if row.instrument else row.instrument_key
    if row.state == DifferenceState.ADJUSTED:
        return f"{name} was adjusted to the broker's figure at {ist_minute(row.adjusted_at)}."
    return f"{name}: both sides agree again."


def _order(request: UserRequest, order_id: uuid.UUID) -> Order:
    return get_object_or_404(orders_on_page(request.user, request.workspace), pk=order_id)


def _difference(request: UserRequest, difference_id: uuid.UUID) -> PositionDifference:
    mine = PositionDifference.objects.filter(account__workspace=request.workspace)
    related = ("account__connection__user", "account__workspace", "instrument")
    return get_object_or_404(mine.select_related(*related), pk=difference_id)
