"""Open a practice account, and move its made-up money."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.http import UserRequest
from accounts.permissions import trader_required
from accounts.views import safe_next
from brokers.models import TradingAccount
from brokers.services import FundsInvalid, NameTaken, NotPaper
from portfolio.forms import PracticeAccountForm, PracticeMoneyForm
from portfolio.selectors import latest_funds
from portfolio.services import AmountInvalid
from portfolio.services.practice import move_practice_money, open_practice_account


@require_http_methods(["GET", "POST"])
@trader_required
def open_account(request: UserRequest) -> HttpResponse:
    form = PracticeAccountForm(request.POST or None)
    if form.is_valid():
        try:
            account = open_practice_account(
                request.workspace, user=request.user, now=timezone.now(), **form.cleaned_data
            )
        except (NameTaken, FundsInvalid) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{account.name} is open and ready to trade.")
            return redirect(safe_next(request) if "next" in request.POST else "brokers:list")
    return render(request, "portfolio/open_account.html", {"form": form})


@require_http_methods(["GET", "POST"])
@trader_required
def move_money(request: UserRequest, account_id: uuid.UUID) -> HttpResponse:
    mine = TradingAccount.objects.tradable_by(request.user).filter(workspace=request.workspace)
    account = get_object_or_404(mine.select_related("connection", "workspace"), pk=account_id)
    form = PracticeMoneyForm(request.POST or None)
    if form.is_valid():
        amount = form.cleaned_data["amount"]
        try:
            move_practice_money(account, amount=amount, by=request.user, now=timezone.now())
        except (NotPaper, FundsInvalid, AmountInvalid) as error:
            form.add_error("amount", str(error))
        else:
            messages.success(request, f"The money of {account.name} has been moved.")
            return redirect("brokers:list")
    context = {"form": form, "account": account, "funds": latest_funds(account)}
    return render(request, "portfolio/move_money.html", context)
