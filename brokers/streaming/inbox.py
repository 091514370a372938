"""What sockets have heard and the house has not yet taken in. Sockets put, one worker takes.

Orders and fills are never dropped. Prices are: when the worker falls far behind, an instrument's
waiting ticks become one, at the newest price and with the whole volume.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from brokers.gateway import QuoteTick
from brokers.models import StreamStatus
from brokers.streaming.protocol import Frame, News, OrderNews, StreamError, Ticks

MOST_TICKS = 20_000


class Doubt(StrEnum):
    """What the end of a socket says of the login it was opened with."""

    NONE = ""
    REFUSED = "REFUSED"  # at the door or in words that have other reasons too: a call has to tell
    OVER = "OVER"  # the broker said so in its own words


@dataclass(frozen=True, slots=True)
class HeardOrders:
    """Order news of one shard with the frame it came in, as text."""

    shard: int
    frame: str
    news: OrderNews


@dataclass(frozen=True, slots=True)
class HeardState:
    """A shard has changed: connected, ended, tried again so many times.

    ``session`` names the login that its socket was opened with, for what ``doubt`` says of it.
    """

    shard: int
    status: StreamStatus
    words: str = ""
    attempts: int = 0
    doubt: Doubt = Doubt.NONE
    session: str = ""


@dataclass(frozen=True, slots=True)
class HeardWords:
    """A shard goes on, and something is wrong with it; no words: not any more."""

    shard: int
    words: str


Heard = HeardOrders | HeardState | HeardWords


@dataclass(frozen=True, slots=True)
class Mail:
    """One taking: what was heard in order, the ticks, and the shards that gave a sign of life."""

    heard: Sequence[Heard]
    ticks: Sequence[QuoteTick]
    alive: frozenset[int]

    def __bool__(self) -> bool:
        return bool(self.heard or self.ticks or self.alive)


class Inbox:
    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._heard: deque[Heard] = deque()
        self._ticks: list[QuoteTick] = []
        self._alive: set[int] = set()
        self._is_closed = False

    def put_frame(self, shard: int, frame: Frame, news: Sequence[News]) -> None:
        with self._lock:
            self._alive.add(shard)
            for each in news:
                self._put(shard, frame, each)
            self._lock.notify()

    def put_state(self, state: HeardState | HeardWords) -> None:
        with self._lock:
            self._heard.append(state)
            self._lock.notify()

    def take(self, *, timeout: float) -> Mail:
        """Wait for mail and take all of it; empty when nothing came in time."""
        with self._lock:
            self._lock.wait_for(self._is_worth_waking, timeout)
            mail = Mail(tuple(self._heard), tuple(self._ticks), frozenset(self._alive))
            self._heard.clear()
            self._ticks = []
            self._alive.clear()
            return mail

    def close(self) -> None:
        """Nothing more will come: let whoever waits go. What is there can still be taken."""
        with self._lock:
            self._is_closed = True
            self._lock.notify()

    def _is_worth_waking(self) -> bool:
        return bool(self._heard or self._ticks or self._alive or self._is_closed)

    def _put(self, shard: int, frame: Frame, news: News) -> None:
        if isinstance(news, OrderNews):
            text = frame if isinstance(frame, str) else frame.decode("utf-8", "replace")
            self._heard.append(HeardOrders(shard, text, news))
        elif isinstance(news, Ticks):
            self._ticks += news.ticks
            if len(self._ticks) > MOST_TICKS:
                self._ticks = merged(self._ticks)
        elif isinstance(news, StreamError) and not news.is_fatal:
            self._heard.append(HeardWords(shard, news.words))


def merged(ticks: Sequence[QuoteTick]) -> list[QuoteTick]:
    """Return one tick for each instrument: its newest, with the volume of all."""
    newest: dict[str, QuoteTick] = {}
    for tick in ticks:
        before = newest.get(tick.key)
        volume = tick.volume + (before.volume if before else 0)
        newest[tick.key] = replace(tick, volume=volume)
    return list(newest.values())
