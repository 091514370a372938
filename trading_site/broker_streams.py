"""The streams of every connected broker: sockets in one loop, their news worked off in threads."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import DatabaseError, connections
from django.db import Error as DatabaseFailure

from brokers.gateway import InstrumentRef
from brokers.models import BrokerConnection, ConnectionStatus
from brokers.registry import Clock, streams_of
from brokers.sessions import session_name, session_secrets
from brokers.streaming.protocol import Frame, News, StreamError, StreamKind, StreamProtocol
from brokers.streaming.supervisor import Opening, Pace, Supervisor
from operations.errors import record_error
from trading_site.stream_wishes import wishes_of
from trading_site.stream_worker import StreamWorker

logger = logging.getLogger(__name__)
LOOK_EVERY = 5.0
_ENDS_WITHIN = 5.0
Name = tuple[str, StreamKind]


@dataclass(frozen=True, slots=True)
class StreamHouse:
    """What a supervisor asks of this house for one connection, in threads that come and go.

    ``rooms`` is shared by all: how many instruments one socket of each connection carries.
    """

    connection: BrokerConnection
    kind: StreamKind
    clock: Clock
    rooms: dict[UUID, int] = field(default_factory=dict)

    def open(self) -> Opening | None:
        try:
            connection = BrokerConnection.objects.get(pk=self.connection.pk)
            # The name first: a login in between is then not blamed for what the older one did.
            session = session_name(connection)
            secrets = dict(session_secrets(connection, now=self.clock()))
            open_stream = streams_of(connection.broker_type)
            credentials = connection.read_credentials()
            protocol = open_stream(self.kind, secrets=secrets, credentials=credentials)
        finally:
            connections.close_all()
        if self.kind is StreamKind.MARKET:
            self.rooms[self.connection.pk] = protocol.per_connection if protocol else 0
        return None if protocol is None else Opening(protocol, session)

    def wanted(self) -> list[InstrumentRef]:
        if self.kind is not StreamKind.MARKET:
            return []
        try:
            return wishes_of(self.connection, rooms=self.rooms, now=self.clock())
        finally:
            connections.close_all()

    def read(self, protocol: StreamProtocol, frame: Frame) -> Sequence[News]:
        try:
            return protocol.parse(frame)
        except DatabaseFailure:
            # What the frame said is lost: the words make the worker ask for a reading.
            logger.exception("an order update could not be looked up")
            return [StreamError("An order update could not be read: the database did not answer")]
        finally:
            connections.close_all()


@dataclass
class BrokerStreams:
    """Every stream of the connections that are logged in."""

    clock: Clock
    pace: Pace = field(default_factory=Pace)
    look_every: float = LOOK_EVERY
    rooms: dict[UUID, int] = field(default_factory=dict)
    _running: dict[Name, "_Running"] = field(default_factory=dict)

    def run(self, stopped: threading.Event) -> None:
        """Open streams for connections that log in, and end those that log out, until stopped."""
        asyncio.run(self._run(stopped))

    async def _run(self, stopped: threading.Event) -> None:
        try:
            while not stopped.is_set():
                await self._look(await asyncio.to_thread(_connected))
                await asyncio.to_thread(stopped.wait, self.look_every)
        finally:
            await self._look([])

    async def _look(self, connected: Sequence[BrokerConnection]) -> None:
        names = {(str(each.pk), kind): each for each in connected for kind in StreamKind}
        gone = {
            name: running
            for name, running in self._running.items()
            if name not in names or running.fault is not None
        }
        self._running = {name: each for name, each in self._running.items() if name not in gone}
        await asyncio.gather(*(running.end() for running in gone.values()))
        for name in names.keys() - self._running.keys():
            self._running[name] = _Running.start(names[name], name[1], self)


@dataclass
class _Running:
    """One stream's supervisor and the thread that works off its mail."""

    task: asyncio.Task[None]
    worker: StreamWorker
    thread: threading.Thread
    stopped: threading.Event

    @classmethod
    def start(
        cls, connection: BrokerConnection, kind: StreamKind, streams: BrokerStreams
    ) -> "_Running":
        worker, stopped = StreamWorker(connection, kind, streams.clock), threading.Event()
        house = StreamHouse(connection, kind, streams.clock, streams.rooms)
        supervisor = Supervisor(house, worker.inbox, streams.pace)
        name = f"stream {connection.alias} {kind}"
        thread = threading.Thread(target=worker.run, args=(stopped,), name=name, daemon=True)
        thread.start()
        return cls(asyncio.create_task(supervisor.run()), worker, thread, stopped)

    @property
    def fault(self) -> BaseException | None:
        """What ended the supervisor, which is begun again; one without a stream just ends."""
        is_done = self.task.done() and not self.task.cancelled()
        return self.task.exception() if is_done else None

    async def end(self) -> None:
        if self.fault is not None:
            await asyncio.to_thread(_write_down, self.fault)
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.stopped.set()
        self.worker.inbox.close()
        await asyncio.to_thread(self.thread.join, _ENDS_WITHIN)


def _connected() -> list[BrokerConnection]:
    try:
        open_ones = BrokerConnection.objects.filter(status=ConnectionStatus.CONNECTED)
        return list(open_ones.exclude(broker_type="paper").order_by("created_at"))
    finally:
        connections.close_all()


def _write_down(error: BaseException) -> None:
    try:
        record_error(error, context={"stage": "stream"})
    except DatabaseError:
        logger.exception("the error log cannot be written either")
    finally:
        connections.close_all()
