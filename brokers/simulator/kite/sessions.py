"""Who is logged in: request tokens for one use, access tokens until six in the morning."""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from brokers.simulator.kite.answers import KiteError, no_token
from brokers.venue import IST

API_KEY = "kitedemo"
API_SECRET = "kite-demo-secret"  # noqa: S105 - fixed, and worth nothing
CLIENT = "SIM001"
_REQUEST_LIVES = timedelta(minutes=5)
_EXPIRED_REQUEST = "Token is invalid or has expired."


@dataclass(frozen=True, slots=True)
class _Held:
    client: str
    until: datetime


class Sessions:
    """Any thread may ask. A new login of a client ends its earlier one."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: dict[str, _Held] = {}
        self._access: dict[str, _Held] = {}

    def sign_in(self, client: str) -> str:
        """Return the request token that the person is sent back with."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._requests[token] = _Held(client, self._clock() + _REQUEST_LIVES)
        return token

    def open(self, *, api_key: str, request_token: str, checksum: str) -> tuple[str, str]:
        """Return the client and its access token.

        :raises KiteError: when the checksum is false or the request token is not good any more.
        """
        expected = hashlib.sha256(f"{API_KEY}{request_token}{API_SECRET}".encode()).hexdigest()
        if api_key != API_KEY or not hmac.compare_digest(checksum, expected):
            raise KiteError(403, "TokenException", "Invalid `checksum`.")
        with self._lock:
            held = self._requests.pop(request_token, None)
            if held is None or held.until <= self._clock():
                raise KiteError(403, "TokenException", _EXPIRED_REQUEST)
            self._end(held.client)
            token = secrets.token_urlsafe(24)
            self._access[token] = _Held(held.client, _next_morning(self._clock()))
        return held.client, token

    def client_of(self, authorization: str) -> str:
        """Return whose "token api_key:access_token" it is.

        :raises KiteError: when it is nobody's, or no longer.
        """
        scheme, _, pair = authorization.partition(" ")
        api_key, _, token = pair.partition(":")
        if scheme != "token":
            raise no_token()
        return self.client_at(api_key, token)

    def client_at(self, api_key: str, token: str) -> str:
        """:raises KiteError: when the token is nobody's, or no longer."""
        with self._lock:
            held = self._access.get(token)
        if api_key != API_KEY or held is None or held.until <= self._clock():
            raise no_token()
        return held.client

    def close(self, token: str) -> None:
        with self._lock:
            self._access.pop(token, None)

    def forget(self) -> None:
        """Know nobody any more, nor who was on the way in."""
        with self._lock:
            self._requests.clear()
            self._access.clear()

    def expire(self, client: str | None = None) -> None:
        with self._lock:
            self._end(client)

    def _end(self, client: str | None) -> None:
        kept = {token: each for token, each in self._access.items() if each.client != client}
        self._access = {} if client is None else kept


def _next_morning(now: datetime) -> datetime:
    local = now.astimezone(IST)
    today = local.replace(hour=6, minute=0, second=0, microsecond=0)
    return today if local < today else today + timedelta(days=1)
