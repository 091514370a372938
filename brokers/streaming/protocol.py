"""What a broker's socket says and wants to hear: no I/O, one instance a socket."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from brokers.gateway import InstrumentRef, OrderReport, QuoteTick, TradeReport


class StreamKind(StrEnum):
    MARKET = "MARKET"
    ORDERS = "ORDERS"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The other side is alive and has nothing to say."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The broker let us in: from now on subscriptions may be sent."""


@dataclass(frozen=True, slots=True)
class Ticks:
    ticks: tuple[QuoteTick, ...]


@dataclass(frozen=True, slots=True)
class OrderNews:
    """Reports of orders, and of fills where the stream tells them one by one."""

    orders: tuple[OrderReport, ...] = ()
    trades: tuple[TradeReport, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamError:
    """Something the socket said against us, or that could not be read.

    A fatal one ends the socket; ``is_auth`` says that the session is no longer good, so that
    connecting again is useless until somebody has logged in. ``is_doubtful`` ends it too: whether
    the session is good, a call has to tell.
    """

    words: str
    is_fatal: bool = False
    is_auth: bool = False
    is_doubtful: bool = False


News = Heartbeat | Ready | Ticks | OrderNews | StreamError
Frame = bytes | str


class StreamProtocol(Protocol):
    """One socket's language. ``stale_after`` is in seconds: silence beyond it is a dead socket.

    ``is_greeted`` brokers let us subscribe as soon as the greeting is sent; the others answer
    with :class:`Ready` first. ``parse`` never raises: what cannot be read is a StreamError. Where
    it reads orders it may ask the database: it is called in a thread then, one frame at a time.
    """

    kind: StreamKind
    heartbeat_every: float | None
    stale_after: float
    per_connection: int
    connections: int
    is_greeted: bool

    def url(self) -> str: ...

    def headers(self) -> dict[str, str]: ...

    def greeting(self) -> Sequence[Frame]: ...

    def subscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]: ...

    def unsubscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]: ...

    def heartbeat(self) -> Frame | None: ...

    def parse(self, frame: Frame) -> Sequence[News]: ...


class OpenStreams(Protocol):
    """An adapter's ``streams.py`` offers it as ``open_stream``."""

    def __call__(
        self, kind: StreamKind, *, secrets: dict[str, str], credentials: dict[str, str]
    ) -> StreamProtocol | None:
        """Return a new socket's protocol; None where the broker has no such stream."""
        ...
