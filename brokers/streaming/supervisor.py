"""Keeps one stream of one connection alive: its shards, their comings-back, their subscriptions.

Each shard is a socket of its own. One that ends is opened again after a pause that doubles, with
jitter so that a house of accounts does not come back all at once. A new socket is opened with the
newest session, so a day's new token needs no restart.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from brokers.gateway import GatewayUnavailable, InstrumentRef
from brokers.models import StreamStatus
from brokers.streaming.inbox import Doubt, HeardState, HeardWords, Inbox
from brokers.streaming.protocol import Frame, News, StreamError, StreamProtocol
from brokers.streaming.socket import PING_EVERY, Ears, Socket, SocketEnded


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take, in seconds. A socket that has lived ``good_after`` was a good one:
    the next pause begins small again."""

    look_every: float = 2.0
    first_pause: float = 0.5
    longest_pause: float = 30.0
    good_after: float = 60.0
    ping_every: float = PING_EVERY
    jitter: Callable[[float, float], float] = random.uniform

    def pause(self, attempts: int) -> float:
        most = min(self.longest_pause, self.first_pause * 2 ** min(attempts, 10))
        return self.jitter(most / 2, most)


@dataclass(frozen=True, slots=True)
class Opening:
    """A new socket's protocol, and the name of the session that it logs in with."""

    protocol: StreamProtocol
    session: str


class House(Protocol):
    """What the supervisor asks of the house; each may block, so it is asked in a thread."""

    def open(self) -> Opening | None:
        """Return a new socket's protocol with the newest session; None where there is no stream.

        :raises GatewayUnavailable: while nobody is logged in.
        """
        ...

    def wanted(self) -> Sequence[InstrumentRef]:
        """Return what to subscribe to, most wanted first."""
        ...

    def read(self, protocol: StreamProtocol, frame: Frame) -> Sequence[News]:
        """Return what the protocol reads in a frame."""
        ...


@dataclass
class Supervisor:
    """Runs until cancelled. What is heard goes to the inbox."""

    house: House
    inbox: Inbox
    pace: Pace = field(default_factory=Pace)
    _shards: list["_Shard"] = field(default_factory=list)

    async def run(self) -> None:
        first = await self._first_opening()
        if first is None:
            return
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self._share_out(group, first.protocol)
                    await asyncio.sleep(self.pace.look_every)
        finally:
            self._shards.clear()

    async def _first_opening(self) -> Opening | None:
        """Wait for a session, and learn how much one socket of this broker carries."""
        while True:
            try:
                return await asyncio.to_thread(self.house.open)
            except GatewayUnavailable as error:
                self.inbox.put_state(HeardState(0, StreamStatus.DISCONNECTED, str(error)))
                await asyncio.sleep(self.pace.look_every * 2)

    async def _share_out(self, group: asyncio.TaskGroup, protocol: StreamProtocol) -> None:
        """Give each shard its instruments; open another shard when they do not fit."""
        wanted = await asyncio.to_thread(self.house.wanted)
        # A stream of orders carries no instruments at all.
        room = max(protocol.per_connection, 1)
        parts = [wanted[at : at + room] for at in range(0, len(wanted), room)] or [[]]
        left_out = sum(len(part) for part in parts[protocol.connections :])
        for number, part in enumerate(parts[: protocol.connections]):
            if number == len(self._shards):
                shard = _Shard(number, self.house, self.inbox, self.pace)
                self._shards.append(shard)
                group.create_task(shard.run())
            await self._shards[number].want(part, left_out=0 if number else left_out)
        for shard in self._shards[len(parts) :]:
            await shard.want(())


@dataclass
class _Shard:
    number: int
    house: House
    inbox: Inbox
    pace: Pace
    _wanted: Sequence[InstrumentRef] = ()
    _left_out: int = 0
    _socket: Socket | None = None
    _session: str = ""
    _attempts: int = 0
    _has_trouble: bool = False

    async def run(self) -> None:
        while True:
            began = asyncio.get_running_loop().time()
            ended = await self._once()
            if asyncio.get_running_loop().time() - began > self.pace.good_after:
                self._attempts = 0
            self._attempts += 1
            self._tell(StreamStatus.ERROR, str(ended), doubt=ended.doubt)
            await asyncio.sleep(self.pace.pause(self._attempts))

    async def want(self, instruments: Sequence[InstrumentRef], *, left_out: int = 0) -> None:
        self._wanted = instruments
        if left_out != self._left_out:
            self._left_out = left_out
            self.inbox.put_state(HeardWords(self.number, self._beyond()))
        if self._socket is not None:
            await self._socket.want(instruments)

    async def _once(self) -> SocketEnded:
        """Live one socket's life and return how it ended."""
        self._tell(StreamStatus.CONNECTING)
        try:
            opening = await asyncio.to_thread(self.house.open)
        except GatewayUnavailable as error:
            return SocketEnded(str(error))
        if opening is None:
            return SocketEnded("The broker offers this stream no more")
        self._session = opening.session
        ears = Ears(self._hear, self._let_in, self.house.read)
        self._socket = Socket(opening.protocol, ears, self.pace.ping_every)
        await self._socket.want(self._wanted)
        try:
            await self._socket.run()
        except SocketEnded as ended:
            return ended
        finally:
            self._socket = None
        return SocketEnded("The stream was closed")

    def _hear(self, frame: Frame, news: Sequence[News]) -> None:
        """Pass it on; a good frame takes back the words about one that was not."""
        self.inbox.put_frame(self.number, frame, news)
        had_trouble = self._has_trouble
        self._has_trouble = any(isinstance(each, StreamError) for each in news)
        if had_trouble and not self._has_trouble:
            self.inbox.put_state(HeardWords(self.number, self._beyond()))

    def _let_in(self) -> None:
        self._has_trouble = False
        self._tell(StreamStatus.CONNECTED, self._beyond())

    def _beyond(self) -> str:
        words = f"{self._left_out} instruments are beyond what the broker's stream carries"
        return words if self._left_out else ""

    def _tell(self, status: StreamStatus, words: str = "", *, doubt: Doubt = Doubt.NONE) -> None:
        self.inbox.put_state(
            HeardState(self.number, status, words, self._attempts, doubt, self._session)
        )
