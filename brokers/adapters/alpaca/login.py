"""Connecting to Alpaca: a pair of standing keys, of which one call proves that they are good."""

from collections.abc import Mapping
from datetime import datetime

from brokers.adapters.alpaca import outcomes
from brokers.adapters.alpaca.client import FAILURES, AlpacaClient, Keys, keys_in
from brokers.adapters.alpaca.endpoints import DataFeed, Environment
from brokers.adapters.alpaca.guide import GUIDE
from brokers.adapters.alpaca.words import row_in
from brokers.answers import answer_in
from brokers.logins import Grant, LoginFailed
from brokers.transport import Exchange, NotSent
from brokers.values import required


class AlpacaLogin:
    """No page, no answer: the keys are asked whose account they are."""

    guide = GUIDE

    def page(self, credentials: Mapping[str, str], *, state: str) -> str | None:
        return None

    def open(
        self, credentials: Mapping[str, str], *, answer: Mapping[str, str], now: datetime
    ) -> Grant:
        """:raises LoginFailed: in words without any secret."""
        keys = _keys(credentials)
        client = AlpacaClient(keys)
        try:
            account = row_in(client.get_account())
            number = required(account, "account_number")
        except FAILURES as error:
            # The chain ends here: whatever failed may quote what was sent.
            raise LoginFailed(_why(error, client.last, keys)) from None
        finally:
            client.close()
        return Grant(
            secrets={
                "api_key": keys.key,
                "api_secret": keys.secret,
                "environment": str(keys.environment),
                "feed": str(keys.feed),
            },
            expires_at=None,
            client_code=number,
            details={"environment": str(keys.environment)},
        )

    def close(self, credentials: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        """Do nothing: keys end when they are deleted at Alpaca, which has no call for it."""


LOGIN = AlpacaLogin()


def _keys(credentials: Mapping[str, str]) -> Keys:
    given = {name: value.strip() for name, value in credentials.items()}
    for field in GUIDE.fields:
        value = given.get(field.name, "")
        if field.is_required and not value:
            raise LoginFailed(f"{field.label} is missing: enter it on the Brokers page")
        if not (value.isascii() and value.isprintable()):
            raise LoginFailed(f"{field.label} holds a character that Alpaca never uses")
    _check(given, "environment", Environment)
    _check(given, "feed", DataFeed)
    return keys_in(given)


def _check(given: Mapping[str, str], name: str, kind: type[Environment] | type[DataFeed]) -> None:
    value = given.get(name, "").lower()
    if value and value not in list(kind):
        raise LoginFailed(f"The {name} is {' or '.join(kind)}, not {value[:20]}")


def _why(error: Exception, exchange: Exchange | None, keys: Keys) -> str:
    if isinstance(error, NotSent):
        return f"Alpaca could not be reached: {error}"
    if exchange is None or exchange.status is None:
        return "Alpaca did not answer: try again"
    if outcomes.is_session_over(exchange):
        return (
            f"Alpaca refused the keys: check both, and that they were made in the"
            f" {keys.environment} account"
        )
    if not exchange.is_ok:
        return f"Alpaca refused (HTTP {exchange.status}): {_said(exchange)}"
    return f"Alpaca's answer could not be understood (HTTP {exchange.status}): try again"


def _said(exchange: Exchange) -> str:
    said = answer_in(exchange).get("message")
    return said if isinstance(said, str) and said else "no words"
