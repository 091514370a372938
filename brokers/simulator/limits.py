"""Rate limits by the calendar second, minute, hour and day of the broker's own clock."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Window(StrEnum):
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    def start(self, at: datetime) -> datetime:
        """Return when the calendar window that holds the moment began."""
        second = at.replace(microsecond=0)
        if self is Window.SECOND:
            return second
        minute = second.replace(second=0)
        if self is Window.MINUTE:
            return minute
        hour = minute.replace(minute=0)
        return hour if self is Window.HOUR else hour.replace(hour=0)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many requests a window; endpoints that share a ``bucket`` count together."""

    bucket: str
    window: Window
    most: int


class RateCounter:
    """Counts requests; refused ones count too, as they do at real brokers.

    ``is_enforced`` may be switched off where a test's clock stands still.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.is_enforced = True
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, Limit], tuple[datetime, int]] = {}

    def allows(self, client: str, limits: Sequence[Limit]) -> bool:
        """Count one request against every limit; tell whether all of them still allow it."""
        if not self.is_enforced:
            return True
        now = self._clock()
        with self._lock:
            counts = [self._count(client, limit, now) for limit in limits]
        return all(count <= limit.most for count, limit in zip(counts, limits, strict=True))

    def used(self, client: str, limit: Limit) -> int:
        """Return how many requests the current window has seen."""
        start, count = self._counts.get((client, limit), (None, 0))
        return count if start == limit.window.start(self._clock()) else 0

    def reset(self) -> None:
        with self._lock:
            self._counts.clear()

    def _count(self, client: str, limit: Limit, now: datetime) -> int:
        start = limit.window.start(now)
        since, count = self._counts.get((client, limit), (start, 0))
        count = count + 1 if since == start else 1
        self._counts[client, limit] = (start, count)
        return count
