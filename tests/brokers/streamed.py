"""The house's own sockets for the tests of what an SDK's would do in their place."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from brokers.gateway import InstrumentRef
from brokers.streaming.protocol import Frame, News, StreamKind, StreamProtocol
from brokers.streaming.supervisor import Opening
from tests.brokers.stands import BrokerMarket
from tests.reliability.listening import Listening


@dataclass
class LoggedIn:
    """A house whose login never ends and that wants nothing; ``looks`` is how often it was asked
    what it wants."""

    protocol: Callable[[], StreamProtocol | None]
    looks: int = 0

    def open(self) -> Opening:
        made = self.protocol()
        assert made is not None
        return Opening(made, "")

    def wanted(self) -> Sequence[InstrumentRef]:
        self.looks += 1
        return ()

    def read(self, protocol: StreamProtocol, frame: Frame) -> Sequence[News]:
        return protocol.parse(frame)


@contextmanager
def listening(market: BrokerMarket, kind: StreamKind) -> Iterator[Listening]:
    """Run one stream of the whole house, whether or not the broker lets it in."""
    world: Any = SimpleNamespace(account=market.account, clock=market.stand.clock)
    stream = Listening(world, kind)
    stream.begin()
    try:
        yield stream
    finally:
        stream.end()
