"""A broker with a socket of its own, in five words a frame, on a real port; and its protocol.

``hello TOKEN`` logs in, ``+KEY`` and ``-KEY`` subscribe, ``beat`` is the heartbeat; the broker
says ``ready``, ``beat``, ``order N``, ``tick KEY PRICE``, ``bye`` (the login is over) or nonsense.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from brokers.gateway import (
    BrokerStatus,
    GatewayUnavailable,
    InstrumentRef,
    OrderReport,
    QuoteTick,
)
from brokers.simulator.faults import Faults
from brokers.simulator.serving import SimulatorServer
from brokers.simulator.wire import Connection, Frame, Hub
from brokers.streaming.inbox import Heard, HeardState, Inbox
from brokers.streaming.protocol import (
    Heartbeat,
    News,
    OrderNews,
    Ready,
    StreamError,
    StreamKind,
    StreamProtocol,
    Ticks,
)
from brokers.streaming.supervisor import House, Opening, Pace, Supervisor
from brokers.terms import InstrumentType, OrderType, Product, Segment, Side, Validity
from tests.builders import NOW

QUICK = Pace(
    look_every=0.02,
    first_pause=0.02,
    longest_pause=0.1,
    good_after=60,
    ping_every=5,
    jitter=lambda least, most: most,
)


def ref(key: str) -> InstrumentRef:
    return InstrumentRef(key, "NSE", Segment.NSE_EQ, key, InstrumentType.EQ, 1, Decimal("0.05"))


def report(filled: int, *, order: str = "B1", total: int = 10, **fields: object) -> OrderReport:
    status = BrokerStatus.FILLED if filled == total else BrokerStatus.PARTIALLY_FILLED
    told = {
        "broker_order_id": order, "tag": "", "instrument_key": "NSE:RELIANCE", "side": Side.BUY,
        "order_type": OrderType.MARKET, "product": Product.MIS, "validity": Validity.DAY,
        "status": status if filled else BrokerStatus.OPEN, "quantity": total,
        "filled_quantity": filled, "updated_at": NOW,
    }  # fmt: skip
    return OrderReport(**{**told, **fields})  # type: ignore[arg-type]


class TinyBroker:
    """The broker's side. ``asked`` is every frame that came, by connection."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.hub = Hub("tiny", self.faults)
        self.token = "today"
        self.refused = False
        self.is_slow_to_admit = False
        self.asked: list[list[str]] = []
        app = Starlette(routes=[WebSocketRoute("/", self._serve)])
        app.state.faults = self.faults
        self.server = SimulatorServer(app)

    def reset(self) -> None:
        self.faults.clear()
        self.token, self.refused = "today", False
        self.asked.clear()

    def say(self, *frames: str) -> None:
        self.hub.publish(lambda _: frames)

    def hang_up(self) -> None:
        self.hub.close_all(1011, "Going down")

    async def _serve(self, socket: WebSocket) -> None:
        if self.refused:
            await socket.close()  # before it was accepted: the handshake ends with 403
            return
        await self.hub.serve(socket, client="C1", on_message=self._hear, on_open=self._open)

    async def _open(self, connection: Connection) -> None:
        connection.state["asked"] = []
        self.asked.append(connection.state["asked"])  # type: ignore[arg-type]

    async def _hear(self, connection: Connection, frame: Frame) -> None:
        asked = connection.state["asked"]
        assert isinstance(asked, list)
        asked.append(frame)
        if isinstance(frame, str) and frame.startswith("hello"):
            connection.send("ready" if frame == f"hello {self.token}" else "bye")
        elif frame == "beat":
            connection.send("beat", is_feed=True)


@dataclass
class TinyProtocol:
    address: str
    token: str
    kind: StreamKind = StreamKind.MARKET
    heartbeat_every: float | None = 0.05
    stale_after: float = 0.4
    per_connection: int = 3
    connections: int = 2
    is_greeted: bool = False
    chunk: int = 2
    total: int = 10

    def url(self) -> str:
        return self.address

    def headers(self) -> dict[str, str]:
        return {"X-Token": self.token}

    def greeting(self) -> Sequence[Frame]:
        return [f"hello {self.token}"]

    def subscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        return self._frames("+", instruments)

    def unsubscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        return self._frames("-", instruments)

    def heartbeat(self) -> Frame | None:
        return "beat"

    def parse(self, frame: Frame) -> Sequence[News]:
        words = str(frame).split()
        match words:
            case ["ready"]:
                return [Ready()]
            case ["beat"]:
                return [Heartbeat()]
            case ["bye"]:
                return [StreamError("The login is over", is_fatal=True, is_auth=True)]
            case ["doubt"]:
                return [StreamError("Too many sockets", is_doubtful=True)]
            case ["tick", key, price]:
                return [Ticks((QuoteTick(key, Decimal(price), NOW, volume=5),))]
            case ["order", filled]:
                return [OrderNews((report(int(filled), total=self.total),))]
        return [StreamError(f"Not understood: {str(frame)[:20]}")]

    def _frames(self, sign: str, instruments: Sequence[InstrumentRef]) -> list[Frame]:
        keys = [each.key for each in instruments]
        return [
            sign + ",".join(keys[at : at + self.chunk]) for at in range(0, len(keys), self.chunk)
        ]


@dataclass
class TinyHouse:
    """What the supervisor asks; ``token`` is the session, which may be replaced while it runs."""

    broker: TinyBroker
    token: str = "today"
    keys: Sequence[str] = ()
    terms: dict[str, object] = field(default_factory=dict)
    opened: int = 0
    read_in: set[str] = field(default_factory=set)

    def open(self) -> Opening:
        if not self.token:
            raise GatewayUnavailable("Nobody is logged in")
        self.opened += 1
        made = TinyProtocol(self.broker.server.ws_url + "/", self.token, **self.terms)  # type: ignore[arg-type]
        return Opening(made, self.token)

    def wanted(self) -> list[InstrumentRef]:
        return [ref(key) for key in self.keys]

    def read(self, protocol: StreamProtocol, frame: Frame) -> Sequence[News]:
        self.read_in.add(threading.current_thread().name)
        return protocol.parse(frame)


@dataclass
class Heeding:
    """A supervisor that runs in a thread, and what has been heard so far."""

    inbox: Inbox
    heard: list[Heard] = field(default_factory=list)
    ticks: list[QuoteTick] = field(default_factory=list)

    def states(self, shard: int = 0) -> list[str]:
        self.take()
        own = (each for each in self.heard if isinstance(each, HeardState))
        return [each.status.value for each in own if each.shard == shard]

    def take(self) -> None:
        mail = self.inbox.take(timeout=0)
        self.heard += mail.heard
        self.ticks += mail.ticks

    def prices(self) -> list[Decimal]:
        self.take()
        return [each.ltp for each in self.ticks]

    def last(self, status: str) -> HeardState:
        self.take()
        found = [e for e in self.heard if isinstance(e, HeardState) and e.status.value == status]
        return found[-1]


class Running:
    """Runs a supervisor beside the test until left; leaving it leaves nothing behind."""

    def __init__(self, house: House, pace: Pace = QUICK) -> None:
        self._house, self._pace = house, pace
        self.heeding = Heeding(Inbox())
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def _run(self) -> None:
        supervisor = Supervisor(self._house, self.heeding.inbox, self._pace)
        task = asyncio.create_task(supervisor.run())
        while not self._ended.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def __enter__(self) -> Heeding:
        self._thread.start()
        return self.heeding

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(5)
        assert not self._thread.is_alive()


def until(is_so: Callable[[], object], *, within: float = 8.0) -> None:
    """Wait until something is so.

    :raises AssertionError: when it does not become so in time.
    """
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, "It did not come about"
        time.sleep(0.01)
