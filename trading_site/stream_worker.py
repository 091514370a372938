"""What the house does with the news of one broker's stream: rows, orders, prices, logins.

Order news goes the way of every report; prices go through the market pipeline. A stream that
comes back after having been away may have missed something, so its accounts are reconciled.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db import DatabaseError, connections

from brokers.gateway import BrokerStatus, OrderReport
from brokers.models import (
    BrokerConnection,
    ProcessingStatus,
    StreamMessage,
    StreamStatus,
    TradingAccount,
)
from brokers.registry import Clock
from brokers.sessions import expire_session
from brokers.streaming.inbox import (
    Doubt,
    HeardOrders,
    HeardState,
    HeardWords,
    Inbox,
    Mail,
)
from brokers.streaming.protocol import StreamKind
from brokers.streaming.recording import StreamBook
from market.feeds import TickBatch
from operations.errors import record_error
from orders.models import EventSource
from orders.nudging import nudge_reconciling
from orders.services.reporting import apply_updates
from trading_site.live import AHEAD, MarketPipeline

logger = logging.getLogger(__name__)
_ENDS = (BrokerStatus.FILLED, BrokerStatus.CANCELLED, BrokerStatus.REJECTED, BrokerStatus.EXPIRED)
_TAKE_WITHIN = 1.0


@dataclass
class StreamWorker:
    """Takes one stream's mail and does with it what the house does with such news."""

    connection: BrokerConnection
    kind: StreamKind
    clock: Clock
    inbox: Inbox = field(default_factory=Inbox)

    def __post_init__(self) -> None:
        # Logins that were refused at the door, and about which a call has been asked to tell.
        self._doubted: set[str] = set()
        self._is_behind = False
        self._book = StreamBook(self.connection, self.kind, clock=self.clock)
        self._pipeline = MarketPipeline()

    def run(self, stopped: threading.Event) -> None:
        """Work until stopped; what fails is written down, and a reconciliation makes it good."""
        self._attempt(self._book.begin)
        while not stopped.is_set():
            mail = self.inbox.take(timeout=_TAKE_WITHIN)
            if not self._attempt(partial(self.work_off, mail)) and mail.heard:
                self._attempt(self._reconcile)
            # There are more streams in a house than connections in its pool.
            connections.close_all()
        self._attempt(lambda: self.work_off(self.inbox.take(timeout=0)))
        self._attempt(self._book.close)
        connections.close_all()

    def work_off(self, mail: Mail) -> None:
        for state in mail.heard:
            if isinstance(state, HeardState):
                self._take_state(state)
            elif isinstance(state, HeardWords):
                self._book.note_words(state)
        if self.kind is StreamKind.ORDERS and _has_trouble(mail):
            # What could not be read may have been a fill.
            self._reconcile()
        orders = [each for each in mail.heard if isinstance(each, HeardOrders)]
        if orders:
            self._take_orders(orders)
        if self.kind is StreamKind.MARKET:
            # Also without a price: candles are closed by time.
            batch = TickBatch(self.clock(), tuple(mail.ticks))
            self._pipeline.process(batch)
            self._tell_clock(batch)
        self._book.note_alive(mail.alive)

    def _take_state(self, state: HeardState) -> None:
        came_back = self._book.note_state(state)
        if state.doubt is Doubt.OVER:
            # Read anew: what is written with it must not undo what others have changed since.
            held = BrokerConnection.objects.get(pk=self.connection.pk)
            expire_session(held, words=state.words, now=self.clock(), session=state.session)
        if self._is_newly_doubted(state) or (came_back and self.kind is StreamKind.ORDERS):
            self._reconcile()

    def _is_newly_doubted(self, state: HeardState) -> bool:
        """Tell it once of a login, whatever ended the sockets before, and anew once it was good."""
        if state.status is StreamStatus.CONNECTED:
            self._doubted.discard(state.session)
        is_new = state.doubt is Doubt.REFUSED and state.session not in self._doubted
        if is_new:
            self._doubted.add(state.session)
        return is_new

    def _take_orders(self, heard: Sequence[HeardOrders]) -> None:
        messages = self._book.note_messages(heard)
        now = self.clock()
        for account in self._accounts():
            apply_updates(
                account,
                orders=newest(report for each in heard for report in each.news.orders),
                trades=[trade for each in heard for trade in each.news.trades],
                source=EventSource.WEBSOCKET,
                now=now,
            )
        StreamMessage.objects.filter(pk__in=[each.pk for each in messages]).update(
            processing_status=ProcessingStatus.PROCESSED
        )
        if any(report.status in _ENDS for each in heard for report in each.news.orders):
            # What has ended has moved money, and only a reading tells how much is free now.
            self._reconcile()

    def _tell_clock(self, batch: TickBatch) -> None:
        """Say on the stream's row that its prices are of a time to come, so that none is used."""
        if not batch.ticks:
            return
        ahead = min(each.at for each in batch.ticks) - batch.at
        if (is_behind := ahead > AHEAD) != self._is_behind:
            self._is_behind = is_behind
            seconds = round(ahead.total_seconds())
            words = f"This machine's clock is {seconds} s behind the broker's: no price is used"
            self._book.note_words(HeardWords(0, f"{words}. Set it" if is_behind else ""))

    def _reconcile(self) -> None:
        for account in self._accounts():
            nudge_reconciling(account.pk)

    def _accounts(self) -> list[TradingAccount]:
        accounts = TradingAccount.objects.filter(connection=self.connection, is_active=True)
        return list(accounts.select_related("connection__user", "workspace"))

    def _attempt(self, act: Callable[[], object]) -> bool:
        """Tell whether it went well; what did not is written down and the stream goes on."""
        try:
            act()
        except Exception as error:
            logger.exception("a broker's stream could not be worked off")
            self._write_down(error)
            return False
        return True

    def _write_down(self, error: Exception) -> None:
        try:
            record_error(error, context={"stage": "stream", "connection": self.connection.alias})
        except DatabaseError:
            logger.exception("the error log cannot be written either")


def _has_trouble(mail: Mail) -> bool:
    return any(isinstance(each, HeardWords) and each.words for each in mail.heard)


def newest(reports: Iterable[OrderReport]) -> list[OrderReport]:
    """Leave out what another report of the same order and status says more of.

    Reports are cumulative, so a burst about one order is as good as its last word in each status.
    """
    kept: dict[tuple[str, str], OrderReport] = {}
    for report in reports:
        name = (report.broker_order_id, report.status)
        before = kept.get(name)
        if before is None or _rank(report) >= _rank(before):
            kept[name] = report
    return list(kept.values())


def _rank(report: OrderReport) -> tuple[int, int, datetime]:
    return (report.filled_quantity, report.sequence, report.updated_at)
