"""The page of one connection: its session, its limits, its address, and leaving it."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import UserRequest
from accounts.models import MANAGING_ROLES
from accounts.permissions import manager_required, trader_required
from brokers.addresses import configure_address
from brokers.connecting import leave_broker
from brokers.forms import AddressForm, TokenForm
from brokers.models import BrokerConnection
from brokers.overview import ConnectionOverview, session_state
from brokers.standing import SENDS_NOTHING
from brokers.tasks import look_at_address
from operations.asking import ask


@require_GET
@trader_required
def detail(
    request: UserRequest, connection_id: UUID, template: str = "brokers/connection.html"
) -> HttpResponse:
    connection = _connection(request, connection_id)
    known = connection.connection_metadata
    may_manage = request.membership.role in MANAGING_ROLES
    context = {
        "connection": connection,
        "session": session_state(connection),
        "overview": ConnectionOverview(connection, timezone.now()),
        "token_form": TokenForm(),
        "address_form": AddressForm(initial=known),
        "may_manage": may_manage,
        "may_log_in": may_manage or connection.user_id == request.user.pk,
        "callback": request.build_absolute_uri(
            reverse("brokers:callback", args=[connection.broker_type])
        ),
        "now": timezone.now(),
    }
    return render(request, template, context)


@require_http_methods(["GET", "POST"])
@manager_required
def disconnect(request: UserRequest, connection_id: UUID) -> HttpResponse:
    """Say what ends with the session; sent, end it."""
    connection = managed_connection(request, connection_id)
    if request.method == "GET":
        live = connection.accounts.filter(live_enabled=True).order_by("name")
        context = {"connection": connection, "live_accounts": live, "effect": SENDS_NOTHING}
        return ask(request, "brokers/disconnect.html", context)
    leave_broker(connection, by=request.user, now=timezone.now())
    messages.success(request, f"{connection.alias} is disconnected. Nothing is sent there.")
    return redirect("brokers:detail", connection.pk)


@require_POST
@manager_required
def set_address(request: UserRequest, connection_id: UUID) -> HttpResponse:
    connection = managed_connection(request, connection_id)
    form = AddressForm(request.POST)
    if form.is_valid():
        configure_address(connection, **form.cleaned_data, now=timezone.now())
        _look_soon(connection)
        messages.success(request, "The address is written down.")
    else:
        messages.error(
            request, " ".join(str(word) for words in form.errors.values() for word in words)
        )
    return redirect("brokers:detail", connection.pk)


@require_POST
@manager_required
def look_now(request: UserRequest, connection_id: UUID) -> HttpResponse:
    connection = managed_connection(request, connection_id)
    _look_soon(connection)
    messages.success(request, "A worker is looking; the answer appears under Address.")
    return redirect("brokers:detail", connection.pk)


def managed_connection(request: UserRequest, connection_id: UUID) -> BrokerConnection:
    mine = BrokerConnection.objects.manageable_by(request.user)
    return _find(request, mine.filter(pk=connection_id))


def connection_to_log_in(request: UserRequest, connection_id: UUID) -> BrokerConnection:
    """Find a connection that is the person's own, or that they manage."""
    found = _connection(request, connection_id)
    if found.user_id == request.user.pk:
        return found
    return managed_connection(request, connection_id)


def _connection(request: UserRequest, connection_id: UUID) -> BrokerConnection:
    seen = BrokerConnection.objects.visible_to(request.user)
    return _find(request, seen.filter(pk=connection_id))


def _find(request: UserRequest, found: QuerySet[BrokerConnection]) -> BrokerConnection:
    """Paper accounts have no connection page: they need no login."""
    real = found.filter(workspace=request.workspace, paper_trading=False)
    return get_object_or_404(real.select_related("user", "workspace"))


def _look_soon(connection: BrokerConnection) -> None:
    transaction.on_commit(lambda: look_at_address.delay(connection_id=str(connection.pk)))
