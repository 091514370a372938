"""Last prices: not history but the present. Redis keeps them where there is one, else a table."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Protocol

from django.conf import settings

from brokers.gateway import QuoteTick
from market.quote_memory import quotes_in_use
from market.quote_redis import QuoteHash
from market.quote_table import QuoteTable
from market.quote_terms import FRESH_FOR, Movement, QuoteView, movements

__all__ = [
    "FRESH_FOR",
    "QuoteView",
    "forget_quotes",
    "put_quotes",
    "quote_of",
    "quotes_of",
    "write_quotes",
]


class QuoteStore(Protocol):
    def move(self, movements: Sequence[Movement]) -> None: ...

    def put(self, quotes: Sequence[QuoteView]) -> None: ...

    def read(self, keys: Collection[str]) -> dict[str, QuoteView]: ...

    def forget(self, keys: Collection[str]) -> None: ...


def write_quotes(ticks: Sequence[QuoteTick]) -> None:
    """Take a batch in, one statement for all of it.

    A new calendar day of the exchange opens a new session: open, high, low and volume start
    again and the last price becomes the previous close. Ticks older than the quote are ignored.
    """
    if ticks:
        _store().move(movements(ticks))


def put_quotes(quotes: Sequence[QuoteView]) -> None:
    """Set whole quotes, as an import or a backfill knows them."""
    _store().put(quotes)


def quote_of(key: str) -> QuoteView | None:
    """Return the last quote; None when nobody has ever told a price."""
    return _store().read([key]).get(key)


def quotes_of(keys: Collection[str]) -> dict[str, QuoteView]:
    """Return the quotes that are known, by instrument key."""
    return _store().read(keys)


def forget_quotes(keys: Collection[str]) -> None:
    """Drop the quotes, as before a replay that starts in the past."""
    _store().forget(keys)


def _store() -> QuoteStore:
    own = quotes_in_use()
    if own is not None:
        return own
    return _hash_at(settings.REDIS_URL) if settings.REDIS_URL else QuoteTable()


@cache
def _hash_at(address: str) -> QuoteHash:
    return QuoteHash(address)
