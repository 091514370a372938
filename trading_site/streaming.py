"""One pump per process reads the outbox and the quotes; every open page has a small mailbox.

A mailbox keeps the newest news of each kind and the newest price of each instrument, so a slow
reader misses intermediate steps, never the last one, and nothing grows without bound.
"""

import asyncio
import json
import logging
import uuid
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from django.db import DatabaseError, close_old_connections
from django.db.models import Max, Q
from django.utils import timezone
from redis.exceptions import RedisError

from market.quotes import QuoteView, quotes_of
from operations.models import Event
from portfolio.models import TradingSession

logger = logging.getLogger(__name__)
_TURN = 0.125  # seconds
_QUOTES_TURNS, _MARKS_TURNS = 2, 20
# A mark is stamped with its price's time, and is committed a little later.
_MARKS_LATE = timedelta(seconds=2)
_PAUSE_AFTER_ERROR = 1.0
_MOST_EVENTS = 1000
# Rows of concurrent transactions become visible out of order; so far back is looked again.
_OVERLAP = 200
_LOADING = timedelta(seconds=10)
_READER = ThreadPoolExecutor(1, thread_name_prefix="stream")


@dataclass(frozen=True, slots=True)
class News:
    """One outbox row: which part of whose pages changed; a workspace of None means everybody's."""

    id: int
    kind: str
    workspace_id: uuid.UUID | None
    subject_id: str


@dataclass(eq=False)
class Mailbox:
    """What one open page has not been sent yet."""

    workspace_id: uuid.UUID
    keys: frozenset[str]
    is_closed: bool = False
    _news: dict[str, News] = field(default_factory=dict)
    _quotes: dict[str, QuoteView] = field(default_factory=dict)
    _sent: dict[str, QuoteView] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def put_news(self, news: News) -> None:
        if news.workspace_id in (None, self.workspace_id):
            self._news[news.kind] = news
            self._wake.set()

    def put_quotes(self, quotes: Mapping[str, QuoteView]) -> None:
        changed = {
            key: quotes[key]
            for key in self.keys & quotes.keys()
            if quotes[key] != self._sent.get(key)
        }
        if changed:
            self._quotes |= changed
            self._wake.set()

    def close(self) -> None:
        """Let the page go: what is in the box is sent, and the stream ends."""
        self.is_closed = True
        self._wake.set()

    async def take(self, *, timeout: float) -> list[str]:
        """Wait for something to send and return it as messages; a ping when nothing came."""
        try:
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            return [": ping\n\n"]
        self._wake.clear()
        news, self._news = self._news, {}
        quotes, self._quotes = self._quotes, {}
        self._sent |= quotes
        messages = [_part(each) for each in sorted(news.values(), key=lambda each: each.id)]
        return [*messages, _prices(quotes)] if quotes else messages


class Hub:
    """The mailboxes of one event loop. The pump runs while there are any."""

    def __init__(self) -> None:
        self._mailboxes: set[Mailbox] = set()
        self._pump: asyncio.Task[None] | None = None
        self._newest: int | None = None
        self._marked_at: datetime | None = None
        self._seen: OrderedDict[int, None] = OrderedDict()

    async def join(self, mailbox: Mailbox, *, last_id: int | None) -> None:
        """Open a mailbox and put in the kinds that its page has missed: since the id it saw last,
        or of the seconds in which a new page was rendered and loaded.
        """
        for news in await _in_thread(_read_missed, mailbox.workspace_id, last_id):
            mailbox.put_news(news)
        self._mailboxes.add(mailbox)
        if self._pump is None or self._pump.done():
            self._newest = None
            self._pump = asyncio.create_task(self._run())

    def leave(self, mailbox: Mailbox) -> None:
        self._mailboxes.discard(mailbox)

    def close(self) -> None:
        for mailbox in self._mailboxes:
            mailbox.close()

    async def poll_news(self) -> None:
        """Read the outbox once and hand out what is new."""
        self._hand_out(await self._fresh_news())

    async def poll_quotes(self) -> None:
        """Read the quotes that any page shows."""
        keys = frozenset[str]().union(*(mailbox.keys for mailbox in self._mailboxes))
        quotes = await _in_thread(quotes_of, keys) if keys else {}
        for mailbox in self._mailboxes:
            mailbox.put_quotes(quotes)

    async def poll_marks(self) -> None:
        """Tell the desks whose positions have been valued anew; no outbox row is written of it."""
        since, self._marked_at = self._marked_at, timezone.now()
        if since is not None:
            marked = await _in_thread(_marked_desks, since - _MARKS_LATE)
            self._hand_out([News(self._newest or 0, "positions", desk, "") for desk in marked])

    def _hand_out(self, news: Collection[News]) -> None:
        for each in news:
            for mailbox in self._mailboxes:
                mailbox.put_news(each)

    async def _fresh_news(self) -> list[News]:
        is_start = self._newest is None
        since = await _in_thread(_newest_id) if self._newest is None else self._newest
        found = await _in_thread(_read_news, since - _OVERLAP)
        self._newest = max((since, *(news.id for news in found)))
        fresh = [news for news in found if self._is_fresh(news.id)]
        return [news for news in fresh if news.id > since] if is_start else fresh

    def _is_fresh(self, event_id: int) -> bool:
        if event_id in self._seen:
            return False
        self._seen[event_id] = None
        while len(self._seen) > 2 * _MOST_EVENTS:
            self._seen.popitem(last=False)
        return True

    async def _run(self) -> None:
        turns = count()
        while self._mailboxes:
            try:
                await self._turn(next(turns))
            except (DatabaseError, RedisError) as error:
                logger.warning("the stream cannot read: %s", error)
                await asyncio.sleep(_PAUSE_AFTER_ERROR)
            await asyncio.sleep(_TURN)

    async def _turn(self, number: int) -> None:
        await self.poll_news()
        if number % _QUOTES_TURNS == 0:
            await self.poll_quotes()
        if number % _MARKS_TURNS == 0:
            await self.poll_marks()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of the running loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())


def end_streams() -> None:
    """Let every open page of this process go, from any thread; a server does it before it stops."""
    for loop, each in list(_hubs.items()):
        loop.call_soon_threadsafe(each.close)


Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


async def _in_thread(
    read: Callable[Arguments, Answer], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Answer:
    """Read in the stream's own thread, so that no page waits behind it nor it behind a page."""

    def fresh_read() -> Answer:
        close_old_connections()
        try:
            return read(*args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_READER, fresh_read)


def _newest_id() -> int:
    return Event.objects.aggregate(newest=Max("pk"))["newest"] or 0


def _read_news(after: int) -> list[News]:
    rows = Event.objects.filter(pk__gt=after).order_by("pk")[:_MOST_EVENTS]
    return [News(*row) for row in rows.values_list("pk", "kind", "workspace_id", "subject_id")]


def _read_missed(workspace_id: uuid.UUID, last_id: int | None) -> list[News]:
    """The newest row of each kind that a page has not seen."""
    mine = Event.objects.filter(Q(workspace_id=workspace_id) | Q(workspace_id=None))
    if last_id is None:
        missed = mine.filter(created_at__gte=timezone.now() - _LOADING)
    else:
        missed = mine.filter(pk__gt=last_id)
    newest = missed.order_by().values("kind").annotate(newest=Max("pk"))
    return [News(row["newest"], row["kind"], workspace_id, "") for row in newest]


def _marked_desks(since: datetime) -> list[uuid.UUID]:
    sessions = TradingSession.objects.filter(marked_at__gt=since).order_by()
    return list(sessions.values_list("workspace_id", flat=True).distinct())


def _part(news: News) -> str:
    data = json.dumps({"kind": news.kind, "id": news.subject_id})
    return f"id: {news.id}\nevent: part\ndata: {data}\n\n"


def _prices(quotes: Mapping[str, QuoteView]) -> str:
    cells = {key: _cell(quote) for key, quote in sorted(quotes.items())}
    return f"event: quotes\ndata: {json.dumps(cells)}\n\n"


def _cell(quote: QuoteView) -> dict[str, str | int | None]:
    return {
        "p": str(quote.ltp),
        "c": _text(quote.change),
        "cp": None if quote.change_percent is None else f"{quote.change_percent:.2f}",
        "t": quote.as_of.isoformat(),
        "high": str(quote.high),
        "low": str(quote.low),
        "bid": _text(quote.bid),
        "ask": _text(quote.ask),
        "bid_quantity": quote.bid_quantity,
        "ask_quantity": quote.ask_quantity,
        "volume": quote.volume,
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
