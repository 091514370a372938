"""The one HTTP client of every broker: the SDKs keep their routes, this keeps their manners.

An SDK's session is replaced by a :class:`Transport`. Whatever the SDK asks for, a call has our
timeouts, verifies TLS, follows no redirect but to public files, is never sent again by itself,
leaves by the account's own address, keeps the true HTTP status, and is told to ``watch`` without
secrets.
"""

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

READS = frozenset({"GET", "HEAD"})
Admit = Callable[[str, str], None]
# What an SDK's call or its reading of the answer can end in, besides exceptions of its own: a
# null, a list, an error without its type, a field that is missing make it stumble.
STUMBLES = (
    requests.RequestException,
    TypeError,
    AttributeError,
    LookupError,
    ValueError,
    ArithmeticError,
    RecursionError,
)
_LONGEST_ERROR = 300
# Seconds; less than the shortest time that servers in common use keep an idle connection (5).
KEPT_FOR = 4.0
_KEPT_AT_MOST = 16


class TransportError(requests.RequestException):
    """A call that brought no answer."""


class NotSent(TransportError):
    """The connection was never made, or we held the call back: nothing can have arrived."""


class NoAnswer(TransportError):
    """The call may have arrived: the answer was lost, late or cut off."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and what came back: ``status`` is None and ``error`` says why when nothing did."""

    method: str
    host: str
    path: str
    status: int | None
    duration_ms: int
    body: bytes = b""
    content_type: str = ""
    error: str = ""

    @property
    def is_write(self) -> bool:
        return self.method not in READS

    @property
    def is_ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as words, cut to what a person would read."""
        return self.body[:_LONGEST_ERROR].decode("utf-8", "replace").strip()


def admit_all(method: str, path: str) -> None:
    """Let every call leave: the manners of a session without a governor."""


def _patience() -> float:
    return float(settings.BROKER_TIMEOUT)


def _ignore(exchange: Exchange) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How calls are made. Timeouts in seconds; ``egress`` is the local address to leave by.

    ``admit`` is asked with method and path before each call and raises :class:`NotSent` to hold
    it back; ``watch`` hears of each exchange afterwards.
    """

    connect_timeout: float = 3.05
    read_timeout: float = field(default_factory=_patience)
    egress: str = ""
    admit: Admit = admit_all
    watch: Callable[[Exchange], None] = _ignore


class Transport(requests.Session):
    """A session for one account at one broker. ``last`` is its newest exchange.

    ``follows_redirects`` is for reading what anybody may read, without a session.

    One thread uses one transport: ``last`` belongs to the call just made.

    :raises NotSent: when the connection could not be made.
    :raises NoAnswer: when anything failed after that.
    """

    follows_redirects = False

    def __init__(self, manners: Manners | None = None) -> None:
        super().__init__()
        self.manners = manners or Manners()
        self.last: Exchange | None = None
        # Neither a proxy nor a .netrc of the machine may see or change an order.
        self.trust_env = False
        adapter = _leaving_by(self.manners.egress)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def request(  # type: ignore[override]
        self, method: str, url: str, **asked: Any
    ) -> requests.Response:
        """Make one call our way; the SDK's wishes for timeout, redirects and TLS are not heard."""
        method, parts = method.upper(), urlsplit(url)
        call = Exchange(method, parts.netloc, parts.path, None, 0)
        self.last = None
        self.manners.admit(method, parts.path)
        for wish in ("timeout", "allow_redirects", "verify", "proxies", "stream", "cert"):
            asked.pop(wish, None)
        began = time.monotonic()
        timeout = (self.manners.connect_timeout, self.manners.read_timeout)
        try:
            # Elsewhere nobody may learn the session, which brokers want in headers of their own.
            follows = self.follows_redirects and method in READS
            response = super().request(
                method, url, timeout=timeout, allow_redirects=follows, **asked
            )
        except requests.RequestException as error:
            failure = _failure(error)
            self._heard(replace(call, duration_ms=_ms(began), error=str(failure)))
            raise failure from error
        self._heard(_answered(call, response, duration_ms=_ms(began)))
        # kiteconnect reads this header without asking whether it is there.
        response.headers.setdefault("content-type", "")
        return response

    def _heard(self, exchange: Exchange) -> None:
        self.last = exchange
        self.manners.watch(exchange)


class ExactTransport(Transport):
    """Answers whose decimal numbers are Decimals, as they were written."""

    def __init__(self, manners: Manners | None = None) -> None:
        super().__init__(manners)
        self.hooks["response"].append(_read_exactly)


class _Kept:
    """A pool's connections, each used again only while it has rested no longer than ``KEPT_FOR``.

    A connection whose other end closes it just as an order leaves would make that order unknown.
    """

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        if time.monotonic() - getattr(connection, "rests_since", 0.0) > KEPT_FOR:
            connection.close()  # and is opened anew by the call
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.rests_since = time.monotonic()
        super()._put_conn(conn)  # type: ignore[misc]


class _KeptHTTP(_Kept, HTTPConnectionPool):
    pass


class _KeptHTTPS(_Kept, HTTPSConnectionPool):
    pass


class _EgressAdapter(HTTPAdapter):
    """Leaves by one local address and never tries again."""

    def __init__(self, egress: str) -> None:
        self._egress = egress
        super().__init__(pool_maxsize=_KEPT_AT_MOST, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        source = (self._egress, 0) if self._egress else None
        super().init_poolmanager(*args, source_address=source, socket_options=options, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _KeptHTTP, "https": _KeptHTTPS}

    def close(self) -> None:
        """Leave the connections to the other sessions: who finds one too old opens it anew."""


@cache
def _leaving_by(egress: str) -> _EgressAdapter:
    """Return what all sessions of this process share that leave by an address."""
    return _EgressAdapter(egress)


def _answered(call: Exchange, response: requests.Response, *, duration_ms: int) -> Exchange:
    return replace(
        call,
        status=response.status_code,
        duration_ms=duration_ms,
        body=response.content,
        content_type=response.headers.get("content-type", ""),
    )


def _read_exactly(response: requests.Response, **_: Any) -> None:
    response.json = partial(  # type: ignore[method-assign]  # SDKs ask the answer itself for it
        response.json, parse_float=Decimal, parse_constant=_no_number
    )


def _no_number(text: str) -> None:
    raise json.JSONDecodeError(f"{text} is not a number", text, 0)


def _failure(error: requests.RequestException) -> TransportError:
    """Tell a connection that was never made, which proves that nothing was sent, from the rest."""
    words = f"{type(error).__name__}: {_without_address(error)}"
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
        return NotSent(words)
    reason = error.args[0] if error.args else None
    cause = reason.reason if isinstance(reason, MaxRetryError) else reason
    if isinstance(cause, NewConnectionError | ConnectTimeoutError):
        return NotSent(f"The broker could not be reached ({type(cause).__name__})")
    return NoAnswer(words)


def _without_address(error: Exception) -> str:
    """urllib3 quotes the whole address with its query, where some brokers want tokens."""
    return str(error).split("?", 1)[0][:_LONGEST_ERROR]


def _ms(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
