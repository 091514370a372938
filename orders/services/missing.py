"""Orders that work at the broker and that its book does not list."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from brokers.models import TradingAccount
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.figures import ist_minute
from operations.models import ErrorLog, Severity
from orders.models import EventSource, MissingOrder, Order
from orders.services.sending import locked_order
from orders.services.transitions import Note, add_event
from portfolio.services import lock_account

# So long and so often must a book lack an order before it is taken for missing for good.
MISSING_FOR = timedelta(minutes=5)
MISSING_READINGS = 5


@transaction.atomic
def note_missing(
    account: TradingAccount, missing: Iterable[Order], *, listed: Collection[str], now: datetime
) -> list[Order]:
    """Count one reading of a book without these orders of today; return those to wait for.

    One that has been missing for good has its owner told, once, and is waited for no longer:
    entries in its instrument stop until it is settled, and the rest of the account goes on. One
    that is neither missing today nor ``listed`` has outlasted its day, and stays missing.
    """
    lock_account(account)
    missing = list(missing)
    rows = {
        row.order_id: row
        for row in MissingOrder.objects.filter(order__account=account).select_related("order")
    }
    for row in rows.values():
        if row.order.broker_order_id in listed or not row.order.state.is_working:
            _is_back(row, now=now)
    return [order for order in missing if not _count(order, rows.get(order.pk), now=now)]


def _count(order: Order, row: MissingOrder | None, *, now: datetime) -> bool:
    """Count one reading without the order; tell whether it is missing for good."""
    if row is None:
        MissingOrder.objects.create(order=order, since=now)
        return False
    MissingOrder.objects.filter(pk=row.pk).update(readings=F("readings") + 1)
    if row.told_at is not None:
        return True
    if row.readings + 1 < MISSING_READINGS or now - row.since < MISSING_FOR:
        return False
    MissingOrder.objects.filter(pk=row.pk).update(told_at=now)
    _tell(order, since=row.since, now=now)
    return True


def _is_back(row: MissingOrder, *, now: datetime) -> None:
    """The book lists it again, or it works no more, as far as anybody knows."""
    if row.told_at is not None and row.order.state.is_working:
        _write_event(row.order, "BACK_IN_BOOK", "The broker's book lists it again", now=now)
    row.delete()


def _tell(order: Order, *, since: datetime, now: datetime) -> None:
    words = f"Not in the broker's book since {ist_minute(since)}"
    _write_event(order, "NOT_IN_BOOK", f"{words}: it may be live all the same", now=now)
    symbol = order.instrument.trading_symbol
    ErrorLog.objects.create(
        error_type="OrderMissing",
        message=f"{order.account.name}: order {order.broker_order_id} in {symbol}. {words}",
        severity=Severity.CRITICAL,
        related_account_id=order.account_id,
        related_order_id=order.pk,
    )
    notify(
        order.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=f"The broker does not list an order any more: {symbol}",
        message=(
            f"{words}: order {order.broker_order_id} in {order.account.name}. It may be live all "
            f"the same: look it up at the broker. Until it is settled {symbol} takes exits only."
        ),
        now=now,
        workspace=order.workspace,
        data={"order": str(order.pk)},
    )


def _write_event(order: Order, kind: str, words: str, *, now: datetime) -> None:
    held = locked_order(order.pk)
    note = Note(kind, EventSource.RECONCILE, now, words)
    add_event(held, note=note, from_status=held.status, now=now)
    held.save(update_fields=["event_count"])
