"""The pages of strategies: what runs, the catalogue, one strategy, one activation."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import UserRequest
from accounts.models import TRADING_ROLES
from accounts.permissions import trader_required
from market.quotes import quotes_of
from operations.asking import ask, asked_on
from operations.listing import Column, csv_response, list_rows
from portfolio.profit_chart import profit_chart
from strategies.forms import ActivationFilter, ActivationForm, CatalogueFilter
from strategies.models import Strategy, UserStrategy
from strategies.selectors import (
    activation_rows,
    activations_on_page,
    catalogue_of,
    days_of,
    decisions_not_taken,
    open_positions_of,
    parameter_rows,
    profit_curve,
    recent_orders,
    signal_counts,
)
from strategies.services import (
    ActivationInvalid,
    ActivationNotChanged,
    activate_strategy,
    pause_activation,
    resume_activation,
    stop_activation,
)

BOOKED = (
    "Profit of what has been closed, after charges. What open positions gain or lose is not in it."
)
ACTIVATION_COLUMNS = (
    Column("Strategy", "strategy", ("strategy__name",)),
    Column("Account", "account", ("account__name",), css="not-phone"),
    Column("Allocation", "allocation", ("allocation_amount",), css="num not-phone"),
    Column("Now", "status", ("status", "activated_at"), css="not-phone"),
    Column("Day P&L", css="num"),
    Column("Booked since start", "profit", ("total_pnl",), css="num not-phone", title=BOOKED),
    Column("Act", css="num not-phone"),
)
ACTIVATION_FILE = (
    "Strategy", "Account", "State", "Interval", "Product", "Allocation", "Orders",
    "Orders filled", "Profit after charges", "Activated at", "Stopped at",
)  # fmt: skip
SIGNAL_COLUMNS = (
    Column("Time", "time", ("created_at",)),
    Column("Signal", "instrument", ("instrument__key",)),
    Column("Price", css="num not-phone"),
    Column("Why", css="not-phone"),
    Column("Outcome", "status", ("status", "created_at")),
)


@require_GET
def strategy_list(request: UserRequest, template: str = "strategies/list.html") -> HttpResponse:
    now = timezone.now()
    mine = activations_on_page(request.user, request.workspace)
    chosen = ActivationFilter(request.GET, workspace=request.workspace)
    listing = list_rows(
        chosen.narrow(mine), columns=ACTIVATION_COLUMNS, params=request.GET, default="strategy"
    )
    days = days_of(listing, now=now)
    catalogue = catalogue_of(request.workspace).order_by("category", "name")
    categories = sorted(set(catalogue.order_by().values_list("category", flat=True)))
    shelf = CatalogueFilter(request.GET, categories=categories)
    context = {
        "filter": chosen,
        "listing": listing,
        "rows": activation_rows(list(listing), days=days),
        "days": days,
        "shelf": shelf,
        "catalogue": shelf.narrow(catalogue),
        "may_trade": request.membership.role in TRADING_ROLES,
        "now": now,
    }
    return render(request, template, context)


@require_GET
def export_activations(request: UserRequest) -> HttpResponse:
    chosen = ActivationFilter(request.GET, workspace=request.workspace)
    mine = chosen.narrow(activations_on_page(request.user, request.workspace))
    rows = (
        (
            each.strategy.name, each.account.name, each.status, each.interval, each.product,
            each.allocation_amount, each.total_orders, each.successful_orders, each.total_pnl,
            each.activated_at.isoformat(),
            each.deactivated_at.isoformat() if each.deactivated_at else "",
        )
        for each in mine.order_by("strategy__name", "pk").iterator()
    )  # fmt: skip
    return csv_response("strategies", header=ACTIVATION_FILE, rows=rows)


@require_GET
def detail(request: UserRequest, slug: str) -> HttpResponse:
    strategy = get_object_or_404(Strategy.objects.available_in(request.workspace), slug=slug)
    form = _activation_form(request, strategy)
    return _show_strategy(request, strategy, form)


@require_POST
@trader_required
def activate(request: UserRequest, slug: str) -> HttpResponse:
    strategy = get_object_or_404(Strategy.objects.available_in(request.workspace), slug=slug)
    form = _activation_form(request, strategy)
    if form.is_valid():
        try:
            asked = form.request()
            activation = activate_strategy(asked, user=request.user, now=timezone.now())
        except ActivationInvalid as refusal:
            form.refuse(refusal.errors)
        else:
            messages.success(request, f"{strategy.name} runs from the next candle on.")
            _warn_of_unpriced(request, [each.key for each in asked.instruments])
            return redirect("strategies:activation", activation.pk)
    return _show_strategy(request, strategy, form)


@require_GET
def activation(
    request: UserRequest, activation_id: uuid.UUID, template: str = "strategies/activation.html"
) -> HttpResponse:
    now = timezone.now()
    mine = activations_on_page(request.user, request.workspace)
    running = get_object_or_404(mine.prefetch_related("instruments"), pk=activation_id)
    signals = running.signals.select_related("instrument", "order")
    opened, counts = open_positions_of(running), signal_counts(running)
    days = days_of([running], now=now)
    context = {
        "activation": running,
        "row": activation_rows([running], days=days)[0],
        "days": days,
        "positions": opened,
        "listing": list_rows(signals, columns=SIGNAL_COLUMNS, params=request.GET, default="-time"),
        "counts": counts,
        "orders": recent_orders(running),
        "parameters": parameter_rows(running.strategy, running),
        "chart": profit_chart(profit_curve(running)),
        "not_taken": decisions_not_taken(running).first() if counts.not_taken else None,
        "evaluations": list(running.evaluations.order_by("-evaluated_at")[:5]),
        "may_trade": request.membership.role in TRADING_ROLES,
        "now": now,
    }
    return render(request, template, context)


@require_http_methods(["GET", "POST"])
@trader_required
def pause(request: UserRequest, activation_id: uuid.UUID) -> HttpResponse:
    """Say which positions a pause leaves unwatched; sent, pause it."""
    running = _mine(request, activation_id)
    if request.method == "GET":
        context = {"activation": running, "positions": open_positions_of(running)}
        return ask(request, "strategies/pause.html", context)
    try:
        pause_activation(running, by=request.user, now=timezone.now())
    except ActivationNotChanged as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{running.strategy.name} is paused.")
    return _back(request, running)


@require_POST
@trader_required
def resume(request: UserRequest, activation_id: uuid.UUID) -> HttpResponse:
    running = _mine(request, activation_id)
    try:
        resume_activation(running, by=request.user, now=timezone.now())
    except ActivationNotChanged as error:
        messages.error(request, str(error))
    return redirect("strategies:activation", running.pk)


@require_http_methods(["GET", "POST"])
@trader_required
def stop(request: UserRequest, activation_id: uuid.UUID) -> HttpResponse:
    """Say what stopping does, in numbers; sent, stop it."""
    running = _mine(request, activation_id)
    if request.method == "GET":
        context = {"activation": running, "positions": open_positions_of(running)}
        return ask(request, "strategies/stop.html", context)
    _stop(request, running, now=timezone.now())
    return _back(request, running)


def _stop(request: UserRequest, running: UserStrategy, *, now: datetime) -> None:
    exits = request.POST.get("exits") == "on"
    try:
        stopped = stop_activation(running, by=request.user, now=now, exits_positions=exits)
    except ActivationNotChanged as error:
        messages.error(request, str(error))
        return
    messages.success(request, f"Stopped. Exit orders placed: {len(stopped.exits)}.")
    for complaint in stopped.complaints:
        messages.error(request, complaint)


def _back(request: UserRequest, running: UserStrategy) -> HttpResponse:
    return redirect(
        asked_on(request, otherwise=reverse("strategies:activation", args=[running.pk]))
    )


def _activation_form(request: UserRequest, strategy: Strategy) -> ActivationForm:
    return ActivationForm(
        request.POST if request.method == "POST" else None,
        strategy=strategy,
        workspace=request.workspace,
        user=request.user,
    )


def _show_strategy(request: UserRequest, strategy: Strategy, form: ActivationForm) -> HttpResponse:
    mine = activations_on_page(request.user, request.workspace).filter(strategy=strategy)
    running = list(mine.not_stopped())
    days = days_of(running, now=timezone.now())
    context = {
        "strategy": strategy,
        "form": form,
        "parameters": parameter_rows(strategy),
        "rows": activation_rows(running, days=days),
        "days": days,
        "may_trade": request.membership.role in TRADING_ROLES,
    }
    return render(request, "strategies/detail.html", context)


def _warn_of_unpriced(request: UserRequest, keys: list[str]) -> None:
    unpriced = sorted(set(keys) - quotes_of(keys).keys())
    if unpriced:
        named = ", ".join(unpriced)
        messages.warning(request, f"No price comes in for {named} yet: nothing happens there.")


def _mine(request: UserRequest, activation_id: uuid.UUID) -> UserStrategy:
    mine = activations_on_page(request.user, request.workspace)
    return get_object_or_404(mine.tradable_by(request.user), pk=activation_id)
