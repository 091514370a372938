"""What the watchlist drawer, the index line and the search box show."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Case, F, Q, QuerySet, When

from accounts.models import User, Workspace
from brokers.terms import InstrumentType
from market.auction import shares_with_futures
from market.models import Instrument, Watchlist, WatchlistItem
from market.quotes import QuoteView, quotes_of

INDEX_LINE = 3
FOUND_AT_MOST = 25
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


def watchlists_of(user: User, workspace: Workspace) -> QuerySet[Watchlist]:
    return Watchlist.objects.filter(user=user, workspace=workspace).order_by("position", "name")


def chosen_watchlist(lists: Sequence[Watchlist], name: str) -> Watchlist | None:
    """Pick the list that the session names, else the first."""
    named = (each for each in lists if str(each.pk) == name)
    return next(named, lists[0] if lists else None)


def watchlist_items(watchlist: Watchlist) -> QuerySet[WatchlistItem]:
    items = WatchlistItem.objects.filter(watchlist=watchlist)
    return items.select_related("instrument").order_by("position", "pk")


def index_instruments() -> list[Instrument]:
    """The indices that the top bar shows."""
    indices = Instrument.objects.active().filter(instrument_type=InstrumentType.INDEX)
    return list(indices.order_by("pk")[:INDEX_LINE])


def watch_rows(items: Iterable[WatchlistItem]) -> list[WatchRow]:
    listed = list(items)
    quotes = quotes_of([item.instrument.key for item in listed])
    return [WatchRow(item.instrument, quotes.get(item.instrument.key), item.pk) for item in listed]


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
