"""One stream of the whole house at a simulated broker: real supervisor, sockets and worker.

The supervisor runs in a thread of its own, as in the house. What it asks the house, and what the
house does with its news, happens in the thread that calls :meth:`Listening.pump`: a test's SQLite
lives in one connection. What the house nudges a worker to do is done at once.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from celery import current_app
from kombu import Queue

from brokers.gateway import InstrumentRef
from brokers.models import StreamStatus
from brokers.streaming.inbox import HeardState, Mail
from brokers.streaming.protocol import Frame, News, StreamKind, StreamProtocol
from brokers.streaming.supervisor import Opening, Pace, Supervisor
from orders.services.reconciling import reconcile_due
from tests.reliability.worlds import World
from trading_site.broker_streams import StreamHouse
from trading_site.stream_worker import StreamWorker

_PACE = Pace(0.05, 0.05, 0.2, ping_every=0.5, jitter=lambda least, most: most)
_HURRY = 20
# Kite's simulator beats once a second, as Kite does.
_SHORTEST_SILENCE = 2.5
_PATIENCE = 15.0


class Hurried:
    """A broker's own protocol whose waits are short, so that no test has to wait them out."""

    def __init__(self, protocol: StreamProtocol) -> None:
        self._protocol = protocol

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol, name)

    @property
    def heartbeat_every(self) -> float | None:
        every = self._protocol.heartbeat_every
        return None if every is None else every / _HURRY

    @property
    def stale_after(self) -> float:
        return max(self._protocol.stale_after / _HURRY, _SHORTEST_SILENCE)


@dataclass
class AskedHouse:
    """The real house, which answers in the thread that pumps."""

    house: StreamHouse
    questions: "queue.Queue[tuple[Callable[[], Any], Future[Any]]]" = field(
        default_factory=queue.Queue
    )

    def open(self) -> Opening | None:
        made: Opening | None = self._ask(self.house.open)
        hurried: Any = None if made is None else Hurried(made.protocol)
        return None if made is None else replace(made, protocol=hurried)

    def wanted(self) -> Sequence[InstrumentRef]:
        found: Sequence[InstrumentRef] = self._ask(self.house.wanted)
        return found

    def read(self, protocol: StreamProtocol, frame: Frame) -> Sequence[News]:
        news: Sequence[News] = self._ask(lambda: self.house.read(protocol, frame))
        return news

    def answer(self) -> None:
        while not self.questions.empty():
            question, future = self.questions.get()
            try:
                future.set_result(question())
            except Exception as error:
                future.set_exception(error)

    def _ask(self, question: Callable[[], Any]) -> Any:
        future: Future[Any] = Future()
        self.questions.put((question, future))
        return future.result()


@dataclass
class Listening:
    """A stream that runs; ``states`` are those of its first socket, in order."""

    world: World
    kind: StreamKind
    states: list[HeardState] = field(default_factory=list)
    prices: list[Decimal] = field(default_factory=list)

    def __post_init__(self) -> None:
        connection = self.world.account.connection
        self.house = AskedHouse(StreamHouse(connection, self.kind, self.world.clock))
        self.worker = StreamWorker(connection, self.kind, self.world.clock)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    @property
    def connected(self) -> int:
        """How often the broker has let us in."""
        return [each.status for each in self.states].count(StreamStatus.CONNECTED)

    @property
    def complaints(self) -> list[str]:
        return [each.words for each in self.states if each.status == "ERROR"]

    def is_admitted(self) -> bool:
        is_for_orders = self.kind is StreamKind.ORDERS
        return not is_for_orders or self.world.stand.hears_orders(self.world.served.app)

    def pump(self) -> None:
        """Answer what is asked, work off what came and do what that nudges to."""
        self.house.answer()
        mail = self.worker.inbox.take(timeout=0)
        self._note(mail)
        self.worker.work_off(mail)
        for _ in range(nudges()):
            reconcile_due(self.world.account.pk, clock=self.world.clock)

    def until(self, is_so: Callable[[], object]) -> None:
        """Go on until something is so.

        :raises AssertionError: when it does not become so.
        """
        deadline = time.monotonic() + _PATIENCE
        while not is_so():
            told = [f"{each.status}: {each.words}" for each in self.states[-6:]]
            assert time.monotonic() < deadline, f"It did not come about: {told}"
            self.pump()
            time.sleep(0.005)

    def begin(self) -> None:
        nudges()
        self.worker._book.begin()
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        while self._thread.is_alive():
            self.house.answer()
            self._thread.join(0.01)

    def _note(self, mail: Mail) -> None:
        states = (each for each in mail.heard if isinstance(each, HeardState))
        self.prices += [each.ltp for each in mail.ticks]
        self.states += [each for each in states if each.shard == 0]

    async def _run(self) -> None:
        supervisor = Supervisor(self.house, self.worker.inbox, _PACE)
        task = asyncio.create_task(supervisor.run())
        while not self._ended.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextmanager
def listening(world: World, kind: StreamKind) -> Iterator[Listening]:
    """Run a stream until it is let in, and end it as a process that is killed: nothing is said."""
    stream = Listening(world, kind)
    stream.begin()
    try:
        stream.until(lambda: stream.connected)
        stream.until(stream.is_admitted)
        yield stream
    finally:
        stream.end()


def nudges() -> int:
    """Take the nudges to read a book off their queue; return how many there were."""
    with current_app.connection_for_write() as line:
        sync: Queue = current_app.amqp.queues["sync"](line.default_channel)
        sync.declare()
        return int(sync.purge() or 0)
