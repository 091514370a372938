"""Keeps our calls within what a broker takes, whichever of our processes makes them.

Each endpoint class of a connection has its windows. A call that has no room waits a little; one
that would wait too long is held back, which proves that nothing was sent. Cancels and exits may
use the whole of an order window, entries leave a share of it to them, and reads one to both.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from importlib import import_module

from django.db import Error as DatabaseFailure
from redis import RedisError

from brokers.limits import OTHER, EndpointRule, Limit, endpoint_of, in_force
from brokers.models import BrokerConnection
from brokers.rate_windows import Span, Window, Windows, shared_windows
from brokers.terms import Segment
from brokers.transport import READS, NotSent
from brokers.venue import IST

logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]
LONGEST_WAIT = 3.0  # seconds

# SEBI's circular of February 2025: above ten orders a second on an exchange segment an algorithm
# must be registered with the exchange. Every order message counts, whoever asked for it.
SEGMENT_ORDERS = Limit("segment", 10, 1, date(2026, 4, 1), "SEBI/HO/MIRSD/MIRSD-PoD/P/CIR/2025/13")


class Purpose(IntEnum):
    """What a call is for, as the percentage of an order window that it may fill."""

    READ = 60
    ENTRY = 80
    WAY_OUT = 100  # a cancel, or an order that only reduces a position


_purpose: ContextVar[Purpose] = ContextVar("purpose", default=Purpose.READ)


@contextmanager
def calls_for(purpose: Purpose) -> Iterator[None]:
    """Let every call made inside, also one that only looks something up, count as its purpose."""
    token = _purpose.set(purpose)
    try:
        yield
    finally:
        _purpose.reset(token)


class HeldBack(NotSent):
    """There is no room for the call within what the broker takes; it was not made."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A broker's published figures: what belongs to which class, and how much each takes.

    ``shared`` names the classes in which orders are sent, of which a share is kept for ways out.
    """

    rules: Sequence[EndpointRule]
    limits: Sequence[Limit]
    cancels: Sequence[EndpointRule] = ()
    shared: Collection[str] = ()

    def is_cancel(self, method: str, path: str) -> bool:
        return any(rule.matches(method, path) for rule in self.cancels)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of one published figure has been used."""

    endpoint: str
    seconds: int
    used: int
    most: int


@dataclass(frozen=True, slots=True)
class Governor:
    """Admits the calls of one connection; a transport asks it with method and path."""

    connection: BrokerConnection
    figures: Figures
    clock: Clock
    windows: Windows
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, method: str, path: str) -> None:
        """Wait for room.

        :raises HeldBack: when there is none within a few seconds.
        """
        endpoint = endpoint_of(self.figures.rules, method=method, path=path)
        purpose = self._purpose(method, path)
        self._enter(endpoint, self._windows(endpoint, purpose), purpose)

    def enter_segment(self, segment: Segment, purpose: Purpose) -> None:
        """Count one order message against the exchange segment's own threshold.

        :raises HeldBack: when there is no room within a few seconds.
        """
        window = Window(SEGMENT_ORDERS.seconds, _share(SEGMENT_ORDERS.count, purpose))
        self._enter(f"segment:{segment}", [window], purpose)

    def usage(self) -> list[Usage]:
        """Return every published figure with what has been used of it."""
        now = self.clock()
        limits = [
            limit
            for endpoint in dict.fromkeys([*(rule.endpoint for rule in self.figures.rules), OTHER])
            for limit in in_force(self.figures.limits, endpoint=endpoint, on=_today(now))
        ]
        spans = [Span(limit.endpoint, limit.seconds) for limit in limits]
        counts = self.windows.used(self.connection, spans, now=now)
        return [
            Usage(limit.endpoint, limit.seconds, used, limit.count)
            for limit, used in zip(limits, counts, strict=True)
        ]

    def _purpose(self, method: str, path: str) -> Purpose:
        if self.figures.is_cancel(method, path):
            return Purpose.WAY_OUT
        return max(Purpose.READ if method in READS else Purpose.ENTRY, _purpose.get())

    def _windows(self, endpoint: str, purpose: Purpose) -> list[Window]:
        limits = in_force(self.figures.limits, endpoint=endpoint, on=_today(self.clock()))
        allowed = purpose if endpoint in self.figures.shared else Purpose.WAY_OUT
        return [Window(limit.seconds, _share(limit.count, allowed)) for limit in limits]

    def _enter(self, name: str, windows: Sequence[Window], purpose: Purpose) -> None:
        if not windows:
            return
        waited = 0.0
        while wait := self._take(name, windows, purpose):
            if waited + wait > LONGEST_WAIT:
                raise HeldBack(f"Too many calls ({name}): there is room again in {wait:.1f} s")
            self.sleep(wait)
            waited += wait

    def _take(self, name: str, windows: Sequence[Window], purpose: Purpose) -> float:
        """Count a call; a way out is not held back because nobody can count.

        :raises HeldBack: when nobody can, for anything else.
        """
        try:
            return self.windows.take(self.connection, name, windows, now=self.clock())
        except (DatabaseFailure, RedisError) as error:
            if purpose is Purpose.WAY_OUT:
                logger.warning("a way out leaves uncounted: %s", error)
                return 0
            raise HeldBack(
                f"Our calls ({name}) cannot be counted, so none is made: the database does not"
                " answer. Try again in a moment"
            ) from error


def governor_for(connection: BrokerConnection, *, clock: Clock) -> Governor:
    """Return the connection's governor, with the figures that its adapter publishes."""
    figures = import_module(f"brokers.adapters.{connection.broker_type}.limits")
    return Governor(
        connection,
        Figures(figures.RULES, figures.LIMITS, figures.CANCELS, figures.SHARED),
        clock,
        shared_windows(),
    )


def _share(count: int, purpose: Purpose) -> int:
    """Return how much of a window a purpose may fill; the last call of a lone one is anybody's."""
    if purpose is Purpose.WAY_OUT or count < 2:
        return count
    return count - max(count * (100 - purpose) // 100, 1)


def _today(now: datetime) -> date:
    return now.astimezone(IST).date()
