"""One account's line to Alpaca: its keys, and what becomes of a call that goes wrong."""

import logging
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DatabaseError

from brokers.adapters.alpaca.client import FAILURES, AlpacaClient, Keys, keys_in
from brokers.adapters.alpaca.endpoints import BROKER_NAME
from brokers.adapters.alpaca.outcomes import is_session_over, words_in
from brokers.adapters.alpaca.words import EXCHANGE
from brokers.answers import not_sent
from brokers.calls import manners_for
from brokers.directory import key_at
from brokers.gateway import AnswerUnreadable, GatewayUnavailable, Refused
from brokers.models import TradingAccount
from brokers.registry import Clock
from brokers.sessions import SessionMissing, current_session, note_session_end
from brokers.transport import Admit, Exchange, NotSent, admit_all
from brokers.values import Unreadable
from operations.secrets import SecretUnreadable

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Line:
    """Opens the client with the keys of the session. One thread uses one line."""

    def __init__(self, account: TradingAccount, clock: Clock, *, admit: Admit = admit_all) -> None:
        self.connection = account.connection
        self.clock = clock
        self._manners = manners_for(self.connection, admit=admit)
        self._client: AlpacaClient | None = None
        self._session = ""
        self._known: dict[str, str] = {}

    def read(self, call: Callable[[AlpacaClient], Answer]) -> Answer:
        """Make one call or several, and understand their answers.

        :raises GatewayUnavailable: when any of it fails; that is never an answer of nothing.
        """
        client = self._open()
        try:
            return call(client)
        except Unreadable as error:
            raise AnswerUnreadable(_why(error, client.last)) from error
        except FAILURES as error:
            self._notice(client.last)
            raise GatewayUnavailable(_why(error, client.last)) from error

    def write(
        self,
        call: Callable[[AlpacaClient], Any],
        judged: Callable[[Exchange | None], Answer],
    ) -> Answer | Refused:
        """Make one call whose exchange is judged, whatever the SDK says; nothing is raised."""
        try:
            client = self._open()
        except GatewayUnavailable as error:
            return not_sent(str(error))
        try:
            call(client)
        except NotSent as error:
            return not_sent(str(error))
        except FAILURES as error:
            logger.info("Alpaca's answer was not what its SDK expects: %s", type(error).__name__)
        self._notice(client.last)
        return judged(client.last)

    def key_of(self, symbol: str) -> str:
        """Return the house's key; the directory is asked once for each in one call's answer."""
        if symbol not in self._known:
            self._known[symbol] = key_at(BROKER_NAME, exchange=EXCHANGE, token=symbol)
        return self._known[symbol]

    def _open(self) -> AlpacaClient:
        """Return the client of the session that is open now.

        :raises GatewayUnavailable: when nobody is connected, or the keys cannot be read.
        """
        try:
            session = current_session(self.connection, now=self.clock())
        except (SecretUnreadable, DatabaseError) as error:
            raise GatewayUnavailable(f"The keys for Alpaca cannot be read: {error}") from error
        try:
            keys = keys_in(session.secrets)
        except ValueError as error:
            raise SessionMissing("The session at Alpaca is incomplete: connect again") from error
        client = self._client
        if client is None or client.keys != keys:
            client = self._client = self._opened(keys)
        client.forget_last()
        self._session = session.name
        self._known.clear()
        return client

    def _opened(self, keys: Keys) -> AlpacaClient:
        client = AlpacaClient(keys, manners=self._manners)
        weakref.finalize(self, client.close)
        return client

    def _notice(self, exchange: Exchange | None) -> None:
        """Write down that the keys are refused."""
        if exchange is not None and is_session_over(exchange):
            words, now = words_in(exchange), self.clock()
            note_session_end(self.connection, words=words, now=now, session=self._session)


def _why(error: Exception, exchange: Exchange | None) -> str:
    """Say what failed: Alpaca's own words where it refused, ours where its answer was nonsense."""
    if exchange is None:
        return f"Alpaca was not asked: {error}"
    if exchange.is_ok:
        return f"Alpaca's answer could not be understood: {error}"
    return f"Alpaca did not answer: {words_in(exchange)}"
