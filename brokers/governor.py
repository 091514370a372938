"""Keeps our calls within what a broker takes, whichever of our processes makes them.

Each endpoint class of a connection has its windows. A call that has no room waits a little; one
that would wait too long is held back, which proves that nothing was sent. Cancels may use the
whole of a window, everything else leaves a share of it to them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib import import_module

from brokers.limits import OTHER, EndpointRule, Limit, endpoint_of, in_force
from brokers.models import BrokerConnection
from brokers.rate_windows import Span, Window, Windows, shared_windows
from brokers.terms import Segment
from brokers.transport import NotSent
from brokers.venue import IST

Clock = Callable[[], datetime]
LONGEST_WAIT = 3.0  # seconds
_RESERVED_PERCENT = 20

# SEBI's circular of February 2025: above ten orders a second on an exchange segment an algorithm
# must be registered with the exchange. Every order message counts, whoever asked for it.
SEGMENT_ORDERS = Limit("segment", 10, 1, date(2026, 4, 1), "SEBI/HO/MIRSD/MIRSD-PoD/P/CIR/2025/13")


class HeldBack(NotSent):
    """There is no room for the call within what the broker takes; it was not made."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A broker's published figures: what belongs to which class, and how much each takes."""

    rules: Sequence[EndpointRule]
    limits: Sequence[Limit]
    cancels: Sequence[EndpointRule] = ()

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
        is_cancel = self.figures.is_cancel(method, path)
        self._enter(endpoint, self._windows(endpoint, is_cancel=is_cancel))

    def enter_segment(self, segment: Segment, *, is_cancel: bool) -> None:
        """Count one order message against the exchange segment's own threshold.

        :raises HeldBack: when there is no room within a few seconds.
        """
        most = _share(SEGMENT_ORDERS.count, is_cancel=is_cancel)
        self._enter(f"segment:{segment}", [Window(SEGMENT_ORDERS.seconds, most)])

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

    def _windows(self, endpoint: str, *, is_cancel: bool) -> list[Window]:
        limits = in_force(self.figures.limits, endpoint=endpoint, on=_today(self.clock()))
        has_cancels = any(rule.endpoint == endpoint for rule in self.figures.cancels)
        is_whole = is_cancel or not has_cancels
        return [Window(limit.seconds, _share(limit.count, is_cancel=is_whole)) for limit in limits]

    def _enter(self, name: str, windows: Sequence[Window]) -> None:
        if not windows:
            return
        waited = 0.0
        while wait := self.windows.take(self.connection, name, windows, now=self.clock()):
            if waited + wait > LONGEST_WAIT:
                raise HeldBack(f"Too many calls ({name}): there is room again in {wait:.1f} s")
            self.sleep(wait)
            waited += wait


def governor_for(connection: BrokerConnection, *, clock: Clock) -> Governor:
    """Return the connection's governor, with the figures that its adapter publishes."""
    figures = import_module(f"brokers.adapters.{connection.broker_type}.limits")
    return Governor(
        connection,
        Figures(figures.RULES, figures.LIMITS, figures.CANCELS),
        clock,
        shared_windows(),
    )


def _share(count: int, *, is_cancel: bool) -> int:
    """Leave a fifth of a window to cancels, at least one call where there are two."""
    if is_cancel or count < 2:
        return count
    return count - max(count * _RESERVED_PERCENT // 100, 1)


def _today(now: datetime) -> date:
    return now.astimezone(IST).date()
