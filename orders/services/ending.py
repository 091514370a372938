"""The end of the day: no order stays unknown in silence, for its broker's book is for the day."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from brokers.registry import Clock
from brokers.venue import CalendarUnknown, installed_venue
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.errors import contained
from operations.models import ErrorLog, Severity
from orders.models import EventSource, Order
from orders.services.sending import locked_order
from orders.services.settling import GIVE_UP_AFTER, is_of_its_day, settle_unknown
from orders.services.transitions import Note, add_event
from orders.states import OrderStatus

RAISED = "RAISED_TO_A_PERSON"


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
    """Its session has ended, and so long ago that a late order would have surfaced."""
    sent = order.submitted_at or order.created_at
    if now - sent < GIVE_UP_AFTER + timedelta(seconds=60):
        return False
    if not is_of_its_day(order, now):
        return True
    ref, venue = order.instrument.ref(), installed_venue()
    try:
        return venue.session_date(ref, sent) < venue.session_date(ref, now)
    except CalendarUnknown:
        return False


def _end(order: Order, *, clock: Clock) -> bool:
    is_raised = order.events.filter(event_type=RAISED).exists()
    if is_raised:
        return False
    if is_of_its_day(order, clock()):
        settle_unknown(order.pk, clock=clock)
    return _raise(order.pk, now=clock())


@transaction.atomic
def _raise(order_id: uuid.UUID, *, now: datetime) -> bool:
    order = locked_order(order_id)
    if order.state is not OrderStatus.UNKNOWN or order.events.filter(event_type=RAISED).exists():
        return False
    symbol = order.instrument.trading_symbol
    words = "The day is over and nobody could tell whether the broker has it"
    add_event(
        order,
        note=Note(RAISED, EventSource.SYSTEM, now, f"{words}: a person has to look"),
        from_status=order.status,
        now=now,
    )
    order.save(update_fields=["event_count"])
    ErrorLog.objects.create(
        error_type="UnknownAtDayEnd",
        message=f"{order.account.name}: order {order.tag} in {symbol}. {words}",
        severity=Severity.CRITICAL,
        related_account_id=order.account_id,
        related_order_id=order.pk,
    )
    notify(
        order.user,
        kind=NotificationType.SYSTEM_ERROR,
        level=AlertLevel.CRITICAL,
        title=f"An order is unknown at the end of its day: {symbol}",
        message=(
            f"{words}. Look for the tag {order.tag} in {order.account.name} at the broker, in its "
            f"orders or its contract note. {symbol} takes exits only there until it is settled."
        ),
        now=now,
        workspace=order.workspace,
        data={"order": str(order.pk)},
    )
    return True
