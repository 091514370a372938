"""Connecting a real broker: sealed credentials, an account that is not live, the first login."""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import User, Workspace
from accounts.permissions import require_managing_role
from brokers.logging_in import begin_login
from brokers.logins import Guide, LoginStyle
from brokers.models import BrokerConnection, TradingAccount
from brokers.postbacks import open_postbacks
from brokers.registry import broker_capabilities, guide_of
from brokers.services import (
    NameTaken,
    NewConnection,
    connect_broker,
    disconnect_broker,
    replace_credentials,
)
from brokers.telling import tell_managers
from brokers.terms import Segment
from notifications.models import AlertLevel, NotificationType
from operations.logs import record_log
from operations.models import LogType, Severity

ALONE = "logs_in_alone"


@transaction.atomic
def connect_real_broker(
    workspace: Workspace, *, user: User, form: NewConnection, now: datetime
) -> BrokerConnection:
    """Connect a broker and open an account of the same name, live trading off; then log in.

    :raises PermissionDenied: when the person does not manage the workspace.
    :raises UnknownBroker: when no adapter has that name, or it is the paper broker.
    :raises NameTaken: when the person has such a connection, or the workspace such an account.
    """
    require_managing_role(user, workspace)
    guide = guide_of(form.broker_type)
    connection = connect_broker(workspace, user=user, form=form, now=now)
    _note_how_it_logs_in(connection, guide, form.credentials)
    account = TradingAccount(
        workspace=workspace,
        connection=connection,
        name=form.alias,
        currency=currency_of(form.broker_type),
    )
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken(f"The workspace has an account called {form.alias} already") from error
    if guide.has_postback:
        open_postbacks(connection)
    begin_login(connection, by=user, answer={}, now=now)
    return connection


@transaction.atomic
def renew_credentials(
    connection: BrokerConnection, *, by: User, credentials: Mapping[str, str], now: datetime
) -> None:
    """Seal new credentials in the place of the old ones, end their session and log in anew.

    They may be another client's: live trading is turned off, and comes back in two steps.

    :raises PermissionDenied: when the person does not manage the workspace.
    """
    require_managing_role(by, connection.workspace)
    replace_credentials(connection, credentials=credentials, now=now)
    _turn_live_off(connection, by=by, why="the credentials were replaced", now=now)
    _note_how_it_logs_in(connection, guide_of(connection.broker_type), credentials)
    begin_login(connection, by=by, answer={}, now=now)


@transaction.atomic
def leave_broker(connection: BrokerConnection, *, by: User, now: datetime) -> None:
    """End the session and turn live trading off for its accounts: it comes back in two steps.

    :raises PermissionDenied: when the person does not manage the workspace.
    """
    require_managing_role(by, connection.workspace)
    disconnect_broker(connection, now=now)
    _turn_live_off(connection, by=by, why="the broker was disconnected", now=now)


def logs_in_alone(guide: Guide, credentials: Mapping[str, str]) -> bool:
    """Tell whether no person is needed each day: standing keys, or a secret that makes codes."""
    if guide.style is LoginStyle.TOTP:
        return bool(credentials.get("totp_secret"))
    return guide.style is LoginStyle.KEYS


def takes_token(guide: Guide) -> bool:
    """Tell whether a person may paste the token of the day."""
    named = any(field.name == "access_token" for field in guide.fields)
    return named or guide.style is LoginStyle.PASTED


def currency_of(broker: str) -> str:
    """Return what money an account at the broker is in: rupees wherever NSE is traded."""
    traded = broker_capabilities(broker)
    return "USD" if Segment.US_EQ in traded and Segment.NSE_EQ not in traded else "INR"


def _note_how_it_logs_in(
    connection: BrokerConnection, guide: Guide, credentials: Mapping[str, str]
) -> None:
    held = BrokerConnection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    known = held.connection_metadata
    held.connection_metadata = {**known, ALONE: logs_in_alone(guide, credentials)}
    held.save(update_fields=["connection_metadata", "updated_at"])


def _turn_live_off(connection: BrokerConnection, *, by: User, why: str, now: datetime) -> None:
    """Tell every manager of it. The connection is locked before its accounts, as everywhere."""
    live = connection.accounts.filter(live_enabled=True)
    names = ", ".join(live.order_by("name").values_list("name", flat=True))
    if not live.update(live_enabled=False):
        return
    words = f"Live trading was turned off for {names}"
    record_log(f"{words} by {by.name}", type=LogType.BROKER, level=Severity.WARNING, user=by)
    tell_managers(
        connection.workspace,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.WARNING,
        title=words,
        message=f"By {by.name}: {why}. Once somebody is logged in, turn it on again in two steps.",
        now=now,
    )
