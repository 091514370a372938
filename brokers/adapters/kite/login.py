"""Logging in at Kite: a person signs in on Kite's page and comes back with a token for one use."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from urllib.parse import urlencode

from brokers.adapters.kite.client import FAILURES, KiteClient
from brokers.adapters.kite.guide import GUIDE
from brokers.answers import answer_in
from brokers.logins import Grant, LoginFailed, LogoutFailed
from brokers.transport import Exchange, NotSent
from brokers.values import text
from brokers.venue import IST

# Kite ends every session early in the morning; the next one begins with a new login.
ENDS_AT = time(6, 0)


class KiteLogin:
    """The redirect login. Neither the secret nor a token ever stands in what is raised."""

    guide = GUIDE

    def page(self, credentials: Mapping[str, str], *, state: str) -> str | None:
        client = KiteClient(api_key=_needed(credentials, "api_key"))
        return client.login_page(urlencode({"state": state}))

    def open(
        self, credentials: Mapping[str, str], *, answer: Mapping[str, str], now: datetime
    ) -> Grant:
        """:raises LoginFailed: when Kite refuses, or nobody has signed in."""
        request_token = answer.get("request_token", "")
        if answer.get("status", "success") != "success" or not request_token:
            raise LoginFailed("Nobody signed in on Zerodha's page: press Log in and try again")
        client = KiteClient(api_key=_needed(credentials, "api_key"))
        try:
            session = client.generate_session(request_token, _needed(credentials, "api_secret"))
            return _grant(client, session, now=now)
        except FAILURES as error:
            # The chain ends here: the SDK's exceptions may quote the whole answer.
            raise LoginFailed(_why(error, client.last)) from None

    def close(self, credentials: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        """:raises LogoutFailed: in words without any secret; the session ends in the morning."""
        client = KiteClient(
            api_key=secrets.get("api_key") or credentials.get("api_key", ""),
            access_token=secrets.get("access_token", ""),
        )
        try:
            client.invalidate_access_token()
        except FAILURES as error:
            # The chain ends here: what failed may quote the token, which is in the address.
            words = f"Zerodha's logout does not answer ({type(error).__name__})"
            raise LogoutFailed(words) from None


LOGIN = KiteLogin()


def session_end(now: datetime) -> datetime:
    """Return the next six o'clock in the morning in India."""
    local = now.astimezone(IST)
    today = local.replace(hour=ENDS_AT.hour, minute=ENDS_AT.minute, second=0, microsecond=0)
    return today if local < today else today + timedelta(days=1)


def _grant(client: KiteClient, session: Mapping[str, object], *, now: datetime) -> Grant:
    token = text(session.get("access_token"))
    if not token:
        raise LoginFailed("Zerodha gave no session: press Log in and try again")
    return Grant(
        secrets={"api_key": client.api_key, "access_token": token},
        expires_at=session_end(now),
        client_code=text(session.get("user_id")),
        details={"user_name": text(session.get("user_name"))},
    )


def _needed(credentials: Mapping[str, str], name: str) -> str:
    value = credentials.get(name, "").strip()
    if not value:
        raise LoginFailed(f"The {name.replace('_', ' ')} is missing: enter it on the Brokers page")
    return value


def _why(error: Exception, exchange: Exchange | None) -> str:
    if isinstance(error, NotSent):
        return f"Zerodha could not be reached: {error}"
    if exchange is None or exchange.status is None:
        return "Zerodha did not answer: try again"
    message = answer_in(exchange).get("message")
    if isinstance(message, str) and message and not exchange.is_ok:
        return f"Zerodha refused the login: {message}"
    return f"Zerodha's answer could not be understood (HTTP {exchange.status}): try again"
