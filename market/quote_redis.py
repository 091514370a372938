"""Quotes in one Redis hash: the server mode. Each key has one writer, the feed with the lease."""

import json
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal

from redis import Redis, RedisError

from market.quote_terms import Movement, QuoteView, moved

logger = logging.getLogger(__name__)
_HASH = "pinnacle:quotes"
_READERS: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(("ltp", "bid", "ask", "open", "high", "low", "previous_close"), Decimal),
    "as_of": datetime.fromisoformat,
    "session_date": date.fromisoformat,
}


class QuoteHash:
    def __init__(self, address: str) -> None:
        self._redis = Redis.from_url(
            address, decode_responses=True, socket_connect_timeout=1, socket_timeout=2
        )

    def move(self, movements: Sequence[Movement]) -> None:
        known = self.read([movement.last.key for movement in movements])
        self.put([moved(known.get(change.last.key), change) for change in movements])

    def put(self, quotes: Sequence[QuoteView]) -> None:
        if quotes:
            self._redis.hset(_HASH, mapping={quote.key: _text(quote) for quote in quotes})

    def read(self, keys: Collection[str]) -> dict[str, QuoteView]:
        names = list(keys)
        try:
            texts = self._redis.hmget(_HASH, names) if names else []
        except RedisError as error:
            # No price is known then: pages say so, entries are refused, and exits go on.
            logger.warning("quotes are not reachable: %s", error)
            return {}
        return {name: _view(text) for name, text in zip(names, texts, strict=True) if text}

    def forget(self, keys: Collection[str]) -> None:
        if keys:
            self._redis.hdel(_HASH, *keys)


def _text(quote: QuoteView) -> str:
    return json.dumps(asdict(quote), default=_plain)


def _plain(value: Decimal | date) -> str:
    return str(value) if isinstance(value, Decimal) else value.isoformat()


def _view(text: str | bytes) -> QuoteView:
    values = json.loads(text)
    for name, read in _READERS.items():
        if values[name] is not None:
            values[name] = read(values[name])
    return QuoteView(**values)
