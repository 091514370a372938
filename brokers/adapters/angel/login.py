"""Angel One's daily login: client code, PIN and a code worked out here from the TOTP secret."""

import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pyotp

from brokers.adapters.angel.client import AngelClient
from brokers.adapters.angel.envelope import (
    Envelope,
    EnvelopeUnreadable,
    as_envelope,
    is_rate_limited,
)
from brokers.adapters.angel.guide import GUIDE
from brokers.logins import Grant, LoginFailed, LogoutFailed
from brokers.transport import Exchange, Transport, TransportError
from brokers.venue import IST

# What a person can do about a refusal; any other code is shown with Angel's own words.
_ADVICE = {
    "AB1000": "The client code or the PIN is wrong",
    "AB1007": "The client code or the PIN is wrong",
    "AB1050": "The code was refused: check the TOTP secret, and that this server's clock is right",
    "AB1006": "Angel One has blocked this client for trading: call them",
    "AG8001": "The API key is wrong, or its app was deleted",
    "AG8004": "The API key is wrong, or its app was deleted",
    "AG7002": "This server's address is not registered for the API key",
}


class AngelLogin:
    """A login needs nobody: no page, no answer."""

    guide = GUIDE

    def page(self, credentials: Mapping[str, str], *, state: str) -> str | None:
        return None

    def open(
        self, credentials: Mapping[str, str], *, answer: Mapping[str, str], now: datetime
    ) -> Grant:
        """Log in with a fresh code; the session is good until midnight in India.

        :raises LoginFailed: in words without any secret.
        """
        given = _cleaned(credentials)
        code = _code(given["totp_secret"], now)
        with Transport() as transport:
            envelope = _asked(transport, given, code)
        if not envelope.is_ok or not isinstance(envelope.data, dict):
            raise LoginFailed(_words(envelope))
        tokens = {
            name: str(envelope.data.get(field) or "").removeprefix("Bearer ")
            for name, field in _TOKENS
        }
        if not all(tokens.values()):
            raise LoginFailed("Angel One let us in without giving its tokens: try again")
        return Grant(
            secrets=tokens, expires_at=next_midnight(now), client_code=given["client_code"]
        )

    def close(self, credentials: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        """:raises LogoutFailed: in words without any secret; the session ends at midnight."""
        with Transport() as transport:
            client = AngelClient(
                credentials.get("api_key", ""), transport=transport, jwt=secrets.get("jwt", "")
            )
            try:
                told = as_envelope(client.terminateSession(credentials.get("client_code", "")))
            except (TransportError, EnvelopeUnreadable, UnicodeError) as error:
                # The chain ends here: what failed may quote the token.
                words = f"Angel One's logout does not answer ({type(error).__name__})"
                raise LogoutFailed(words) from None
        if not told.is_ok:
            raise LogoutFailed(f"Angel One refused the logout: {_said(told)}")


_TOKENS = (("jwt", "jwtToken"), ("refresh", "refreshToken"), ("feed", "feedToken"))
LOGIN = AngelLogin()


def next_midnight(now: datetime) -> datetime:
    """Return when a session given now ends: the next midnight in India."""
    local = now.astimezone(IST)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return midnight.astimezone(UTC)


def _cleaned(credentials: Mapping[str, str]) -> dict[str, str]:
    given = {field.name: credentials.get(field.name, "").strip() for field in GUIDE.fields}
    for field in GUIDE.fields:
        if not given[field.name]:
            raise LoginFailed(f"{field.label} is missing")
        if not given[field.name].isascii():
            raise LoginFailed(f"{field.label} holds a character that Angel One never uses")
    return given


def _code(secret: str, now: datetime) -> str:
    try:
        return pyotp.TOTP(secret.replace(" ", "")).at(now)
    except (binascii.Error, ValueError):
        raise LoginFailed(
            "The TOTP secret is not the text beneath the QR code: letters A to Z and digits 2 to 7"
        ) from None


def _asked(transport: Transport, given: Mapping[str, str], code: str) -> Envelope:
    client = AngelClient(given["api_key"], transport=transport)
    try:
        return as_envelope(client.log_in(given["client_code"], pin=given["pin"], code=code))
    except TransportError as error:
        raise LoginFailed(f"Angel One could not be reached: {error}") from None
    except EnvelopeUnreadable:
        raise LoginFailed(_unreadable(transport.last)) from None


def _unreadable(exchange: Exchange | None) -> str:
    if exchange is not None and is_rate_limited(exchange):
        return "Angel One takes one login a second: wait a moment and try again"
    status = None if exchange is None else exchange.status
    return f"Angel One's login does not answer properly (HTTP {status}): try again later"


def _words(envelope: Envelope) -> str:
    said = _said(envelope)
    advice = _ADVICE.get(envelope.code)
    return f"{advice}. Angel One said: {said}" if advice else f"Angel One refused: {said}"


def _said(envelope: Envelope) -> str:
    return f"{envelope.message or 'no words'} ({envelope.code or 'no code'})"
