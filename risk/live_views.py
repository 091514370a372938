"""Turning live trading on for an account, in two steps, and off in one."""

import uuid
from datetime import datetime, timedelta

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.http import UserRequest
from accounts.permissions import manager_required
from brokers.models import TradingAccount
from operations.asking import ask
from risk.forms import NameForm, PasswordForm
from risk.services.going_live import (
    NotReadyForLive,
    live_conditions,
    turn_live_off,
    turn_live_on,
)

_STEP = "going_live"
_GOOD_FOR = timedelta(minutes=10)


@require_http_methods(["GET", "POST"])
@manager_required
def live(request: UserRequest, account_id: uuid.UUID) -> HttpResponse:
    """First step: read what will happen, see that all holds, type the account's name."""
    account, now = _account(request, account_id), timezone.now()
    conditions = live_conditions(account, now=now)
    is_ready = all(each.is_met for each in conditions)
    form = NameForm(request.POST or None, name=account.name)
    if form.is_valid() and is_ready:
        request.session[_STEP] = {"account": str(account.pk), "at": now.isoformat()}
        return redirect("risk:live_confirm", account.pk)
    context = {"account": account, "conditions": conditions, "is_ready": is_ready, "form": form}
    return render(request, "risk/live.html", context)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@manager_required
def confirm(request: UserRequest, account_id: uuid.UUID) -> HttpResponse:
    """Second step: the password again, a few guesses a minute."""
    account, now = _account(request, account_id), timezone.now()
    if not _came_from_first_step(request, account, now=now):
        return redirect("risk:live", account.pk)
    form = PasswordForm(request.POST or None)
    if form.is_valid() and _is_right(request, form):
        del request.session[_STEP]
        try:
            turn_live_on(account, by=request.user, now=now)
        except NotReadyForLive as error:
            messages.error(request, f"Live trading stays off: {error}")
        else:
            messages.success(request, f"Live trading is on for {account.name}.")
        return redirect("brokers:detail", account.connection_id)
    return render(request, "risk/live_confirm.html", {"account": account, "form": form})


@require_http_methods(["GET", "POST"])
@manager_required
def turn_off(request: UserRequest, account_id: uuid.UUID) -> HttpResponse:
    """Say what ends; sent, end it."""
    account = _account(request, account_id)
    if request.method == "GET":
        return ask(request, "risk/live_off.html", {"account": account})
    cancelled = turn_live_off(account, by=request.user, now=timezone.now())
    words = f"Live trading is off for {account.name}. Exits still leave. {cancelled.words}"
    messages.success(request, words.rstrip())
    return redirect("brokers:detail", account.connection_id)


def _account(request: UserRequest, account_id: uuid.UUID) -> TradingAccount:
    mine = TradingAccount.objects.manageable_by(request.user).filter(workspace=request.workspace)
    real = mine.filter(connection__paper_trading=False, own_clock=False)
    return get_object_or_404(real.select_related("connection", "workspace"), pk=account_id)


def _came_from_first_step(request: UserRequest, account: TradingAccount, *, now: datetime) -> bool:
    step = request.session.get(_STEP) or {}
    if step.get("account") != str(account.pk):
        return False
    return now - datetime.fromisoformat(step["at"]) < _GOOD_FOR


def _is_right(request: UserRequest, form: PasswordForm) -> bool:
    if not ratelimit.consume(request, action="reauthenticate", user=request.user):
        form.add_error("password", "Too many wrong passwords: wait a minute")
        return False
    if not request.user.check_password(form.cleaned_data["password"]):
        form.add_error("password", "That is not your password")
        return False
    return True
