"""Which instrument a stream's order means. The directory is a database, a stream an event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from brokers.adapters.kite.places import BROKER_NAME
from brokers.directory import key_at

_threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kite-keys")
_UNKNOWN = "?"


class StreamKeys:
    """Remembers for one socket what it has learnt; what was unknown is asked for again."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def __call__(self, exchange: str, token: str) -> str:
        asked = exchange, token
        if asked in self._known:
            return self._known[asked]
        key = _looked_up(exchange, token)
        if _UNKNOWN not in key:
            self._known[asked] = key
        return key


def _looked_up(exchange: str, token: str) -> str:
    """Ask the directory; beside a running loop in a thread, as a database may not block it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return key_at(BROKER_NAME, exchange=exchange, token=token)
    return _threads.submit(_in_a_thread, exchange, token).result()


def _in_a_thread(exchange: str, token: str) -> str:
    try:
        return key_at(BROKER_NAME, exchange=exchange, token=token)
    finally:
        connection.close()
