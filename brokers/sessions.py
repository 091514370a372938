"""Sessions at brokers: logging in, the secrets of the day, and what happens when they expire."""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError, transaction

from brokers.clients import LOGIN, check_client, lock_with_siblings
from brokers.gateway import GatewayUnavailable
from brokers.logins import Grant, LoginFailed, LogoutFailed
from brokers.models import (
    OPEN_LOGINS,
    AuthToken,
    BrokerConnection,
    ConnectionStatus,
    LoginAttempt,
    LoginStatus,
)
from brokers.registry import login_of
from operations.events import publish
from operations.logs import record_log
from operations.models import LogType, Severity
from operations.secrets import seal, unseal

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in: ``name`` is no secret, ``secrets`` are what calls of the session need."""

    name: str
    secrets: Mapping[str, str] = field(repr=False)


class SessionMissing(GatewayUnavailable):
    """Nobody is logged in at the broker: somebody has to log in before anything is sent."""


class LoginGivenUp(LoginFailed):
    """A person disconnected, or replaced the credentials, while the broker was being asked."""


@dataclass(frozen=True, slots=True)
class _Used:
    """What a login was made with."""

    credentials: Mapping[str, str] = field(repr=False)
    attempt: LoginAttempt | None


def open_session(
    connection: BrokerConnection,
    *,
    answer: Mapping[str, str],
    now: datetime,
    attempt: LoginAttempt | None = None,
) -> AuthToken:
    """Log in at the broker and keep the session. The network call is outside the transaction.

    Nothing is kept when the attempt was given up, or the credentials replaced, in the meantime.

    :raises LoginFailed: when the broker refuses, or the login is another client's.
    """
    credentials = connection.read_credentials()
    grant = login_of(connection.broker_type).open(credentials, answer=answer, now=now)
    try:
        return _keep(connection, grant, used=_Used(credentials, attempt), now=now)
    except LoginGivenUp:
        _log_out(connection, credentials=credentials, secrets=grant.secrets)
        raise


def current_session(connection: BrokerConnection, *, now: datetime) -> Session:
    """Return the session that is open.

    :raises SessionMissing: when none is open, or it has run out.
    """
    token = connection.auth_tokens.filter(is_active=True).first()
    if token is None:
        raise SessionMissing(f"Nobody is logged in at {connection.get_broker_type_display()}")
    if token.expires_at is not None and token.expires_at <= now:
        raise SessionMissing(
            f"The login at {connection.get_broker_type_display()} has run out: log in again"
        )
    return Session(str(token.pk), dict(unseal(token.access_token, row=_row(token))))


def session_secrets(connection: BrokerConnection, *, now: datetime) -> Mapping[str, str]:
    """Return what calls of the open session need.

    :raises SessionMissing: when none is open, or it has run out.
    """
    return current_session(connection, now=now).secrets


def session_name(connection: BrokerConnection) -> str:
    """Return the name of the open session, which is no secret; empty when none is open."""
    token = connection.auth_tokens.filter(is_active=True).first()
    return "" if token is None else str(token.pk)


@transaction.atomic
def expire_session(
    connection: BrokerConnection, *, words: str, now: datetime, session: str = ""
) -> None:
    """Write that the broker no longer knows our session; safe to call many times.

    Who knows which session was refused names it: a newer login is left alone then. A connection
    that is held for long is old: what else has been written down about it stays.
    """
    # Everywhere the connection is locked first, then what belongs to it.
    held = BrokerConnection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    tokens = AuthToken.objects.filter(connection=held, is_active=True)
    ended = (tokens.filter(pk=session) if session else tokens).update(is_active=False)
    if not ended:
        return
    held.status = ConnectionStatus.EXPIRED
    held.connection_metadata = {**held.connection_metadata, "session_words": words}
    held.save(update_fields=["status", "connection_metadata", "updated_at"])
    connection.status, connection.connection_metadata = held.status, held.connection_metadata
    publish("brokers", workspace_id=held.workspace_id, subject_id=held.pk, now=now)


def note_session_end(
    connection: BrokerConnection, *, words: str, now: datetime, session: str
) -> None:
    """Expire the session that a call was refused with; what cannot be written stops nothing."""
    try:
        expire_session(connection, words=words, now=now, session=session)
    except DatabaseError:
        logger.exception("the end of a session could not be written down")


def end_at_broker(token_id: uuid.UUID) -> None:
    """Log out at the broker with a session that is over here, and forget its secrets.

    What fails is told in the log: the session then ends by itself.
    """
    token = AuthToken.objects.select_related("connection").get(pk=token_id)
    if token.is_active or not token.access_token:
        return
    secrets = unseal(token.access_token, row=_row(token))
    connection = token.connection
    _log_out(connection, credentials=connection.read_credentials(), secrets=secrets)
    AuthToken.objects.filter(pk=token.pk).update(access_token="")


def _log_out(
    connection: BrokerConnection, *, credentials: Mapping[str, str], secrets: Mapping[str, str]
) -> None:
    """Leave it when somebody is in again, or about to be: a broker may end all of the client's
    sessions at once.
    """
    is_back = connection.auth_tokens.filter(is_active=True).exists()
    if is_back or connection.login_attempts.filter(status__in=OPEN_LOGINS).exists():
        return
    try:
        login_of(connection.broker_type).close(credentials, secrets)
    except LogoutFailed as error:
        words = f"Not logged out at the broker of {connection.alias}, where the session lasts on"
        record_log(f"{words}: {error}", type=LogType.BROKER, level=Severity.WARNING)


@transaction.atomic
def _keep(connection: BrokerConnection, grant: Grant, *, used: _Used, now: datetime) -> AuthToken:
    held = lock_with_siblings(connection)
    _check_still_wanted(held, used)
    check_client(held, client_code=grant.client_code)
    AuthToken.objects.filter(connection=held, is_active=True).update(is_active=False)
    token = AuthToken(connection=held, expires_at=grant.expires_at, last_used_at=now)
    token.access_token = seal(dict(grant.secrets), row=_row(token))
    token.save(force_insert=True)
    held.status = ConnectionStatus.CONNECTED
    held.client_code = grant.client_code or held.client_code
    told = {LOGIN: dict(grant.details), "session_words": ""}
    held.connection_metadata = {**held.connection_metadata, **told}
    held.save(update_fields=["status", "client_code", "connection_metadata", "updated_at"])
    publish("brokers", workspace_id=held.workspace_id, subject_id=held.pk, now=now)
    return token


def _check_still_wanted(held: BrokerConnection, used: _Used) -> None:
    """:raises LoginGivenUp: when the session is not wanted any more."""
    running = LoginAttempt.objects.filter(connection=held, status=LoginStatus.RUNNING)
    if used.attempt is not None and not running.filter(pk=used.attempt.pk).exists():
        raise LoginGivenUp("This login was given up in the meantime")
    if held.read_credentials() != used.credentials:
        raise LoginGivenUp("The credentials were replaced in the meantime: log in with the new")


def _row(token: AuthToken) -> str:
    return f"auth_tokens:{token.pk}"
