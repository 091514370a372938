"""The way of a price through the house: quotes, candles, fills, strategies, marks, rules, exits.

One pipeline serves the live market and a replay. Live, orders leave through workers and one
account's failure does not stop the others. A replay names its accounts, lives by the time of its
batches, sends its orders itself and fails at the first error, so that its figures can be trusted.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import DatabaseError

from brokers.gateway import AccountUpdate, QuoteTick
from brokers.models import TradingAccount
from brokers.registry import paper_exchange
from market.building import CandleBuilder, ClosedBar
from market.feeds import TickBatch
from market.models import Instrument, Interval
from market.quotes import write_quotes
from market.store import StoredBar, write_bars
from operations.errors import record_error
from orders.models import EventSource, Order
from orders.nudging import without_nudges
from orders.services.commanding import advance_order
from orders.services.reporting import apply_updates
from orders.states import OrderStatus
from portfolio.models import SessionStatus, TradingSession
from portfolio.services import close_session
from portfolio.services.practice import refresh_practice_funds
from portfolio.trading_days import account_day
from strategies.evaluation import HOUSE, Evaluator, on_candles_closed
from trading_site.watching import exposed_accounts, watch_account

logger = logging.getLogger(__name__)
_BEYOND_ANY_PRICE = 10_000_000_000
AHEAD = timedelta(seconds=5)  # that a feed's clock may be
_WAITING = (OrderStatus.PENDING, OrderStatus.CANCEL_PENDING, OrderStatus.MODIFY_PENDING)


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """``intervals`` are the candles to build; ``marked_every`` is how often accounts are valued.

    An evaluator with accounts makes the pipeline a replay of these accounts.
    """

    evaluator: Evaluator = HOUSE
    intervals: tuple[Interval, ...] = (Interval.M1,)
    marked_every: timedelta = timedelta(seconds=2)

    @property
    def replayed(self) -> tuple[TradingAccount, ...] | None:
        return self.evaluator.accounts


class MarketPipeline:
    def __init__(self, settings: PipelineSettings | None = None) -> None:
        self._settings = settings or PipelineSettings()
        self._replayed = self._settings.replayed
        self._replayed_ids = (
            None if self._replayed is None else [account.pk for account in self._replayed]
        )
        self._waiting = (
            Order.objects.filter(
                account__in=self._replayed_ids or (), status__in=_WAITING, command_sent_at=None
            )
            .order_by("created_at", "pk")
            .values_list("pk", flat=True)
        )
        self._paper = paper_exchange()
        self._candles = CandleBuilder(self._settings.intervals)
        self._marked_at: datetime | None = None
        self._days: dict[UUID, date] = {}

    def process(self, batch: TickBatch) -> None:
        """Take one batch all the way. Batches come in the order of time."""
        with ExitStack() as stack:
            if self._replayed is not None:
                stack.enter_context(without_nudges())
            self._process(sound(batch))

    def finish(self, at: datetime) -> None:
        """End a replay: close the sessions that it has opened."""
        for account in self._replayed or ():
            _close_sessions(account, until=account_day(account, at), now=at)

    def _process(self, batch: TickBatch) -> None:
        self._roll_day(batch.at)
        self._attempt("quotes", partial(write_quotes, batch.ticks))
        closed = self._candles.add(batch)
        if closed and self._replayed is None:
            self._attempt("candles", partial(store_candles, closed))
        touched = self._trade_on_paper(batch)
        evaluate = partial(
            on_candles_closed, closed, now=batch.at, evaluator=self._settings.evaluator
        )
        self._attempt("strategies", evaluate)
        self._watch(touched, batch.at)
        if self._replayed is not None:
            self._send_waiting(batch.at)

    def _send_waiting(self, at: datetime) -> None:
        """Do what a worker would do, by the replay's clock."""
        for order_id in list(self._waiting.all()):
            advance_order(order_id, clock=lambda: at)

    def _trade_on_paper(self, batch: TickBatch) -> set[UUID]:
        """Fill what the prices fill, take the reports in; return the accounts that traded."""
        updates: list[AccountUpdate] = []
        self._attempt("paper matching", partial(self._match, batch, updates))
        self._attempt("paper clock", partial(self._pass_time, batch.at, updates))
        accounts = _accounts_of(updates)
        for update in updates:
            account = accounts[update.account_id]
            self._attempt("paper reports", partial(_take_in, account, update, at=batch.at), account)
        traded = {update.account_id for update in updates if update.trades}
        for account_id in sorted(traded):
            account = accounts[account_id]
            refresh = partial(refresh_practice_funds, account, now=batch.at)
            self._attempt("paper funds", refresh, account)
        return traded

    def _match(self, batch: TickBatch, updates: list[AccountUpdate]) -> None:
        updates += self._paper.match(batch.ticks, at=batch.at, accounts=self._replayed_ids)

    def _pass_time(self, at: datetime, updates: list[AccountUpdate]) -> None:
        updates += self._paper.advance(at=at, accounts=self._replayed_ids)

    def _watch(self, touched: set[UUID], at: datetime) -> None:
        """Mark at the set pace, and at once where something has just filled."""
        is_due = self._marked_at is None or at - self._marked_at >= self._settings.marked_every
        if is_due:
            self._marked_at = at
        if self._replayed is not None:
            self._watch_replayed(touched, at, is_due=is_due)
            return
        watched = exposed_accounts() if is_due else []
        missing = touched - {account.pk for account in watched}
        filled = TradingAccount.objects.filter(pk__in=missing).select_related("connection")
        for account in [*watched, *(filled.order_by("pk") if missing else ())]:
            self._attempt("marks and rules", partial(watch_account, account, now=at), account)

    def _watch_replayed(self, touched: set[UUID], at: datetime, *, is_due: bool) -> None:
        for account in self._replayed or ():
            is_traded = account.pk in touched
            if is_due or is_traded:
                watch_account(account, now=at, is_traded=is_traded)

    def _roll_day(self, at: datetime) -> None:
        """End a replayed account's sessions when its next day begins."""
        for account in self._replayed or ():
            today, before = account_day(account, at), self._days.get(account.pk)
            if before is not None and today > before:
                _close_sessions(account, until=before, now=at)
            self._days[account.pk] = today

    def _attempt(
        self, stage: str, act: Callable[[], object], account: TradingAccount | None = None
    ) -> None:
        """Do one stage. Live, its failure is written down and the rest goes on."""
        if self._replayed is not None:
            act()
            return
        try:
            act()
        except Exception as error:
            logger.exception("pipeline stage failed: %s", stage)
            _write_down(error, stage=stage, account=account)


def sound(batch: TickBatch) -> TickBatch:
    """Leave out what cannot be a price of now, so that it spoils neither the others nor the day."""
    ticks = tuple(tick for tick in batch.ticks if _is_sound(tick, batch.at))
    if len(ticks) < len(batch.ticks):
        logger.warning("%d unsound ticks left out at %s", len(batch.ticks) - len(ticks), batch.at)
    return TickBatch(batch.at, ticks)


def _is_sound(tick: QuoteTick, now: datetime) -> bool:
    return tick.ltp.is_finite() and 0 < tick.ltp < _BEYOND_ANY_PRICE and tick.at <= now + AHEAD


def store_candles(closed: Sequence[ClosedBar]) -> None:
    """Write the candles of known instruments."""
    keys = {each.key for each in closed}
    identities = dict(Instrument.objects.filter(key__in=keys).values_list("key", "pk"))
    write_bars(
        StoredBar(identities[each.key], each.interval, each.bar)
        for each in closed
        if each.key in identities
    )


def _accounts_of(updates: Collection[AccountUpdate]) -> dict[UUID, TradingAccount]:
    if not updates:
        return {}
    accounts = TradingAccount.objects.select_related("connection", "workspace")
    return accounts.in_bulk({update.account_id for update in updates})


def _take_in(account: TradingAccount, update: AccountUpdate, *, at: datetime) -> None:
    apply_updates(
        account, orders=update.orders, trades=update.trades, source=EventSource.WEBSOCKET, now=at
    )


def _close_sessions(account: TradingAccount, *, until: date, now: datetime) -> None:
    ended = TradingSession.objects.filter(
        account=account, status=SessionStatus.ACTIVE, session_date__lte=until
    )
    for day in list(ended.values_list("session_date", flat=True)):
        close_session(account, session_date=day, now=now)


def _write_down(error: Exception, *, stage: str, account: TradingAccount | None) -> None:
    try:
        record_error(error, context={"stage": stage}, account_id=account.pk if account else None)
    except DatabaseError:
        logger.exception("the error log cannot be written either")
