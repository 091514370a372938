"""Reconcile an account: its orders, trades and positions here must be those at its broker."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q

from brokers.gateway import (
    AnswerUnreadable,
    Gateway,
    GatewayUnavailable,
    HoldingReport,
    OrderReport,
    PositionReport,
    TradeReport,
)
from brokers.models import TradingAccount
from brokers.registry import Clock, gateway_for
from brokers.rows import Listed, UnreadableRow, unreadable_in
from operations.errors import contained
from operations.figures import rupees
from operations.models import ErrorLog, Severity
from orders.days import has_outlasted
from orders.differences import Holdings, Reading, compare
from orders.models import EventSource, Order
from orders.models.orders import OrderQuerySet
from orders.services.concluding import Found, conclude_live, conclude_paper
from orders.services.differing import (
    day_trades,
    expired_among,
    our_holdings,
    pending_credits,
    unbooked_orders,
)
from orders.services.ending import end_missing, note_outlasting
from orders.services.missing import note_missing
from orders.services.parking import tell_unclaimed
from orders.services.reporting import apply_updates
from orders.services.unanswered import settle_commands
from orders.services.unreadable import lose_unreadable_orders, note_unreadable
from orders.soundness import ReportUnsound, believable, check_holding, sound_report
from portfolio.models import PositionDifference, RowKind
from portfolio.models import UnreadableRow as UnreadableHere
from portfolio.services import FundsUnbelievable, refresh_funds

# A worker that has been at one account for that long has died; if not, two at it do no harm.
LONGEST_TURN = timedelta(seconds=45)

_Row = TypeVar("_Row", OrderReport, TradeReport, PositionReport, HoldingReport)
_NAMES = ("broker_order_id", "trade_id", "instrument_key")


class BookNotWhole(Exception):
    """The broker's book lacks an order that is known to be working there."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What came of it, differences in words; ``is_complete`` is False when a read failed."""

    is_complete: bool
    differences: tuple[str, ...] = field(default_factory=tuple)

    @property
    def agrees(self) -> bool:
        return self.is_complete and not self.differences


def reconcile_account(account: TradingAccount, *, clock: Clock) -> Reconciliation:
    """Read the account's book at its broker, apply it, and compare the positions.

    A failed read proves nothing and changes nothing, and so does a book that lacks what is known
    to be in it; a difference in positions is read twice at once, so that a fill between two reads
    is none. A paper account with a difference opens no positions. A live one that has agreed today
    opens none where it differs, until the difference is gone or believed and adopted.
    """
    gateway = gateway_for(account, clock=clock)
    try:
        found = read_account(account, gateway, clock=clock)
        _refresh_funds(account, gateway, clock=clock)
    except (GatewayUnavailable, BookNotWhole, ReportUnsound) as error:
        _record_failure(account, str(error))
        return Reconciliation(is_complete=False)
    tell_unclaimed(account, now=clock())
    conclude = conclude_paper if account.is_paper else conclude_live
    differences = conclude(account, found, now=clock())
    return Reconciliation(is_complete=True, differences=(*differences, *found.unreadable))


def read_account(account: TradingAccount, gateway: Gateway, *, clock: Clock) -> Found:
    """Read the account's book, apply it and compare; what differs is read twice at once.

    :raises GatewayUnavailable: when a read failed; it proves nothing.
    :raises BookNotWhole: when the book lacks an order that is known to be working there.
    """
    found = _read_and_compare(account, gateway, clock=clock)
    return _read_and_compare(account, gateway, clock=clock) if found.differences else found


def _refresh_funds(account: TradingAccount, gateway: Gateway, *, clock: Clock) -> None:
    """Read the money; what cannot be believed of it costs the money alone, which grows old.

    :raises GatewayUnavailable: when there was no answer.
    """
    # As of before it is asked: what is handed over meanwhile may not be in it.
    asked_at = clock()
    try:
        refresh_funds(account, gateway.funds(), now=asked_at)
    except (AnswerUnreadable, FundsUnbelievable) as error:
        _record_failure(account, str(error))


def accounts_due(*, now: datetime) -> list[uuid.UUID]:
    """Name the active accounts on the house's clock to reconcile now.

    Those with orders under way, positions that differ or rows that cannot be read, and those that
    have not agreed with their broker for a while.
    """
    quiet = timedelta(seconds=settings.RECONCILE_QUIET_SECONDS)
    is_busy = Exists(Order.objects.alive().filter(account=OuterRef("pk")))
    is_old = Q(reconciled_at=None) | Q(reconciled_at__lte=now - quiet)
    differs = Exists(PositionDifference.objects.open().filter(account=OuterRef("pk")))
    unread = Exists(UnreadableHere.objects.filter(account=OuterRef("pk")))
    due = Q(is_busy) | Q(differs) | Q(unread) | is_old
    accounts = TradingAccount.objects.filter(due, is_active=True, own_clock=False)
    return list(accounts.order_by("pk").values_list("pk", flat=True))


def reconcile_due(account_id: uuid.UUID, *, clock: Clock) -> Reconciliation | None:
    """Reconcile one account, unless another worker is at it; None then, and when it failed."""
    turn = f"reconciling:{account_id}"
    if not cache.add(turn, True, timeout=LONGEST_TURN.total_seconds()):
        return None
    try:
        accounts = TradingAccount.objects.select_related("connection__user", "workspace")
        with contained("reconciling an account", account_id=account_id):
            return reconcile_account(accounts.get(pk=account_id), clock=clock)
    finally:
        cache.delete(turn)
    return None


def _read_and_compare(account: TradingAccount, gateway: Gateway, *, clock: Clock) -> Found:
    now = clock()
    orders = _read_orders(account, gateway, now=now)
    # What is told from here on is as old as this moment, however long it takes.
    read_at = clock()
    positions = believable(_askable(gateway.positions()), check_holding)
    holdings = believable(_askable(gateway.holdings()), check_holding)
    unread = {
        RowKind.ORDER: orders.strange,
        RowKind.TRADE: orders.trades.unreadable,
        RowKind.POSITION: positions.unreadable,
        RowKind.HOLDING: holdings.unreadable,
    }
    uncertain = note_unreadable(account, unread, now=now)
    ours = our_holdings(account)
    reading = Reading(
        read_at=read_at,
        ours=ours,
        positions=positions,
        holdings=holdings,
        traded=day_trades(account, orders.trades, now=now),
        expired=expired_among(_named(ours, positions), now=now),
        uncertain=uncertain.covers,
        pending=pending_credits(account, positions, holdings, now=now),
    )
    rows = {**unread, RowKind.ORDER: orders.unreadable}
    unreadable = tuple(f"{each.name}: {each.words}" for kind in rows.values() for each in kind)
    unbooked = _unbooked(account, now=now)
    return Found(reading, tuple(orders.trades), tuple(compare(reading)), unbooked, unreadable)


def _named(ours: Holdings, positions: Sequence[PositionReport]) -> set[str]:
    """The instruments that either side names."""
    return {key for key, _ in ours} | {row.instrument_key for row in positions}


@dataclass(frozen=True, slots=True)
class _Orders:
    """A book that was taken in: its trades, its unreadable rows, and those of no order here."""

    trades: Listed[TradeReport]
    unreadable: Sequence[UnreadableRow]
    strange: Sequence[UnreadableRow]


def _read_orders(account: TradingAccount, gateway: Gateway, *, now: datetime) -> _Orders:
    """Read the book and take it in.

    :raises BookNotWhole: when it lacks an order that is known to be working there.
    """
    expected = _known_to_work(account)
    told = believable(gateway.orders(), partial(sound_report, now=now))
    trades = gateway.trades()
    apply_updates(account, orders=told, trades=trades, source=EventSource.RECONCILE, now=now)
    strange = _lose_unreadable(account, told, expected, now=now)
    book = _askable(told)
    _check_whole(account, book, expected, now=now)
    settle_commands(account, book, now=now)
    end_missing(_missing(account, book), now=now)
    return _Orders(_askable(trades), told.unreadable, strange)


def _lose_unreadable(
    account: TradingAccount,
    book: Listed[OrderReport],
    expected: Collection[uuid.UUID],
    *,
    now: datetime,
) -> Sequence[UnreadableRow]:
    """Call the orders of unreadable rows unknown; return the rows that are of no order here."""
    if not book.unreadable:
        return ()
    named = {row.order_id for row in book.unreadable}
    missing = [
        order
        for order in _missing(account, book)
        if order.pk in expected
        and order.broker_order_id not in named
        and not has_outlasted(order, now=now)
    ]
    return lose_unreadable_orders(account, book.unreadable, missing=missing, now=now)


def _askable(rows: Sequence[_Row]) -> Listed[_Row]:
    """Leave out what no database can even ask for; an order or a trade has had its alarm."""
    kept = (row for row in rows if not any("\x00" in getattr(row, name, "") for name in _NAMES))
    return Listed(kept, unreadable=unreadable_in(rows))


def _known_to_work(account: TradingAccount) -> frozenset[uuid.UUID]:
    """Name what was sent and taken before the book is read: what is taken meanwhile may be missing
    from it.
    """
    sent = Order.objects.filter(account=account, submitted_at__isnull=False).working()
    return frozenset(sent.values_list("pk", flat=True))


def _check_whole(
    account: TradingAccount,
    book: Sequence[OrderReport],
    expected: Collection[uuid.UUID],
    *,
    now: datetime,
) -> None:
    """Refuse a book without an order of today that works there: it ends nothing, proves nothing.

    ``expected`` are those that worked there before it was read. Orders that have outlasted their
    day are missing from every book, see :func:`end_missing`. One that has been missing for good
    has been told of, and the rest of the account goes on without it.

    :raises BookNotWhole: naming what it lacks.
    """
    listed = {report.broker_order_id for report in book}
    note_outlasting(account, listed, now=now)
    readable = _missing(account, book).expected_in_book()
    missing = [order for order in readable if order.pk in expected]
    today = [order for order in missing if not has_outlasted(order, now=now)]
    waiting = note_missing(account, today, listed=listed, now=now)
    if waiting:
        awaited = ", ".join(order.broker_order_id for order in waiting)
        raise BookNotWhole(f"The broker's book lacks {awaited}, known to be working there")


def _missing(account: TradingAccount, book: Sequence[OrderReport]) -> OrderQuerySet:
    listed = {report.broker_order_id for report in book}
    working = Order.objects.filter(account=account).working()
    related = ("instrument", "account__connection", "user", "workspace")
    return working.exclude(broker_order_id__in=listed).select_related(*related)


def _unbooked(account: TradingAccount, *, now: datetime) -> tuple[str, ...]:
    """Name the orders that the broker calls filled without having told of their trades."""
    return tuple(
        f"{order.broker_order_id}: {rupees(order.filled_quantity, 0)} filled, "
        f"{rupees(order.traded_quantity, 0)} in its trades"
        for order in unbooked_orders(account, now=now)
    )


def _record_failure(account: TradingAccount, words: str) -> None:
    ErrorLog.objects.create(
        error_type="ReconciliationIncomplete",
        message=f"{account.name}: {words}",
        severity=Severity.WARNING,
        related_account_id=account.pk,
    )
