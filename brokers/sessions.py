"""Sessions at brokers: logging in, the secrets of the day, and what happens when they expire."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError, transaction

from brokers.gateway import GatewayUnavailable
from brokers.logins import Grant
from brokers.models import AuthToken, BrokerConnection, ConnectionStatus
from brokers.registry import login_of
from operations.events import publish
from operations.secrets import seal, unseal

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in: ``name`` is no secret, ``secrets`` are what calls of the session need."""

    name: str
    secrets: Mapping[str, str] = field(repr=False)


class SessionMissing(GatewayUnavailable):
    """Nobody is logged in at the broker: somebody has to log in before anything is sent."""


def open_session(
    connection: BrokerConnection, *, answer: Mapping[str, str], now: datetime
) -> AuthToken:
    """Log in at the broker and keep the session. The network call is outside the transaction.

    :raises LoginFailed: when the broker refuses; the connection then says so.
    """
    login = login_of(connection.broker_type)
    grant = login.open(connection.read_credentials(), answer=answer, now=now)
    return _keep(connection, grant, now=now)


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

    Who knows which session was refused names it: a newer login is left alone then.
    """
    tokens = AuthToken.objects.filter(connection=connection, is_active=True)
    ended = (tokens.filter(pk=session) if session else tokens).update(is_active=False)
    if not ended:
        return
    connection.status = ConnectionStatus.EXPIRED
    connection.connection_metadata = {**connection.connection_metadata, "session_words": words}
    connection.save(update_fields=["status", "connection_metadata", "updated_at"])
    publish("brokers", workspace_id=connection.workspace_id, subject_id=connection.pk, now=now)


def note_session_end(
    connection: BrokerConnection, *, words: str, now: datetime, session: str
) -> None:
    """Expire the session that a call was refused with; what cannot be written stops nothing."""
    try:
        expire_session(connection, words=words, now=now, session=session)
    except DatabaseError:
        logger.exception("the end of a session could not be written down")


@transaction.atomic
def _keep(connection: BrokerConnection, grant: Grant, *, now: datetime) -> AuthToken:
    held = BrokerConnection.objects.select_for_update().get(pk=connection.pk)
    AuthToken.objects.filter(connection=held, is_active=True).update(is_active=False)
    token = AuthToken(connection=held, expires_at=grant.expires_at, last_used_at=now)
    token.access_token = seal(dict(grant.secrets), row=_row(token))
    token.save(force_insert=True)
    held.status = ConnectionStatus.CONNECTED
    held.client_code = grant.client_code or held.client_code
    details = {**dict(grant.details), "session_words": ""}
    held.connection_metadata = {**held.connection_metadata, **details}
    held.save(update_fields=["status", "client_code", "connection_metadata", "updated_at"])
    publish("brokers", workspace_id=held.workspace_id, subject_id=held.pk, now=now)
    return token


def _row(token: AuthToken) -> str:
    return f"auth_tokens:{token.pk}"
