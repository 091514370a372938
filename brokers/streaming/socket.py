"""One socket from opening to its end: greet, subscribe, listen, and notice when it has died.

It does not come back by itself; the supervisor opens the next one.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from brokers.gateway import InstrumentRef
from brokers.streaming.inbox import Doubt
from brokers.streaming.protocol import (
    Frame,
    News,
    Ready,
    StreamError,
    StreamKind,
    StreamProtocol,
)

OPEN_WITHIN = 10.0
# A line whose other end has vanished answers no ping; silence alone proves nothing for hours.
PING_EVERY = 20.0
_BIGGEST_FRAME = 4 * 1024 * 1024
_REFUSED = (401, 403)

Hear = Callable[[Frame, Sequence[News]], None]
Read = Callable[[StreamProtocol, Frame], Sequence[News]]


class SocketEnded(Exception):
    """The socket is over; the message says why, ``doubt`` what that says of the login."""

    def __init__(self, words: str, *, doubt: Doubt = Doubt.NONE) -> None:
        super().__init__(words)
        self.doubt = doubt


@dataclass(frozen=True, slots=True)
class Ears:
    """Whom a socket tells. ``hear`` gets every frame with what was read from it, in order;
    ``let_in`` is told when the broker has let us in. Neither may block. ``read`` may: it is
    called in a thread for orders, and must leave nothing open there.
    """

    hear: Hear
    let_in: Callable[[], None]
    read: Read


@dataclass
class Socket:
    """One connection of a shard. What is wanted may change while it runs; see :meth:`want`."""

    protocol: StreamProtocol
    ears: Ears
    ping_every: float = PING_EVERY
    _subscribed: dict[str, InstrumentRef] = field(default_factory=dict)
    _wanted: dict[str, InstrumentRef] = field(default_factory=dict)
    _line: ClientConnection | None = None

    async def run(self) -> None:
        """Stay connected until something ends it.

        :raises SocketEnded: always, in words.
        """
        try:
            async with connect(
                self.protocol.url(),
                additional_headers=self.protocol.headers(),
                open_timeout=OPEN_WITHIN,
                close_timeout=1,
                ping_interval=self.ping_every,
                ping_timeout=self.ping_every,
                max_size=_BIGGEST_FRAME,
                compression=None,
                proxy=None,
            ) as line:
                await self._live(line)
        except InvalidStatus as error:
            status = error.response.status_code
            words = f"The broker refused the stream with HTTP {status}"
            doubt = Doubt.REFUSED if status in _REFUSED else Doubt.NONE
            raise SocketEnded(words, doubt=doubt) from error
        except TimeoutError as error:
            raise SocketEnded("The stream could not be opened in time") from error
        except ssl.SSLCertVerificationError as error:
            words = "The other end is not proven to be the broker: its certificate is not good"
            raise SocketEnded(words) from error
        except (OSError, WebSocketException) as error:
            raise SocketEnded(f"The stream broke: {type(error).__name__}") from error

    async def want(self, instruments: Sequence[InstrumentRef]) -> None:
        """Be subscribed to these and no others, now or as soon as the broker lets us in."""
        self._wanted = {each.key: each for each in instruments}
        if self._line is not None:
            # A line that breaks under it is noticed, and told of once, by whoever listens.
            with contextlib.suppress(WebSocketException):
                await self._subscribe(self._line)

    async def _live(self, line: ClientConnection) -> None:
        beating = asyncio.create_task(self._beat(line))
        try:
            for frame in self.protocol.greeting():
                await line.send(frame)
            if self.protocol.is_greeted:
                await self._let_in(line)
            await self._listen(line)
        finally:
            self._line = None
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _let_in(self, line: ClientConnection) -> None:
        self._line = line
        self._subscribed = {}
        self.ears.let_in()
        await self._subscribe(line)

    async def _listen(self, line: ClientConnection) -> None:
        while True:
            try:
                async with asyncio.timeout(self.protocol.stale_after):
                    frame = await line.recv()
            except TimeoutError as error:
                words = f"Nothing was heard for {self.protocol.stale_after:g} s"
                raise SocketEnded(words) from error
            news = await self._read(frame)
            self.ears.hear(frame, news)
            for each in news:
                await self._heed(line, each)

    async def _read(self, frame: Frame) -> Sequence[News]:
        if self.protocol.kind is StreamKind.ORDERS:
            return await asyncio.to_thread(self.ears.read, self.protocol, frame)
        return self.protocol.parse(frame)

    async def _heed(self, line: ClientConnection, news: News) -> None:
        if isinstance(news, Ready):
            await self._let_in(line)
        elif isinstance(news, StreamError) and (news.is_fatal or _doubt_in(news)):
            raise SocketEnded(news.words, doubt=_doubt_in(news))

    async def _subscribe(self, line: ClientConnection) -> None:
        gone = [ref for key, ref in self._subscribed.items() if key not in self._wanted]
        new = [ref for key, ref in self._wanted.items() if key not in self._subscribed]
        self._subscribed = dict(self._wanted)
        frames = [
            *(self.protocol.unsubscribe(gone) if gone else ()),
            *(self.protocol.subscribe(new) if new else ()),
        ]
        for frame in frames:
            await line.send(frame)

    async def _beat(self, line: ClientConnection) -> None:
        every = self.protocol.heartbeat_every
        while every is not None:
            await asyncio.sleep(every)
            frame = self.protocol.heartbeat()
            if frame is not None:
                # Whoever listens hears of a broken line, and says so once.
                with contextlib.suppress(WebSocketException):
                    await line.send(frame)


def _doubt_in(error: StreamError) -> Doubt:
    if error.is_auth:
        return Doubt.OVER
    return Doubt.REFUSED if error.is_doubtful else Doubt.NONE
