"""Websockets: who is connected, and frames to all of them from any thread.

The faults of a stream are applied here, frame by frame: duplicates, reordering, silence, and a
half-open connection that neither sends, reads nor answers a ping, yet stays connected.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from brokers.simulator.faults import FaultName, Faults

Frame = str | bytes
GOING_DOWN = (1012, "Service restart")
_HELD_SECONDS = 0.3


class _Close:
    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason


class _SocketProtocol(Protocol):
    is_dead: Callable[[], bool] | None


class Connection:
    """One websocket. ``state`` is the wire app's own: subscriptions, modes."""

    def __init__(self, socket: WebSocket, client: str) -> None:
        self.socket = socket
        self.client = client
        self.state: dict[str, object] = {}
        self.is_dead = False
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[tuple[Frame | _Close, bool]] = asyncio.Queue()

    def send(self, frame: Frame, *, is_feed: bool = False) -> None:
        """Queue a frame, from any thread. Only those of the feed meet the stream's faults."""
        self._put((frame, is_feed))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close once everything queued before is sent; from any thread."""
        self._put((_Close(code, reason), False))

    def _put(self, item: tuple[Frame | _Close, bool]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
        except RuntimeError:
            # The server's loop has ended meanwhile: there is nobody left to send to.
            return

    async def next(self) -> tuple[Frame | _Close, bool]:
        return await self._queue.get()


OnMessage = Callable[[Connection, Frame], Awaitable[None]]
OnOpen = Callable[[Connection], Awaitable[None]]


class Hub:
    """All connections of one stream, by the name that faults match."""

    def __init__(self, name: str, faults: Faults) -> None:
        self.name = name
        self._faults = faults
        self._lock = threading.Lock()
        self._connections: list[Connection] = []

    async def serve(
        self,
        socket: WebSocket,
        *,
        client: str,
        on_message: OnMessage,
        on_open: OnOpen | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        """Accept the socket and serve it until either side closes; every frame that comes is
        handed to ``on_message``, one at a time."""
        await socket.accept(headers=list(headers))
        connection = Connection(socket, client)
        self._watch(connection)
        with self._lock:
            self._connections.append(connection)
        sender = asyncio.create_task(self._send_all(connection))
        try:
            if on_open is not None:
                await on_open(connection)
            await self._receive_all(connection, on_message)
        except WebSocketDisconnect:
            pass
        finally:
            with self._lock:
                self._connections.remove(connection)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    def publish(self, render: Callable[[Connection], Sequence[Frame]]) -> None:
        """Send every connection the frames made for it; from any thread, in order."""
        for connection in self.connections():
            for frame in render(connection):
                connection.send(frame, is_feed=True)

    def connections(self, client: str | None = None) -> tuple[Connection, ...]:
        with self._lock:
            return tuple(
                each for each in self._connections if client is None or each.client == client
            )

    def close_all(self, code: int = 1000, reason: str = "", *, client: str | None = None) -> None:
        for connection in self.connections(client):
            connection.close(code, reason)

    async def _receive_all(self, connection: Connection, on_message: OnMessage) -> None:
        while True:
            message = await connection.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            frame: Frame = text if text is not None else message["bytes"]
            if not self._is_half_open(connection):
                await on_message(connection, frame)

    async def _send_all(self, connection: Connection) -> None:
        while connection.socket.application_state is WebSocketState.CONNECTED:
            item, is_feed = await connection.next()
            if self._is_half_open(connection):
                continue
            if isinstance(item, _Close):
                await connection.socket.close(item.code, item.reason)
                return
            await self._send(connection, item, is_feed=is_feed)

    async def _send(self, connection: Connection, frame: Frame, *, is_feed: bool) -> None:
        if not is_feed:
            await _write(connection, frame)
        elif self._faults.is_on(FaultName.SILENT_STREAM, self.name):
            return
        elif self._faults.take(FaultName.REORDERED_FRAMES, self.name):
            await self._send_after_next(connection, frame)
        else:
            await _write(connection, frame)
            if self._faults.take(FaultName.DUPLICATE_FRAMES, self.name):
                await _write(connection, frame)

    async def _send_after_next(self, connection: Connection, held: Frame) -> None:
        try:
            item, _ = await asyncio.wait_for(connection.next(), _HELD_SECONDS)
        except TimeoutError:
            item = b""
        if isinstance(item, str | bytes) and item:
            await _write(connection, item)
        await _write(connection, held)
        if isinstance(item, _Close):
            connection.close(item.code, item.reason)

    def _watch(self, connection: Connection) -> None:
        """Have the protocol ask before it reads anything, so that pings stay unanswered too."""
        protocol: _SocketProtocol | None = connection.socket.scope.get("brokersim.protocol")
        if protocol is not None:
            protocol.is_dead = partial(self._is_half_open, connection)

    def _is_half_open(self, connection: Connection) -> bool:
        if self._faults.is_on(FaultName.HALF_OPEN, self.name):
            # Once dead it stays dead, as a connection does whose other end has vanished.
            connection.is_dead = True
        return connection.is_dead


async def _write(connection: Connection, frame: Frame) -> None:
    if connection.socket.application_state is not WebSocketState.CONNECTED:
        return
    if isinstance(frame, str):
        await connection.socket.send_text(frame)
    else:
        await connection.socket.send_bytes(frame)
