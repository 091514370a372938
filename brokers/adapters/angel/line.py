"""One account's line to Angel One: how it reads, how it writes, and what a lost session does."""

import logging
import weakref
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import DatabaseError

from brokers.adapters.angel.client import AngelClient
from brokers.adapters.angel.envelope import EnvelopeUnreadable, as_envelope, is_rate_limited
from brokers.adapters.angel.outcomes import (
    SESSION_CODES,
    Write,
    is_session_over,
    judge,
)
from brokers.answers import not_sent
from brokers.calls import manners_for
from brokers.gateway import AnswerUnreadable, GatewayUnavailable, Outcome, Refused, Unknown
from brokers.models import TradingAccount
from brokers.registry import Clock
from brokers.sessions import current_session, note_session_end
from brokers.transport import Admit, Exchange, NotSent, Transport, TransportError, admit_all
from brokers.values import Unreadable
from operations.secrets import SecretUnreadable

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")
Given = TypeVar("Given")
Ask = Callable[[AngelClient], Mapping[str, Any]]
_READS_BY_POST = (
    "/market/",
    "/margin/",
    "/historical/",
    "/getLtpData",
    "/searchScrip",
    "/ruleDetails",
    "/ruleList",
    "/optionGreek",
)


class AngelLine:
    """Calls of one account, one at a time. ``admit`` is asked before each and may hold it back."""

    def __init__(self, account: TradingAccount, clock: Clock, *, admit: Admit = admit_all) -> None:
        self._connection = account.connection
        self._clock = clock
        self._public_ip = str(self._connection.connection_metadata.get("static_ip", ""))
        manners = manners_for(self._connection, admit=admit, reads=_READS_BY_POST)
        self._transport = Transport(manners)
        self._session = ""
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
            return not_sent(str(error))
        try:
            send(client)
        except NotSent as error:
            return not_sent(str(error))
        except UnicodeError:
            # A header that cannot be written is found before the first byte leaves.
            return not_sent("The API key holds a character that cannot be sent")
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
            session = current_session(self._connection, now=self._clock())
            credentials = self._connection.read_credentials()
        except (SecretUnreadable, DatabaseError) as error:
            raise GatewayUnavailable("The login at Angel One cannot be read here") from error
        self._session = session.name
        client = AngelClient(
            credentials.get("api_key", ""),
            transport=self._transport,
            jwt=session.secrets.get("jwt", ""),
            public_ip=self._public_ip,
        )
        client.refresh_token = session.secrets.get("refresh", "")
        return client

    def _expire(self, words: str) -> None:
        note_session_end(self._connection, words=words, now=self._clock(), session=self._session)


def understood(what: str, translate: Callable[[Given], Answer], data: Given) -> Answer:
    """:raises AnswerUnreadable: when a word, a number or a time is not known here."""
    try:
        return translate(data)
    except Unreadable as error:
        logger.error("Angel One's %s cannot be read: %s", what, error)
        raise AnswerUnreadable(f"Angel One's {what} cannot be read: {error}") from error


def _words_of(exchange: Exchange | None, error: str) -> str:
    if exchange is None:
        return error
    if is_rate_limited(exchange):
        return "Angel One takes no more calls this moment"
    return f"{error} (HTTP {exchange.status}): {exchange.text}"
