"""Where positions differ from what the brokers tell, over every account of the desk."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.http import UserRequest
from accounts.models import TRADING_ROLES
from brokers.models import TradingAccount
from portfolio.board import differences_on
from portfolio.models import UnreadableRow
from portfolio.shown_days import shown_days


@require_GET
def difference_list(
    request: UserRequest, template: str = "portfolio/differences.html"
) -> HttpResponse:
    """Show what is open in all accounts, whatever scope is chosen, and what was adjusted today."""
    now = timezone.now()
    visible = TradingAccount.objects.visible_to(request.user).filter(workspace=request.workspace)
    context = {
        "differences": differences_on(shown_days(list(visible), now=now)),
        "unreadable": UnreadableRow.objects.of(visible),
        "may_trade": request.membership.role in TRADING_ROLES,
    }
    return render(request, template, context)
