"""Connecting a broker, its credentials, and the login that a person does there."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import UserRequest
from accounts.permissions import manager_required, trader_required
from accounts.reauthentication import reauthentication_required
from brokers.connecting import connect_real_broker, renew_credentials
from brokers.connection_views import connection_to_log_in, managed_connection
from brokers.forms import ConnectForm, CredentialsForm, TokenForm, shown_credentials
from brokers.logging_in import StateInvalid, begin_login, come_back
from brokers.logins import Guide
from brokers.models import BrokerConnection
from brokers.registry import Broker, UnknownBroker, brokers, guide_of
from brokers.services import NameTaken, NewConnection
from brokers.typed_secrets import forget_secrets, keep_secrets, kept_secrets

_LONGEST_ANSWER = 2000


@require_GET
@manager_required
def choose(request: UserRequest) -> HttpResponse:
    """Show the brokers that can be connected."""
    offered = [(each, guide_of(each.name)) for each in brokers() if not each.is_paper]
    return render(request, "brokers/choose.html", {"offered": offered})


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@manager_required
@reauthentication_required
def connect(request: UserRequest, broker: str) -> HttpResponse:
    found, guide = _broker(broker)
    now = timezone.now()
    if request.method == "GET":
        forget_secrets(request)
    kept = kept_secrets(request, broker, now=now)
    initial = {"alias": found.label}
    form = ConnectForm(request.POST or None, guide=guide, kept=kept, initial=initial)
    connection = _connected(request, found, form, now=now) if form.is_valid() else None
    if connection is not None:
        forget_secrets(request)
        return redirect("brokers:detail", connection.pk)
    if form.is_bound:
        keep_secrets(request, broker, form.keep_sound(), now=now)
    context = {"form": form, "broker": found, "guide": guide, **_addresses(request, found)}
    return render(request, "brokers/connect.html", context)


def _connected(
    request: UserRequest, broker: Broker, form: ConnectForm, *, now: datetime
) -> BrokerConnection | None:
    alias = form.cleaned_data["alias"]
    new = NewConnection(broker.name, alias=alias, credentials=form.credentials)
    try:
        return connect_real_broker(request.workspace, user=request.user, form=new, now=now)
    except NameTaken as error:
        form.add_error("alias", str(error))
        return None


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@manager_required
@reauthentication_required
def credentials(request: UserRequest, connection_id: UUID) -> HttpResponse:
    """Replace what was typed at first; a secret is never shown, and left empty it stays."""
    connection = managed_connection(request, connection_id)
    found, guide = _broker(connection.broker_type)
    held = connection.read_credentials()
    shown = shown_credentials(guide, held)
    form = CredentialsForm(request.POST or None, guide=guide, kept=held, initial=shown)
    if form.is_valid():
        renew_credentials(
            connection, by=request.user, credentials=form.credentials, now=timezone.now()
        )
        return redirect("brokers:detail", connection.pk)
    context = {"form": form, "broker": found, "guide": guide, "connection": connection}
    return render(request, "brokers/connect.html", {**context, **_addresses(request, found)})


@require_POST
@trader_required
def log_in(request: UserRequest, connection_id: UUID) -> HttpResponse:
    connection = connection_to_log_in(request, connection_id)
    begin_login(connection, by=request.user, answer={}, now=timezone.now())
    return redirect("brokers:detail", connection.pk)


@sensitive_post_parameters()
@require_POST
@trader_required
def paste_token(request: UserRequest, connection_id: UUID) -> HttpResponse:
    """Take the token of the day, which a person fetched at the broker's site."""
    connection = connection_to_log_in(request, connection_id)
    form = TokenForm(request.POST)
    if form.is_valid():
        answer = {"access_token": form.cleaned_data["token"]}
        begin_login(connection, by=request.user, answer=answer, now=timezone.now())
    else:
        messages.error(request, "Paste the token first")
    return redirect("brokers:detail", connection.pk)


@require_GET
@never_cache
@trader_required
def callback(request: UserRequest, broker: str) -> HttpResponse:
    """Take what the broker's page sent a person back with. It writes though it is a GET: the
    broker sends it so, and only what was begun here, by this person, once, is taken.
    """
    _broker(broker)
    answer = {
        name: str(value)[:_LONGEST_ANSWER] for name, value in request.GET.items() if name != "state"
    }
    try:
        attempt = come_back(
            broker,
            by=request.user,
            state=request.GET.get("state", ""),
            answer=answer,
            now=timezone.now(),
        )
    except StateInvalid as error:
        messages.error(request, str(error))
        return redirect("brokers:list")
    return redirect("brokers:detail", attempt.connection_id)


def _broker(name: str) -> tuple[Broker, Guide]:
    try:
        guide = guide_of(name)
    except UnknownBroker as error:
        raise Http404(str(error)) from error
    return next(each for each in brokers() if each.name == name), guide


def _addresses(request: UserRequest, broker: Broker) -> dict[str, object]:
    callback_address = request.build_absolute_uri(reverse("brokers:callback", args=[broker.name]))
    return {"callback": callback_address}
