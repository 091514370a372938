"""One account's way to Dhan: who is logged in, how a call is made, what becomes of its answer."""

from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError

from brokers.adapters.dhan import outcomes
from brokers.adapters.dhan.answers import Answer, BrokerError
from brokers.adapters.dhan.client import DhanClient
from brokers.adapters.dhan.words import Unsendable
from brokers.answers import not_sent
from brokers.calls import manners_for
from brokers.gateway import (
    Accepted,
    AnswerUnreadable,
    GatewayUnavailable,
    Outcome,
    Refused,
    Unknown,
)
from brokers.models import TradingAccount
from brokers.registry import Clock
from brokers.sessions import SessionMissing, current_session, note_session_end
from brokers.transport import (
    Admit,
    Exchange,
    NotSent,
    Transport,
    TransportError,
    admit_all,
)
from brokers.values import Unreadable
from operations.secrets import SecretUnreadable

Read = TypeVar("Read")
# Asked by POST, yet nothing is written by them.
_READS_BY_POST = ("/marketfeed/", "/charts/", "/optionchain", "/margincalculator")


class DhanRefused(GatewayUnavailable):
    """A read that Dhan answered with an error of its own."""

    def __init__(self, words: str, error: BrokerError) -> None:
        super().__init__(words)
        self.error = error


class Way:
    """What every part of the gateway stands on. One thread uses one."""

    def __init__(self, account: TradingAccount, clock: Clock, *, admit: Admit = admit_all) -> None:
        self._account = account
        self._clock = clock
        manners = manners_for(account.connection, admit=admit, reads=_READS_BY_POST)
        self._transport = Transport(manners)
        self._session = ""

    def _client(self) -> DhanClient:
        """:raises SessionMissing: when nobody is logged in."""
        session = current_session(self._account.connection, now=self._clock())
        self._session, secrets = session.name, session.secrets
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
            raise AnswerUnreadable(str(error)) from error

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
            return not_sent(f"Not sent: {error}")
        try:
            answer = send(client)
        except (Unsendable, NotSent) as error:
            return not_sent(str(error))
        except TransportError as error:
            return Unknown(f"Dhan did not answer: {error}")
        self._note_session(answer.error)
        return answer.exchange

    def _note_session(self, error: BrokerError | None) -> None:
        if error is None or not outcomes.ends_session(error):
            return
        note_session_end(
            self._account.connection,
            words=outcomes.words_of(error),
            now=self._clock(),
            session=self._session,
        )


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
