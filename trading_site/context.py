"""What every page of the house shows around its own matter, read only when a template asks."""

from datetime import datetime
from functools import cached_property

from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import MANAGING_ROLES, User, Workspace
from brokers.endpoints import is_simulated
from brokers.models import BrokerConnection, ConnectionStatus
from brokers.registry import brokers
from brokers.scope import NO_ACCOUNT, SCOPE_KEY, Scope, chosen_scope, scopes_of
from brokers.terms import Exchange
from market.models import Instrument, Watchlist
from market.quotes import QuoteView, quotes_of
from market.selectors import NOTHING_WATCHED, Watched, WatchRow, index_instruments, watched_by
from notifications.selectors import unread_count
from portfolio.shown_days import played_days
from trading_site.halts import Halt, halts_in_force
from trading_site.market_day import (
    CalendarEnd,
    MarketDay,
    calendar_ends,
    market_day,
    replayed_days,
)
from trading_site.navigation import PLACES, TABS, Link, links

THEME_COOKIE = "theme"
THEMES = (("", "System"), ("light", "Light"), ("dark", "Dark"))
WATCHLIST_KEY = "watchlist"


class Shell:
    """The frame of one request's page. Each property costs at most one query, once."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.themes = THEMES
        # What the page itself wants to know besides, to be read in the frame's own queries.
        self.also_quoted: set[str] = set()
        self.also_of_accounts: dict[str, Combinable] = {}

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
        if self.workspace is None:
            return []
        return scopes_of(self.workspace, also=self.also_of_accounts)

    @cached_property
    def scope(self) -> Scope:
        chosen = self.request.session.get(SCOPE_KEY, "")
        return chosen_scope(self.scopes, chosen) if self.scopes else NO_ACCOUNT

    @property
    def signed_out(self) -> list[BrokerConnection]:
        """Real brokers whose session has ended or failed: nothing can be sent there."""
        accounts = [scope.accounts[0] for scope in self.scopes if len(scope.accounts) == 1]
        found = {each.connection_id: each.connection for each in accounts if not each.is_paper}
        lost = (ConnectionStatus.EXPIRED, ConnectionStatus.ERROR)
        return [connection for connection in found.values() if connection.status in lost]

    @property
    def simulated(self) -> list[str]:
        """Brokers in whose place this server was told to call a simulator."""
        return [each.label for each in brokers() if is_simulated(each.name)]

    @cached_property
    def unread(self) -> int:
        return unread_count(self.user, workspace=self.workspace) if self.user else 0

    @property
    def unread_short(self) -> str:
        return str(self.unread) if self.unread < 100 else "99+"

    @cached_property
    def halts(self) -> list[Halt]:
        return halts_in_force(self.workspace) if self.workspace else []

    @property
    def is_halted(self) -> bool:
        """Whether a kill switch is on for the whole desk."""
        return any(halt.is_kill_switch for halt in self.halts)

    @cached_property
    def market(self) -> MarketDay:
        """The day of the market that the chosen accounts trade at: America's where all do there.

        Of replays it is the days that were played.
        """
        if self.scope.is_replay:
            return replayed_days(played_days(self.scope.accounts), now=self.now)
        if {account.currency for account in self.scope.accounts} == {"USD"}:
            return market_day(Exchange.NASDAQ, now=self.now)
        exchange = self._index_instruments[0].exchange if self._index_instruments else "NSE"
        return market_day(exchange, now=self.now)

    @cached_property
    def calendar_ends(self) -> list[CalendarEnd]:
        """The exchanges whose known days soon end, for those who can do something about it."""
        membership = getattr(self.request, "membership", None)
        if membership is None or membership.role not in MANAGING_ROLES:
            return []
        traded = {each.exchange for each in self._index_instruments} or {Exchange.NSE.value}
        return calendar_ends(traded, now=self.now)

    @cached_property
    def indices(self) -> list[WatchRow]:
        # What an index stands at now is not what it was when a replay was played.
        shown = [] if self.scope.is_replay else self._index_instruments
        return [self._row(instrument) for instrument in shown]

    @property
    def watchlists(self) -> list[Watchlist]:
        return self._watched.lists

    @property
    def watchlist(self) -> Watchlist | None:
        return self._watched.chosen

    @cached_property
    def watch_rows(self) -> list[WatchRow]:
        return [self._row(instrument, item_id) for item_id, instrument in self._watched.items]

    @cached_property
    def _watched(self) -> Watched:
        if self.user is None or self.workspace is None:
            return NOTHING_WATCHED
        chosen = self.request.session.get(WATCHLIST_KEY, "")
        return watched_by(self.user, self.workspace, name=chosen)

    @cached_property
    def _index_instruments(self) -> list[Instrument]:
        return index_instruments()

    @cached_property
    def quotes(self) -> dict[str, QuoteView]:
        shown = [*self._index_instruments, *(each for _, each in self._watched.items)]
        return quotes_of({instrument.key for instrument in shown} | self.also_quoted)

    def _row(self, instrument: Instrument, item_id: int | None = None) -> WatchRow:
        return WatchRow(instrument, self.quotes.get(instrument.key), item_id)


def shell(request: HttpRequest) -> dict[str, Shell]:
    """Put the shell into every template as ``shell``; the middleware made it for the request."""
    return {"shell": getattr(request, "shell", None) or Shell(request)}
