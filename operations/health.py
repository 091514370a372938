"""Is the house in order: each part asked in the time a load balancer grants."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.core.cache import cache
from django.db import DatabaseError, connection
from redis.exceptions import RedisError

FAULTS = (DatabaseError, RedisError, OSError)


@dataclass(frozen=True, slots=True)
class Finding:
    part: str
    is_well: bool
    detail: str


def check_database() -> Finding:
    """Ask the database for a row."""

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()

    return _timed("database", ask)


def check_cache() -> Finding:
    """Write to the cache and read it back; on a server that is Redis, which Celery runs on too."""

    def ask() -> None:
        cache.set("health", "well", timeout=10)
        if cache.get("health") != "well":
            raise OSError("what was written could not be read back")

    return _timed("cache", ask)


def _timed(part: str, ask: Callable[[], None]) -> Finding:
    started = time.perf_counter()
    try:
        ask()
    except FAULTS as error:
        # The kind only: the text of such an error may name hosts and users.
        return Finding(part, False, type(error).__name__)
    return Finding(part, True, f"{(time.perf_counter() - started) * 1000:.0f} ms")
