"""One account's line to Kite: its session, and what becomes of a call that goes wrong."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DatabaseError

from brokers.adapters.kite.client import FAILURES, KiteClient
from brokers.adapters.kite.outcomes import is_session_over, judge, words_in
from brokers.adapters.kite.places import BROKER_NAME
from brokers.answers import not_sent
from brokers.calls import manners_for
from brokers.directory import key_at
from brokers.gateway import AnswerUnreadable, GatewayUnavailable, Outcome, Refused
from brokers.models import TradingAccount
from brokers.registry import Clock
from brokers.sessions import SessionMissing, current_session, note_session_end
from brokers.transport import Admit, Exchange, NotSent, admit_all
from brokers.values import Unreadable
from operations.secrets import SecretUnreadable

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Call = Callable[[KiteClient], Any]
_READS_BY_POST = ("/margins/", "/charges/")


class Line:
    """Opens the client with the session of the day. One thread uses one line."""

    def __init__(self, account: TradingAccount, clock: Clock, *, admit: Admit = admit_all) -> None:
        self.connection = account.connection
        self.clock = clock
        self._manners = manners_for(self.connection, admit=admit, reads=_READS_BY_POST)
        self._client: KiteClient | None = None
        self._session = ""
        self._keys: dict[tuple[str, str], str] = {}

    def read(self, call: Call, understand: Callable[[Any], Answer]) -> Answer:
        """Make a call and read its answer.

        :raises GatewayUnavailable: when either fails; that is never an answer of nothing.
        """
        client = self._open()
        try:
            return understand(call(client))
        except Unreadable as error:
            raise AnswerUnreadable(_why(error, client.last)) from error
        except (*FAILURES, DatabaseError) as error:
            self._notice(client.last)
            raise GatewayUnavailable(_why(error, client.last)) from error

    def write(self, call: Call, *, named: str = "order_id") -> Outcome:
        """Make a call that changes something; the answer is judged, whatever the SDK says of it."""
        return self.write_many(call, lambda last: judge(last, at=self.clock(), named=named))

    def write_many(
        self, call: Call, judged: Callable[[Exchange | None], Answer]
    ) -> Answer | Refused:
        """Make a call whose exchange ``judged`` reads; nothing is raised."""
        try:
            client = self._open()
        except GatewayUnavailable as error:
            return not_sent(str(error))
        try:
            call(client)
        except NotSent as error:
            return not_sent(str(error))
        except FAILURES as error:
            logger.info("Kite's answer was not what its SDK expects: %s", type(error).__name__)
        self._notice(client.last)
        return judged(client.last)

    def key_of(self, exchange: str, token: str) -> str:
        """Return the house's key; the directory is asked once for each in one call's answer."""
        asked = exchange, token
        if asked not in self._keys:
            self._keys[asked] = key_at(BROKER_NAME, exchange=exchange, token=token)
        return self._keys[asked]

    def _open(self) -> KiteClient:
        """Return the client of the session that is open now.

        :raises GatewayUnavailable: when nobody is logged in, or the session cannot be read.
        """
        try:
            session = current_session(self.connection, now=self.clock())
        except (SecretUnreadable, DatabaseError) as error:
            raise GatewayUnavailable(f"The session at Kite cannot be read: {error}") from error
        token = session.secrets.get("access_token", "")
        key = session.secrets.get("api_key", "")
        if not token or not key:
            raise SessionMissing("The session at Kite is incomplete: log in again")
        if self._client is None or self._client.access_token != token:
            self._client = KiteClient(api_key=key, access_token=token, manners=self._manners)
        self._session = session.name
        self._client.forget_last()
        self._keys.clear()
        return self._client

    def _notice(self, exchange: Exchange | None) -> None:
        """Write down a session that Kite has ended."""
        if exchange is not None and is_session_over(exchange):
            words, now = words_in(exchange), self.clock()
            note_session_end(self.connection, words=words, now=now, session=self._session)


def _why(error: Exception, exchange: Exchange | None) -> str:
    """Say what failed: Kite's own words where it refused, ours where its answer was nonsense."""
    if exchange is None:
        return f"Kite was not asked: {error}"
    if exchange.is_ok:
        return f"Kite's answer could not be understood: {error}"
    return f"Kite did not answer: {words_in(exchange)}"
