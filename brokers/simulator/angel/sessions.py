"""Logins at the simulated Angel One: PIN and TOTP in, three tokens out, until midnight in India."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pyotp

from brokers.simulator.angel.answers import Body, Refuse, text
from brokers.venue import IST

API_KEY = "demo-api-key"
PIN = "1234"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - the demo's own, printed at start
_WANTED = ("x-clientlocalip", "x-clientpublicip", "x-macaddress", "x-usertype", "x-sourceid")


@dataclass(frozen=True, slots=True)
class Session:
    client: str
    jwt: str
    refresh: str
    feed: str
    on: date


class Sessions:
    """Everybody logged in. Any client code may log in with the demo's PIN and secret."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._count = 0
        self._sessions: dict[str, Session] = {}
        self._ended: set[str] = set()

    def log_in(self, body: Body) -> Session:
        """:raises Refuse: for a wrong PIN or code."""
        client, now = text(body, "clientcode"), self._clock()
        if not client or text(body, "password") != PIN:
            raise Refuse("AB1000", "Invalid Email Or Password")
        code = pyotp.TOTP(TOTP_SECRET)
        if not code.verify(text(body, "totp"), for_time=now, valid_window=1):
            raise Refuse("AB1050", "Invalid totp")
        return self._open(client)

    def renew(self, refresh: str) -> Session:
        """:raises Refuse: for a refresh token that was not given, or has been used."""
        with self._lock:
            old = next((each for each in self._sessions.values() if each.refresh == refresh), None)
        if old is None or old.on != self._today():
            raise Refuse("AB8050", "Invalid Refresh Token", is_gateway=True)
        self.end(old.client)
        return self._open(old.client)

    def of(self, headers: Mapping[str, str]) -> Session:
        """Return whose call it is.

        :raises Refuse: as the gateway before the order systems does.
        """
        token = headers.get("authorization", "").removeprefix("Bearer ").strip()
        if not token:
            raise Refuse("AG8003", "Token missing", is_gateway=True)
        if headers.get("x-privatekey") != API_KEY or any(not headers.get(each) for each in _WANTED):
            raise Refuse("AG8004", "Invalid API Key", is_gateway=True)
        return self.by_jwt(token)

    def by_jwt(self, token: str) -> Session:
        """:raises Refuse: for a token that is unknown or over."""
        with self._lock:
            session, is_ended = self._sessions.get(token), token in self._ended
        if session is None:
            raise Refuse("AG8001", "Invalid Token", is_gateway=True)
        if is_ended or session.on != self._today():
            raise Refuse("AG8002", "Token Expired", is_gateway=True)
        return session

    def end(self, client: str | None) -> None:
        with self._lock:
            self._ended |= {
                jwt
                for jwt, each in self._sessions.items()
                if client is None or each.client == client
            }

    def forget(self) -> None:
        """Know nobody any more; what was handed out is never handed out again."""
        with self._lock:
            self._sessions.clear()
            self._ended.clear()

    def _open(self, client: str) -> Session:
        with self._lock:
            self._count += 1
            name = f"{client}-{self._count}"
            session = Session(
                client, f"jwt-{name}", f"refresh-{name}", f"feed-{name}", self._today()
            )
            self._sessions[session.jwt] = session
            return session

    def _today(self) -> date:
        return self._clock().astimezone(IST).date()
