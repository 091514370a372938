"""One account's way to Dhan: who is logged in, how a call is made, what becomes of its answer."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db import DatabaseError

from brokers.adapters.dhan import outcomes
from brokers.adapters.dhan.answers import Answer, BrokerError
from brokers.adapters.dhan.client import DhanClient
from brokers.adapters.dhan.words import Unreadable, Unsendable
from brokers.calls import CallLog
from brokers.gateway import Accepted, GatewayUnavailable, Outcome, Refused, Unknown
from brokers.models import TradingAccount
from brokers.registry import Clock
from brokers.sessions import SessionMissing, expire_session, session_secrets
from brokers.transport import Exchange, Manners, NotSent, Transport, TransportError
from operations.secrets import SecretUnreadable

logger = logging.getLogger(__name__)
Read = TypeVar("Read")
Admit = Callable[[str, str], None]
# Asked by POST, yet nothing is written by them.
_READS_BY_POST = ("/marketfeed/", "/charts/", "/optionchain", "/margincalculator")


@dataclass(frozen=True, slots=True)
class _Watch:
    """Writes down what :class:`CallLog` does, less the reads that Dhan wants as POST."""

    log: CallLog

    def __call__(self, exchange: Exchange) -> None:
        if exchange.is_ok and any(part in exchange.path for part in _READS_BY_POST):
            return
        self.log(exchange)


class DhanRefused(GatewayUnavailable):
    """A read that Dhan answered with an error of its own."""

    def __init__(self, words: str, error: BrokerError) -> None:
        super().__init__(words)
        self.error = error


class Way:
    """What every part of the gateway stands on. One thread uses one."""

    def __init__(
        self, account: TradingAccount, clock: Clock, *, admit: Admit | None = None
    ) -> None:
        self._account = account
        self._clock = clock
        manners = Manners(
            egress=account.connection.connection_metadata.get("egress", ""),
            watch=_Watch(CallLog(account.connection)),
        )
        if admit is not None:
            manners = Manners(egress=manners.egress, watch=manners.watch, admit=admit)
        self._transport = Transport(manners)
        self._token_used = ""

    def _client(self) -> DhanClient:
        """:raises SessionMissing: when nobody is logged in."""
        secrets = session_secrets(self._account.connection, now=self._clock())
        self._token_used = secrets["access_token"]
        return DhanClient(secrets["client_id"], secrets["access_token"], transport=self._transport)

    def _ask(self, ask: Callable[[DhanClient], Answer]) -> Answer:
        """Read something.

        :raises DhanRefused: when Dhan named an error.
        :raises GatewayUnavailable: when there was no good answer.
        """
        try:
            answer = ask(self._client())
        except TransportError as error:
            raise GatewayUnavailable(f"Dhan did not answer: {error}") from error
        except SecretUnreadable as error:
            raise GatewayUnavailable(f"The login at Dhan cannot be read: {error}") from error
        except Unsendable as error:
            raise GatewayUnavailable(str(error)) from error
        if answer.error is not None:
            self._note_session(answer.error)
            raise DhanRefused(outcomes.words_of(answer.error), answer.error)
        if not answer.exchange.is_ok:
            raise GatewayUnavailable(f"Dhan answered HTTP {answer.exchange.status}")
        return answer

    def _read(self, ask: Callable[[DhanClient], Answer], read: Callable[[object], Read]) -> Read:
        """Read something and put it into our words.

        :raises GatewayUnavailable: when there was no good answer, or it cannot be read.
        """
        answer = self._ask(ask)
        if not answer.is_json:
            raise GatewayUnavailable("Dhan's answer was cut off or is not JSON")
        try:
            return read(answer.body)
        except Unreadable as error:
            raise GatewayUnavailable(str(error)) from error

    def _write(
        self, send: Callable[[DhanClient], Answer], judge: Callable[[Exchange], Outcome]
    ) -> Outcome:
        """Send once. Whatever fails before the call left is a refusal, all else is judged."""
        exchange = self._send(send)
        return exchange if isinstance(exchange, Refused | Unknown) else judge(exchange)

    def _send(self, send: Callable[[DhanClient], Answer]) -> Exchange | Refused | Unknown:
        try:
            client = self._client()
        except (SessionMissing, SecretUnreadable, DatabaseError) as error:
            return Refused(f"Not sent: {error}", outcomes.NOT_SENT)
        try:
            answer = send(client)
        except (Unsendable, NotSent) as error:
            return Refused(str(error), outcomes.NOT_SENT)
        except TransportError as error:
            return Unknown(f"Dhan did not answer: {error}")
        self._note_session(answer.error)
        return answer.exchange

    def _note_session(self, error: BrokerError | None) -> None:
        """Write down that the session is over; what cannot be written never hides an outcome.

        A login that somebody made meanwhile is another session, and is left alone.
        """
        if error is None or not outcomes.ends_session(error):
            return
        connection, now = self._account.connection, self._clock()
        try:
            if session_secrets(connection, now=now)["access_token"] == self._token_used:
                expire_session(connection, words=outcomes.words_of(error), now=now)
        except SessionMissing:
            return
        except (SecretUnreadable, DatabaseError):
            logger.exception("the end of a session could not be written down")


def accepted_all(outcomes_told: list[Outcome]) -> Outcome:
    """Make one outcome of a write that took several calls: all taken, or nobody knows.

    A first call that was refused proves that nothing was changed.
    """
    for number, each in enumerate(outcomes_told):
        if isinstance(each, Accepted):
            continue
        if number == 0:
            return each
        return Unknown(f"A part was changed and a part was not: {each}")
    return outcomes_told[0]
