"""Compare an account with its broker now, rather than at the next round."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.http import UserRequest
from accounts.permissions import trader_required
from brokers.models import TradingAccount
from operations.sentences import as_sentences
from orders.services.reconciling import reconcile_account


@require_POST
@trader_required
def reconcile(request: UserRequest, account_id: uuid.UUID) -> HttpResponse:
    mine = TradingAccount.objects.tradable_by(request.user).filter(workspace=request.workspace)
    account = get_object_or_404(mine.select_related("connection"), pk=account_id)
    outcome = reconcile_account(account, clock=timezone.now)
    if outcome.agrees:
        messages.success(request, f"{account.name} agrees with its broker.")
    elif outcome.is_complete:
        messages.error(request, f"{account.name} differs: {as_sentences(outcome.differences)}")
    else:
        messages.error(request, f"{account.name}: the broker could not be read. Nothing is proven.")
    return redirect("brokers:list")
