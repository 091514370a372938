"""The end of the day: no order ends by a guess or stays unknown in silence.

A broker's book is for the day, so afterwards it can tell of no order any more.
"""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction

from brokers.models import TradingAccount
from brokers.registry import Clock
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.errors import contained
from operations.figures import rupees
from operations.models import ErrorLog, Severity
from orders.days import can_be_in_book, has_outlasted, is_session_over, sent_at, session_of
from orders.lifecycle import end_of_day, lose_sight
from orders.models import EventSource, Order, OrderSource
from orders.services.sending import locked_order
from orders.services.settling import GIVE_UP_AFTER, settle_unknown
from orders.services.transitions import (
    Note,
    add_event,
    snapshot_of,
    take_snapshot,
    write_snapshot,
)
from orders.states import OrderStatus

RAISED = "RAISED_TO_A_PERSON"
# A report of the session's last second has surfaced in the book by then.
SURFACED_AFTER = timedelta(seconds=300)
_OUTLASTING = ("status", "previous_status", "closed_at", "event_count", "updated_at")


def end_order_day(clock: Clock) -> int:
    """Settle what is still unknown of a day that has ended; return how many need a person.

    Each is looked up once more. What that does not settle stays unknown, and its account's owner
    is told once: from then on only the broker's own statement can say what became of it.
    """
    raised = 0
    unknown = Order.objects.filter(status=OrderStatus.UNKNOWN, account__own_clock=False)
    for order in list(unknown.select_related("instrument").order_by("created_at")):
        with contained("ending an unknown order's day", order_id=order.pk):
            if _is_over(order, now=clock()):
                raised += _end(order, clock=clock)
    return raised


def _is_over(order: Order, *, now: datetime) -> bool:
    """Its session has ended, and so long ago that a late order would have surfaced.

    Where no calendar says, it is over once the day is over on which it was sent.
    """
    if now - sent_at(order) < GIVE_UP_AFTER + timedelta(seconds=60):
        return False
    if session_of(order) is None:
        return not can_be_in_book(order, now=now)
    return is_session_over(order, now=now)


def _end(order: Order, *, clock: Clock) -> bool:
    is_raised = order.events.filter(event_type=RAISED).exists()
    if is_raised:
        return False
    if can_be_in_book(order, now=clock()):
        settle_unknown(order.pk, clock=clock)
    return _raise(order.pk, now=clock())


@transaction.atomic
def _raise(order_id: uuid.UUID, *, now: datetime) -> bool:
    order = locked_order(order_id)
    if order.state is not OrderStatus.UNKNOWN or order.events.filter(event_type=RAISED).exists():
        return False
    words = "The day is over and nobody could tell whether the broker has it"
    note = Note(RAISED, EventSource.SYSTEM, now, f"{words}: a person has to look")
    add_event(order, note=note, from_status=order.status, now=now)
    order.save(update_fields=["event_count"])
    symbol = order.instrument.trading_symbol
    _tell(
        order,
        f"An order is unknown at the end of its day: {symbol}",
        f"{words}. Look for the tag {order.tag} in {order.account.name} at the broker, in its "
        f"orders or its contract note. {symbol} takes exits only there until it is settled.",
        now=now,
    )
    return True


def note_outlasting(account: TradingAccount, listed: Collection[str], *, now: datetime) -> None:
    """Note which orders a book lists that was read after their session: they fill no more.

    Not of orders from outside: a broker's own kind may go on for days, and is told as a day's.
    """
    orders = Order.objects.filter(account=account, outlasted_at=None, broker_order_id__in=listed)
    ours = orders.working().exclude(source=OrderSource.EXTERNAL).select_related("instrument")
    for order in ours:
        if is_session_over(order, now=now - SURFACED_AFTER):
            Order.objects.filter(pk=order.pk).update(outlasted_at=now)


def end_missing(missing: Iterable[Order], *, now: datetime) -> None:
    """End what no book need list and none lists: expired where it was seen to fill no more.

    What was not may have filled since it was last seen. It becomes unknown, for a person; on
    paper nobody else has it, and nothing of it is to be found out.
    """
    for order in missing:
        if not has_outlasted(order, now=now):
            continue
        if order.outlasted_at or order.account.is_paper:
            _expire(order.pk, now=now)
        else:
            _lose(order.pk, now=now)


@transaction.atomic
def _expire(order_id: uuid.UUID, *, now: datetime) -> None:
    order = locked_order(order_id)
    if not order.state.is_working:
        return
    words = "Its day is over and it is not in the broker's book"
    note = Note("DAY_ENDED", EventSource.RECONCILE, now, words)
    write_snapshot(order, end_of_day(snapshot_of(order)), note=note, now=now)


@transaction.atomic
def _lose(order_id: uuid.UUID, *, now: datetime) -> None:
    """Call it unknown; told in words of its own, for it is known to have reached the broker."""
    order = locked_order(order_id)
    if not order.state.is_working:
        return
    before, symbol = order.status, order.instrument.trading_symbol
    filled = f"{rupees(order.filled_quantity, 0)} of {rupees(order.quantity, 0)} filled"
    words = f"Its day ended unseen: {filled} when it was last seen, and no book tells of it now"
    take_snapshot(order, lose_sight(snapshot_of(order)), at=now, now=now)
    note = Note(RAISED, EventSource.RECONCILE, now, f"{words}: a person has to look")
    add_event(order, note=note, from_status=before, now=now)
    order.save(update_fields=_OUTLASTING)
    _tell(
        order,
        f"Nobody saw how an order ended: {symbol}",
        f"{words}. Look order {order.broker_order_id} up in {order.account.name} at the broker, in "
        f"that day's trades or its contract note, and settle it by hand. {symbol} takes exits only "
        "there until then.",
        now=now,
    )


def _tell(order: Order, title: str, message: str, *, now: datetime) -> None:
    ErrorLog.objects.create(
        error_type="UnknownAtDayEnd",
        message=f"{order.account.name}: order {order.tag}. {title}. {message}",
        severity=Severity.CRITICAL,
        related_account_id=order.account_id,
        related_order_id=order.pk,
    )
    notify(
        order.user,
        kind=NotificationType.SYSTEM_ERROR,
        level=AlertLevel.CRITICAL,
        title=title,
        message=message,
        now=now,
        workspace=order.workspace,
        data={"order": str(order.pk)},
    )
