"""What every page of the house shows around its own matter, read only when a template asks."""

from datetime import datetime
from functools import cached_property

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User, Workspace
from brokers.scope import NO_ACCOUNT, SCOPE_KEY, Scope, chosen_scope, scopes_of
from market.models import Instrument, Watchlist, WatchlistItem
from market.quotes import QuoteView, quotes_of
from market.selectors import (
    WatchRow,
    chosen_watchlist,
    index_instruments,
    watchlist_items,
    watchlists_of,
)
from notifications.selectors import unread_count
from trading_site.halts import Halt, halts_in_force
from trading_site.market_day import MarketDay, market_day
from trading_site.navigation import PLACES, TABS, Link, links

THEME_COOKIE = "theme"
THEMES = (("", "System"), ("light", "Light"), ("dark", "Dark"))
WATCHLIST_KEY = "watchlist"


class Shell:
    """The frame of one request's page. Each property costs at most one query, once."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.themes = THEMES
        self.also_quoted: set[str] = set()  # by the page itself, to read all prices at once

    @cached_property
    def now(self) -> datetime:
        return timezone.now()

    @cached_property
    def user(self) -> User | None:
        user = getattr(self.request, "user", None)
        return user if isinstance(user, User) else None

    @cached_property
    def workspace(self) -> Workspace | None:
        return getattr(self.request, "workspace", None)

    @property
    def theme(self) -> str:
        chosen = self.request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in dict(THEMES) else ""

    @property
    def initials(self) -> str:
        words = self.user.name.split() if self.user else []
        return "".join(word[0] for word in words[:2]).upper()

    @property
    def places(self) -> list[Link]:
        return links(PLACES, path=self.request.path)

    @property
    def tabs(self) -> list[Link]:
        return links(TABS, path=self.request.path)

    @cached_property
    def scopes(self) -> list[Scope]:
        return scopes_of(self.workspace) if self.workspace else []

    @cached_property
    def scope(self) -> Scope:
        chosen = self.request.session.get(SCOPE_KEY, "")
        return chosen_scope(self.scopes, chosen) if self.scopes else NO_ACCOUNT

    @cached_property
    def unread(self) -> int:
        return unread_count(self.user, workspace=self.workspace) if self.user else 0

    @property
    def unread_short(self) -> str:
        return str(self.unread) if self.unread < 100 else "99"

    @cached_property
    def halts(self) -> list[Halt]:
        return halts_in_force(self.workspace) if self.workspace else []

    @property
    def is_halted(self) -> bool:
        """Whether a kill switch is on for the whole desk."""
        return any(halt.is_kill_switch for halt in self.halts)

    @cached_property
    def market(self) -> MarketDay:
        exchange = self._index_instruments[0].exchange if self._index_instruments else "NSE"
        return market_day(exchange, now=self.now)

    @cached_property
    def indices(self) -> list[WatchRow]:
        return [self._row(instrument) for instrument in self._index_instruments]

    @cached_property
    def watchlists(self) -> list[Watchlist]:
        if self.user is None or self.workspace is None:
            return []
        return list(watchlists_of(self.user, self.workspace))

    @cached_property
    def watchlist(self) -> Watchlist | None:
        return chosen_watchlist(self.watchlists, self.request.session.get(WATCHLIST_KEY, ""))

    @cached_property
    def watch_rows(self) -> list[WatchRow]:
        return [self._row(item.instrument, item.pk) for item in self._items]

    @cached_property
    def _items(self) -> list[WatchlistItem]:
        return list(watchlist_items(self.watchlist)) if self.watchlist else []

    @cached_property
    def _index_instruments(self) -> list[Instrument]:
        return index_instruments()

    @cached_property
    def quotes(self) -> dict[str, QuoteView]:
        shown = [*self._index_instruments, *(item.instrument for item in self._items)]
        return quotes_of({instrument.key for instrument in shown} | self.also_quoted)

    def _row(self, instrument: Instrument, item_id: int | None = None) -> WatchRow:
        return WatchRow(instrument, self.quotes.get(instrument.key), item_id)


def shell(request: HttpRequest) -> dict[str, Shell]:
    """Put the shell into every template as ``shell``; the middleware made it for the request."""
    return {"shell": getattr(request, "shell", None) or Shell(request)}
