"""Expired contracts: what waits for its final price, which deliveries are pending, what is done."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.http import UserRequest
from accounts.models import TRADING_ROLES
from accounts.permissions import trader_required
from orders.services.settlement_prices import (
    ReadPrice,
    SettlementRefused,
    confirm_delivery,
    enter_final_price,
    waiting_with,
)
from orders.settlement_form import DeliveryForm, FinalPriceForm
from portfolio.models import ExpirySettlement, SettlementState
from portfolio.models.settlements import ExpirySettlementQuerySet

_SHOWN_OF_THE_PAST = 50


@require_GET
def expired_contracts(request: UserRequest) -> HttpResponse:
    rows = _rows(request)
    context = {
        "open": rows.open().order_by("instrument__expiry", "instrument__key", "pk"),
        "done": rows.exclude(pk__in=rows.open().values("pk")).order_by("-settled_at", "-pk")[
            :_SHOWN_OF_THE_PAST
        ],
        "may_trade": request.membership.role in TRADING_ROLES,
    }
    return render(request, "orders/expired.html", context)


@require_http_methods(["GET", "POST"])
@trader_required
def final_price(request: UserRequest, settlement_id: uuid.UUID) -> HttpResponse:
    """Show what waits for the price; sent with one, settle all of it."""
    row = get_object_or_404(_rows(request), pk=settlement_id)
    if row.state != SettlementState.AWAITING_PRICE:
        messages.warning(request, "Its final price is known: nothing waits for it.")
        return redirect("orders:expired")
    form = FinalPriceForm(request.POST or None)
    if form.is_valid() and _entered(request, row, form):
        return redirect("orders:expired")
    context = {"row": row, "form": form, "waiting": waiting_with(row)}
    return render(request, "orders/final_price.html", context)


@require_http_methods(["GET", "POST"])
@trader_required
def delivery(request: UserRequest, settlement_id: uuid.UUID) -> HttpResponse:
    """Show a pending delivery; sent with what came of it, close it."""
    row = get_object_or_404(_rows(request), pk=settlement_id)
    if row.state != SettlementState.DELIVERY_PENDING:
        messages.warning(request, "No delivery of it is pending.")
        return redirect("orders:expired")
    form = DeliveryForm(request.POST or None)
    if form.is_valid():
        evidence = form.cleaned_data["evidence"]
        try:
            confirm_delivery(row, by=request.user, evidence=evidence, now=timezone.now())
        except SettlementRefused as refusal:
            form.add_error(None, f"{refusal}.")
        else:
            messages.success(request, "The delivery is confirmed.")
            return redirect("orders:expired")
    return render(request, "orders/delivery.html", {"row": row, "form": form})


def _entered(request: UserRequest, row: ExpirySettlement, form: FinalPriceForm) -> bool:
    read = ReadPrice(**form.cleaned_data, by=request.user)
    try:
        settled = enter_final_price(row, read, now=timezone.now())
    except SettlementRefused as refusal:
        form.add_error("price", f"{refusal}.")
        return False
    left = [each for each in settled if each.state == SettlementState.AWAITING_PRICE]
    for each in left:
        messages.error(request, f"{each.instrument.trading_symbol}: {each.reason}.")
    messages.success(request, f"{len(settled) - len(left)} settled.")
    return True


def _rows(request: UserRequest) -> ExpirySettlementQuerySet:
    mine = ExpirySettlement.objects.visible_to(request.user).filter(workspace=request.workspace)
    return mine.select_related("account__connection", "instrument", "confirmed_by", "workspace")
