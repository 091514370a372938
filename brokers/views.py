"""The brokers page: each account, its money, and whether it agrees with its broker."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.http import UserRequest
from accounts.models import MANAGING_ROLES, TRADING_ROLES
from accounts.permissions import trader_required
from brokers.models import BrokerConnection, StreamConnection
from brokers.selectors import accounts_on_page, recent_calls, streams_of
from operations.listing import Column, csv_response, list_rows

ACCOUNT_COLUMNS = (
    Column("Account", "account", ("name",)),
    Column("Broker", "broker", ("connection__broker_type", "name"), css="not-phone"),
    Column("Connection", "status", ("connection__status", "name")),
    Column("Available", "available", ("available_balance",), css="num"),
    Column("Margin used", "used", ("margin_used",), css="num not-phone"),
    Column("Agrees with the broker", "reconciled", ("reconciled_at",), css="not-phone"),
    Column("Act", css="num"),
)
ACCOUNT_FILE = (
    "Account", "Broker", "Paper", "Connection", "Currency", "Available", "Margin used",
    "Money as of", "Reconciled at",
)  # fmt: skip


@require_GET
def account_list(request: UserRequest, template: str = "brokers/list.html") -> HttpResponse:
    may_manage = request.membership.role in MANAGING_ROLES
    accounts = accounts_on_page(request.user, request.workspace)
    context = {
        "listing": list_rows(
            accounts, columns=ACCOUNT_COLUMNS, params=request.GET, default="account"
        ),
        "calls": recent_calls(request.workspace) if may_manage else [],
        "streams": _streams(request) if may_manage else [],
        "may_trade": request.membership.role in TRADING_ROLES,
        "may_manage": may_manage,
        "now": timezone.now(),
    }
    return render(request, template, context)


def _streams(request: UserRequest) -> list[StreamConnection]:
    return streams_of(BrokerConnection.objects.filter(workspace=request.workspace))


@require_GET
def export_accounts(request: UserRequest) -> HttpResponse:
    accounts = accounts_on_page(request.user, request.workspace).order_by("name")
    rows = accounts.values_list(
        "name", "connection__broker_type", "connection__paper_trading", "connection__status",
        "currency", "available_balance", "margin_used", "funds_at", "reconciled_at",
    )  # fmt: skip
    return csv_response("accounts", header=ACCOUNT_FILE, rows=rows)


@require_GET
@trader_required
def open_paper(request: UserRequest) -> HttpResponse:
    """Lead to where a practice account opens: with its books, two floors above."""
    return redirect("portfolio:open_practice")
