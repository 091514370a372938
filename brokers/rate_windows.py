"""Calls counted over rolling windows, shared by every process: in Redis, or in the database.

A window of S seconds that holds at any moment holds for the calendar's seconds, minutes and days
too, so one rolling count answers both ways in which brokers count.
"""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple, Protocol

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, Sum
from redis import Redis, RedisError

from brokers.models import BrokerConnection, RateLimitWindow

logger = logging.getLogger(__name__)
# A table window is counted in so many parts; the oldest counts whole, which errs to our side.
_PARTS = 10

# Takes a place in every window at once, or none; answers the milliseconds to wait.
_TAKE = """
local now, longest, wait = tonumber(ARGV[1]), tonumber(ARGV[3]), 0
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - longest)
for i = 4, #ARGV, 2 do
  local span, most = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  if redis.call('ZCOUNT', KEYS[1], '(' .. (now - span), '+inf') >= most then
    local leaving = redis.call('ZREVRANGE', KEYS[1], most - 1, most - 1, 'WITHSCORES')
    wait = math.max(wait, tonumber(leaving[2]) + span - now, 1)
  end
end
if wait > 0 then return wait end
redis.call('ZADD', KEYS[1], now, ARGV[2])
redis.call('PEXPIRE', KEYS[1], longest)
return 0
"""


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``most`` calls within any ``seconds``."""

    seconds: int
    most: int


class Span(NamedTuple):
    """The last ``seconds`` of what is counted under a name."""

    name: str
    seconds: int


class Windows(Protocol):
    def take(
        self, connection: BrokerConnection, name: str, windows: Sequence[Window], *, now: datetime
    ) -> float:
        """Count one call and return 0; or count nothing and return the seconds to wait."""
        ...

    def used(
        self, connection: BrokerConnection, spans: Sequence[Span], *, now: datetime
    ) -> list[int]:
        """Return how many calls were counted in each span, all of them asked for at once."""
        ...


class RedisWindows:
    """Exact: one sorted set of moments for each name."""

    def __init__(self, address: str) -> None:
        self._redis = Redis.from_url(address, socket_connect_timeout=1, socket_timeout=1)
        self._take = self._redis.register_script(_TAKE)

    def take(
        self, connection: BrokerConnection, name: str, windows: Sequence[Window], *, now: datetime
    ) -> float:
        spans = [number for each in windows for number in (each.seconds * 1000, each.most)]
        longest = max(each.seconds for each in windows) * 1000
        wait = self._take(
            keys=[_key(connection, name)], args=[_ms(now), uuid.uuid4().hex, longest, *spans]
        )
        return int(wait) / 1000

    def used(
        self, connection: BrokerConnection, spans: Sequence[Span], *, now: datetime
    ) -> list[int]:
        pipe = self._redis.pipeline(transaction=False)
        for name, seconds in spans:
            pipe.zcount(_key(connection, name), f"({_ms(now) - seconds * 1000}", "+inf")
        return [int(count) for count in pipe.execute()]


class TableWindows:
    """Rows of ``rate_limit_tracking``, one for each tenth of a window; a connection at a time."""

    @transaction.atomic
    def take(
        self, connection: BrokerConnection, name: str, windows: Sequence[Window], *, now: datetime
    ) -> float:
        BrokerConnection.objects.select_for_update().get(pk=connection.pk)
        spans = [Span(name, each.seconds) for each in windows]
        used = self.used(connection, spans, now=now)
        full = [each for each, count in zip(windows, used, strict=True) if count >= each.most]
        if full:
            return max(each.seconds for each in full) / _PARTS
        for each in windows:
            self._count(connection, name, each.seconds, now=now)
        return 0

    def used(
        self, connection: BrokerConnection, spans: Sequence[Span], *, now: datetime
    ) -> list[int]:
        reach = Q()
        for seconds in {each.seconds for each in spans}:
            begin = now - timedelta(seconds=seconds * (_PARTS + 1) / _PARTS)
            reach |= Q(window_seconds=seconds, window_start__gt=begin)
        names = {each.name for each in spans}
        rows = RateLimitWindow.objects.filter(reach, connection=connection, endpoint__in=names)
        sums = rows.order_by().values_list("endpoint", "window_seconds")
        counts = {
            Span(name, seconds): count
            for name, seconds, count in sums.annotate(Sum("request_count"))
        }
        return [counts.get(each, 0) for each in spans]

    def _count(
        self, connection: BrokerConnection, name: str, seconds: int, *, now: datetime
    ) -> None:
        part = seconds * 1000 // _PARTS
        start = now - timedelta(milliseconds=_ms(now) % part, microseconds=now.microsecond % 1000)
        window = {
            "connection": connection,
            "endpoint": name,
            "window_seconds": seconds,
            "window_start": start,
        }
        counted = RateLimitWindow.objects.filter(**window).update(
            request_count=F("request_count") + 1
        )
        if not counted:
            RateLimitWindow.objects.create(**window, request_count=1)


class SharedWindows:
    """Redis where there is one; the table when there is none, and while it does not answer."""

    def __init__(self, address: str) -> None:
        self._table = TableWindows()
        self._redis = RedisWindows(address) if address else None

    def take(
        self, connection: BrokerConnection, name: str, windows: Sequence[Window], *, now: datetime
    ) -> float:
        if self._redis is not None:
            try:
                return self._redis.take(connection, name, windows, now=now)
            except RedisError as error:
                logger.warning("calls are counted in the database: %s", error)
        return self._table.take(connection, name, windows, now=now)

    def used(
        self, connection: BrokerConnection, spans: Sequence[Span], *, now: datetime
    ) -> list[int]:
        if self._redis is not None:
            try:
                return self._redis.used(connection, spans, now=now)
            except RedisError as error:
                logger.warning("the counts of calls are not reachable: %s", error)
        return self._table.used(connection, spans, now=now)


@cache
def shared_windows() -> Windows:
    return SharedWindows(settings.REDIS_URL)


def _key(connection: BrokerConnection, name: str) -> str:
    return f"pinnacle:calls:{connection.pk}:{name}"


def _ms(now: datetime) -> int:
    return int(now.timestamp() * 1000)
