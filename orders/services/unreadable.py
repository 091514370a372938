"""What becomes of rows that cannot be read: each costs its order or its instrument, and no more."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from brokers.models import TradingAccount
from brokers.rows import UnreadableRow as Row
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.models import ErrorLog, Severity
from orders.days import sent_at
from orders.lifecycle import lose_row
from orders.models import EventSource, Order
from orders.services.sending import locked_order
from orders.services.settling import next_look
from orders.services.transitions import Note, add_event, snapshot_of, take_snapshot, tell_of
from portfolio.models import RowKind, UnreadableRow
from portfolio.services import lock_account

Rows = Mapping[RowKind, Sequence[Row]]
_LOSING = (
    "status",
    "previous_status",
    "closed_at",
    "settle_after",
    "broker_order_id",
    "event_count",
    "updated_at",
)


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The instruments of rows that cannot be read; ``everywhere`` where one names none."""

    keys: frozenset[str] = frozenset()
    everywhere: bool = False

    def covers(self, key: str) -> bool:
        return self.everywhere or key in self.keys


@transaction.atomic
def lose_unreadable_orders(
    account: TradingAccount, rows: Sequence[Row], *, missing: Iterable[Order], now: datetime
) -> list[Row]:
    """Call unknown the orders that rows of the book are of; return the rows that are of none.

    A cancel or a change that was asked for goes on; the order is as unknown beneath it.

    A row that names no order may be of any that is ``missing`` from the book.
    """
    lock_account(account)
    left = []
    nameless = [row for row in rows if not row.order_id and not row.tag]
    for row in rows:
        if row in nameless:
            continue
        order = _order_of(account, row)
        if order is None or order.state.is_final:
            left.append(row)
        else:
            _lose(order, row, now=now)
    lost = [_lose(order, row, now=now) for row in nameless[:1] for order in missing]
    return left if lost else [*left, *nameless]


@transaction.atomic
def note_unreadable(account: TradingAccount, rows: Rows, *, now: datetime) -> Uncertain:
    """Keep the rows of these kinds that cannot be read, and forget those that can be by now.

    Each is told once to the account's owner.
    """
    lock_account(account)
    known = {
        (each.kind, each.name): each
        for each in UnreadableRow.objects.filter(account=account, kind__in=rows)
    }
    found = [_noted(account, kind, row, now=now) for kind, each in rows.items() for row in each]
    names = {(each.kind, each.name) for each in found}
    gone = [each.pk for place, each in known.items() if place not in names]
    UnreadableRow.objects.filter(pk__in=gone).delete()
    new = {(each.kind, each.name): each for each in found if (each.kind, each.name) not in known}
    seen = [each.pk for place, each in known.items() if place in names]
    UnreadableRow.objects.filter(pk__in=seen).update(last_seen_at=now)
    UnreadableRow.objects.bulk_create(new.values())
    if new:
        _tell(account, list(new.values()), now=now)
    return Uncertain(
        frozenset(each.instrument_key for each in found if each.instrument_key),
        any(not each.instrument_key for each in found),
    )


def _order_of(account: TradingAccount, row: Row) -> Order | None:
    mine = Order.objects.filter(account=account).select_related("instrument")
    by_number = mine.filter(broker_order_id=row.order_id) if row.order_id else mine.none()
    by_tag = mine.filter(tag=row.tag) if row.tag else mine.none()
    return by_number.first() or by_tag.first()


def _lose(order: Order, row: Row, *, now: datetime) -> bool:
    """Call an order unknown that the broker has and whose row cannot be read; told once."""
    held = locked_order(order.pk)
    held.broker_order_id = held.broker_order_id or row.order_id
    before = held.status
    if held.is_unknown or not held.state.is_working:
        if held.is_unknown:
            held.save(update_fields=["broker_order_id", "updated_at"])
        return True
    words = f"{row.words}: nobody knows how much of it is filled, or whether it works"
    take_snapshot(held, lose_row(snapshot_of(held)), at=now, now=now)
    held.settle_after = next_look(sent_at(held), now=now)
    add_event(
        held,
        note=Note("UNREADABLE", EventSource.RECONCILE, now, words),
        from_status=before,
        now=now,
    )
    held.save(update_fields=_LOSING)
    _alarm_order(held, words, now=now)
    return True


def _alarm_order(order: Order, words: str, *, now: datetime) -> None:
    symbol = order.instrument.trading_symbol
    ErrorLog.objects.create(
        error_type="OrderUnreadable",
        message=f"{order.account.name}: order {order.broker_order_id} in {symbol}. {words}",
        severity=Severity.CRITICAL,
        related_account_id=order.account_id,
        related_order_id=order.pk,
    )
    tell_of(
        order,
        "The broker's row of an order cannot be read",
        f"{words}. Look order {order.broker_order_id} up in the broker's own app. {symbol} takes "
        "exits only there until it can be read; everything else goes on.",
        now=now,
        level=AlertLevel.CRITICAL,
    )


def _noted(account: TradingAccount, kind: RowKind, row: Row, *, now: datetime) -> UnreadableRow:
    order = _order_of(account, row) if kind in (RowKind.ORDER, RowKind.TRADE) else None
    key = order.instrument.key if order else row.instrument_key
    return UnreadableRow(
        account=account,
        kind=kind,
        name=row.name[:250],
        instrument_key=key[:120],
        # Whatever the broker says of it, an order that has ended adds to nothing.
        holds_entries=kind is not RowKind.ORDER or order is None,
        words=row.words,
        first_seen_at=now,
        last_seen_at=now,
    )


def _tell(account: TradingAccount, rows: Sequence[UnreadableRow], *, now: datetime) -> None:
    told = "; ".join(f"{each}. {each.words}" for each in rows)
    ErrorLog.objects.create(
        error_type="RowUnreadable",
        message=f"{account.name}: {told}",
        severity=Severity.CRITICAL,
        related_account_id=account.pk,
    )
    nameless = any(not each.instrument_key for each in rows)
    where = "The account" if nameless else "What it is of"
    notify(
        account.connection.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=f"What the broker lists of {account.name} cannot all be read",
        message=f"{told}. {where} takes exits only until it can be read; the rest goes on.",
        now=now,
        workspace=account.workspace,
    )
