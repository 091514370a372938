"""Quotes of one's own, in memory and seen by nobody else: a replay's prices are not today's."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from market.quote_terms import Movement, QuoteView, moved


class QuoteMemory:
    """The same arithmetic as the shared stores, for as long as somebody holds it."""

    def __init__(self) -> None:
        self._quotes: dict[str, QuoteView] = {}

    def move(self, movements: Sequence[Movement]) -> None:
        for movement in movements:
            key = movement.last.key
            self._quotes[key] = moved(self._quotes.get(key), movement)

    def put(self, quotes: Sequence[QuoteView]) -> None:
        self._quotes.update({quote.key: quote for quote in quotes})

    def read(self, keys: Collection[str]) -> dict[str, QuoteView]:
        return {key: self._quotes[key] for key in keys if key in self._quotes}

    def forget(self, keys: Collection[str]) -> None:
        for key in keys:
            self._quotes.pop(key, None)


_own: ContextVar[QuoteMemory | None] = ContextVar("own_quotes", default=None)


@contextmanager
def own_quotes(memory: QuoteMemory) -> Iterator[None]:
    """Read and write these quotes, and not the house's, until the block ends."""
    token = _own.set(memory)
    try:
        yield
    finally:
        _own.reset(token)


def quotes_in_use() -> QuoteMemory | None:
    """Return the quotes that whoever asks keeps to itself; None: the house's."""
    return _own.get()
