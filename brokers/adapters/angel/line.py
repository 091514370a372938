"""One account's line to Angel One: how it reads, how it writes, and what a lost session does."""

import logging
import weakref
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import DatabaseError

from brokers.adapters.angel.client import AngelClient
from brokers.adapters.angel.envelope import EnvelopeUnreadable, as_envelope, is_rate_limited
from brokers.adapters.angel.outcomes import (
    NOT_SENT,
    SESSION_CODES,
    Write,
    is_session_over,
    judge,
)
from brokers.adapters.angel.words import WordUnknown
from brokers.calls import CallLog
from brokers.gateway import GatewayUnavailable, Outcome, Refused, Unknown
from brokers.models import TradingAccount
from brokers.registry import Clock
from brokers.sessions import expire_session, session_secrets
from brokers.transport import Exchange, Manners, NotSent, Transport, TransportError
from operations.secrets import SecretUnreadable

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")
Given = TypeVar("Given")
Ask = Callable[[AngelClient], Mapping[str, Any]]
Admit = Callable[[str, str], None]


class AngelLine:
    """Calls of one account, one at a time. ``admit`` is asked before each and may hold it back."""

    def __init__(self, account: TradingAccount, clock: Clock, *, admit: Admit) -> None:
        self._connection = account.connection
        self._clock = clock
        known = self._connection.connection_metadata
        self._public_ip = str(known.get("static_ip", ""))
        self._transport = Transport(
            Manners(
                egress=str(known.get("egress", "")),
                admit=admit,
                watch=CallLog(self._connection),
            )
        )
        weakref.finalize(self, self._transport.close)

    def read(self, what: str, ask: Ask, translate: Callable[[Any], Answer]) -> Answer:
        """Ask and translate the answer's data.

        :raises GatewayUnavailable: when any of it is missing or cannot be understood.
        """
        client = self._client()
        try:
            envelope = as_envelope(ask(client))
        except TransportError as error:
            raise GatewayUnavailable(f"Angel One's {what} could not be read: {error}") from error
        except EnvelopeUnreadable as error:
            words = _words_of(self._transport.last, str(error))
            raise GatewayUnavailable(f"Angel One's {what} could not be read: {words}") from error
        if envelope.code in SESSION_CODES:
            self._expire(f"{envelope.message} ({envelope.code})")
        if not envelope.is_ok or not envelope.has_data:
            words = f"{envelope.message or 'no words'} ({envelope.code or 'no code'})"
            raise GatewayUnavailable(f"Angel One told no {what}: {words}")
        return understood(what, translate, envelope.data)

    def write(self, write: Write, send: Ask, *, about: str = "") -> Outcome:
        """Send once and judge the answer; never raises."""
        try:
            client = self._client()
        except GatewayUnavailable as error:
            return Refused(str(error), NOT_SENT)
        try:
            send(client)
        except NotSent as error:
            return Refused(str(error), NOT_SENT)
        except UnicodeError:
            # A header that cannot be written is found before the first byte leaves.
            return Refused("The API key holds a character that cannot be sent", NOT_SENT)
        except TransportError as error:
            return Unknown(str(error))
        except EnvelopeUnreadable as error:
            logger.warning("Angel One's answer to a write cannot be read: %s", error)
        exchange = self._transport.last
        if exchange is None:
            return Unknown("The call left no trace")
        outcome = judge(exchange, write=write, at=self._clock(), about=about)
        if is_session_over(outcome):
            self._expire(outcome.reason if isinstance(outcome, Refused) else "")
        return outcome

    def _client(self) -> AngelClient:
        """:raises GatewayUnavailable: when nobody is logged in, or the secrets cannot be read."""
        try:
            secrets = session_secrets(self._connection, now=self._clock())
            credentials = self._connection.read_credentials()
        except (SecretUnreadable, DatabaseError) as error:
            raise GatewayUnavailable("The login at Angel One cannot be read here") from error
        client = AngelClient(
            credentials.get("api_key", ""),
            transport=self._transport,
            jwt=secrets.get("jwt", ""),
            public_ip=self._public_ip,
        )
        client.refresh_token = secrets.get("refresh", "")
        return client

    def _expire(self, words: str) -> None:
        try:
            expire_session(self._connection, words=words, now=self._clock())
        except DatabaseError:
            logger.exception("the end of a session at Angel One could not be written down")


def understood(what: str, translate: Callable[[Given], Answer], data: Given) -> Answer:
    """:raises GatewayUnavailable: when a word, a number or a time is not known here."""
    try:
        return translate(data)
    except WordUnknown as error:
        logger.error("Angel One's %s cannot be read: %s", what, error)
        raise GatewayUnavailable(f"Angel One's {what} cannot be read: {error}") from error


def _words_of(exchange: Exchange | None, error: str) -> str:
    if exchange is None:
        return error
    if is_rate_limited(exchange):
        return "Angel One takes no more calls this moment"
    return f"{error} (HTTP {exchange.status}): {exchange.text}"
