"""What a broker's postback leads to: the account's book is read, and the event is closed.

A burst of postbacks is one reading: it closes every event that came before it began.
"""

from datetime import datetime, timedelta

from django.db.models import Min

from brokers.models import BrokerConnection, PostbackEvent, ProcessingStatus, TradingAccount
from brokers.registry import Clock
from orders.services.reconciling import reconcile_due

# A nudge that has not been followed for that long is lost.
LEFT_BEHIND = timedelta(minutes=1)
# After a day the rounds of reconciling have read that book a hundred times.
GIVEN_UP_AFTER = timedelta(days=1)


def process_postback(event_id: int, *, clock: Clock) -> None:
    """Read the books of the connection's accounts, once for each event; safe to run twice.

    What could not be read, or is being read already, is left to the next sweep.
    """
    event = PostbackEvent.objects.select_related("config__connection").get(pk=event_id)
    if event.processing_status != ProcessingStatus.RECEIVED:
        return
    _read_books(event.config.connection, clock=clock)


def left_behind(*, now: datetime) -> list[int]:
    """Give up what is too old, and name one event of each connection that nobody has looked at."""
    _give_up(now=now)
    waiting = PostbackEvent.objects.filter(
        processing_status=ProcessingStatus.RECEIVED, received_at__lt=now - LEFT_BEHIND
    )
    # One reading closes all events of its connection.
    first = waiting.values("config__connection").annotate(first=Min("pk")).order_by("first")
    return list(first.values_list("first", flat=True))


def _read_books(connection: BrokerConnection, *, clock: Clock) -> None:
    waiting = PostbackEvent.objects.filter(
        config__connection=connection, processing_status=ProcessingStatus.RECEIVED
    )
    # Named before the reading: one that comes meanwhile may tell of what was not read.
    seen = list(waiting.values_list("pk", flat=True))
    accounts = TradingAccount.objects.filter(connection=connection, is_active=True)
    readings = [
        reconcile_due(account_id, clock=clock)
        for account_id in accounts.values_list("pk", flat=True)
    ]
    was_read = all(reading is not None and reading.is_complete for reading in readings)
    PostbackEvent.objects.filter(pk__in=seen).update(
        processing_status=ProcessingStatus.PROCESSED if was_read else ProcessingStatus.RECEIVED,
        error_message="" if was_read else "The broker's book could not be read yet",
    )


def _give_up(*, now: datetime) -> None:
    old = PostbackEvent.objects.filter(
        processing_status=ProcessingStatus.RECEIVED, received_at__lt=now - GIVEN_UP_AFTER
    )
    old.update(
        processing_status=ProcessingStatus.FAILED,
        error_message="The broker's book could not be read for a day",
    )
