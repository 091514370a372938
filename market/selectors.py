"""What the watchlist drawer, the index line and the search box show."""

import re
import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.db.models import Case, F, Q, QuerySet, When

from accounts.models import User, Workspace
from brokers.terms import InstrumentType
from market.auction import shares_with_futures
from market.models import Instrument, Watchlist
from market.naming import called
from market.quotes import QuoteView, quotes_of

INDEX_LINE = 3
# An import in another process may bring a new index: every process shows it within this time.
_INDICES_LAST = 60.0
_INSTRUMENT = tuple(field.attname for field in Instrument._meta.concrete_fields)
FOUND_AT_MOST = 25
# Shorter words begin too many brokers' names, and say nothing that symbols do not.
_NAME_AT_LEAST = 3
STRIKE = re.compile(r"^\d+(\.\d+)?$")


@dataclass(frozen=True, slots=True)
class WatchRow:
    """An instrument beside its last price; ``item_id`` is its place in a list, if it is in one."""

    instrument: Instrument
    quote: QuoteView | None
    item_id: int | None = None

    @property
    def key(self) -> str:
        return self.instrument.key

    @property
    def is_tradable(self) -> bool:
        return self.instrument.instrument_type != InstrumentType.INDEX


@dataclass(frozen=True, slots=True)
class Watched:
    """A person's lists, the one that is open, and the instruments in it by their place there."""

    lists: list[Watchlist]
    chosen: Watchlist | None
    items: list[tuple[int, Instrument]]


NOTHING_WATCHED = Watched([], None, [])


def watchlists_of(user: User, workspace: Workspace) -> QuerySet[Watchlist]:
    return Watchlist.objects.filter(user=user, workspace=workspace).order_by("position", "name")


def watched_by(user: User, workspace: Workspace, *, name: str) -> Watched:
    """Read a person's lists and what is in the one that the session names, else in the first.

    One query, which an empty list is part of too.
    """
    columns = [f"items__instrument__{column}" for column in _INSTRUMENT]
    mine = watchlists_of(user, workspace).order_by("position", "name", "items__position", "items")
    rows = list(mine.values_list("pk", "name", "items__pk", *columns))
    lists = {pk: Watchlist(pk=pk, name=words) for pk, words, *_ in rows}
    named = (each for each in lists.values() if str(each.pk) == name)
    chosen = next(named, next(iter(lists.values()), None))
    items = [
        (item_id, Instrument.from_db(None, _INSTRUMENT, values))
        for pk, _, item_id, *values in rows
        if chosen is not None and pk == chosen.pk and item_id is not None
    ]
    return Watched(list(lists.values()), chosen, items)


# Replaced, never emptied: another thread may be reading it.
_indices: list[tuple[float, list[Instrument]] | None] = [None]


def index_instruments() -> list[Instrument]:
    """The indices that the top bar shows; asked of the database once a minute."""
    now = clock.monotonic()
    known = _indices[0]
    if known is None or now - known[0] > _INDICES_LAST:
        indices = Instrument.objects.active().filter(instrument_type=InstrumentType.INDEX)
        found = list(indices.order_by("pk")[:INDEX_LINE])
        if not found:  # a fresh house gets its first ones at any moment
            return []
        known = _indices[0] = (now, found)
    return known[1]


def forget_indices() -> None:
    """Read the indices again at the next question."""
    _indices[0] = None


def find_instruments(words: str, *, on: date) -> list[Instrument]:
    """Find by the start of a symbol, by a name, and contracts by ``nifty 25000 ce``."""
    terms = words.upper().split()
    if not terms:
        return []
    unexpired = Q(expiry=None) | Q(expiry__gte=on)
    found = Instrument.objects.active().filter(unexpired)
    for term in terms:
        found = found.filter(_meaning(term))
    nearness = Case(
        When(trading_symbol__iexact=terms[0], then=0),
        When(trading_symbol__istartswith=terms[0], then=1),
        default=2,
    )
    # The databases disagree on where a missing expiry goes: shares come before contracts.
    by_expiry = F("expiry").asc(nulls_first=True)
    nearest = found.order_by(nearness, by_expiry, "strike", "trading_symbol")[:200]
    quoted = quotes_of([instrument.key for instrument in nearest])
    ranked = sorted(nearest, key=_rank(terms[0], on=on))
    # What has a price can be traded now; the rest of an imported list comes after it.
    return sorted(ranked, key=lambda each: each.key not in quoted)[:FOUND_AT_MOST]


def _meaning(term: str) -> Q:
    if term in ("CE", "PE", "FUT"):
        return Q(instrument_type=term)
    meaning = Q(trading_symbol__istartswith=term) | Q(underlying__istartswith=term)
    meaning |= Q(name__icontains=term) | Q(exchange=term)
    if len(term) >= _NAME_AT_LEAST:
        meaning |= called(term)
    return meaning | Q(strike=term) if STRIKE.match(term) else meaning


def _rank(first: str, *, on: date) -> Callable[[Instrument], tuple[object, ...]]:
    """Order what was found: the very symbol, shares that have futures, NSE, then by expiry."""
    with_futures = shares_with_futures(on)

    def rank(instrument: Instrument) -> tuple[object, ...]:
        symbol = instrument.trading_symbol.upper()
        return (
            symbol != first,
            not symbol.startswith(first),
            instrument.expiry is not None,
            symbol not in with_futures,
            instrument.exchange == "BSE",
            instrument.expiry or date.min,
            instrument.strike or 0,
            symbol,
        )

    return rank
