"""What the workers do for connections: ids in, one service call, safe to run twice."""

import contextlib
import uuid
from datetime import datetime

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from brokers import addresses, logging_in, renewing, sessions
from brokers.models import BrokerConnection, ConnectionStatus, LoginAttempt, LoginStatus
from operations.errors import contained, record_error


@shared_task
def log_in(*, attempt_id: str) -> None:
    run_login(uuid.UUID(attempt_id), now=timezone.now())


@shared_task
def log_out(*, token_id: str) -> None:
    """End a session at the broker that is over here."""
    sessions.end_at_broker(uuid.UUID(token_id))


@shared_task
def renew_sessions() -> None:
    """Keep the day's sessions, and find the logins that a lost nudge left behind."""
    now = timezone.now()
    with contained("ending broker sessions"):
        renewing.renew_sessions(now=now)
    for attempt_id in logging_in.find_lost_logins(now=now):
        run_login(attempt_id, now=timezone.now())


@shared_task
def look_at_address(*, connection_id: str) -> None:
    _look(BrokerConnection.objects.get(pk=connection_id), now=timezone.now())


@shared_task
def look_at_addresses() -> None:
    """See which address the calls of each connection with a registered one leave by."""
    real = BrokerConnection.objects.filter(paper_trading=False)
    for connection in real.exclude(status=ConnectionStatus.DISCONNECTED):
        if connection.connection_metadata.get("static_ip"):
            with contained("looking at our address"):
                _look(connection, now=timezone.now())


def run_login(attempt_id: uuid.UUID, *, now: datetime) -> None:
    """Log in; whatever goes wrong, the person waiting at the page is told."""
    try:
        attempt = logging_in.run_login(attempt_id, now=now)
    except Exception as error:  # the edge of a worker
        record_error(error, context={"stage": "broker login"})
        attempt = LoginAttempt.objects.select_related("connection__workspace").get(pk=attempt_id)
        words = "Something went wrong here while logging in; it has been written down"
        if not logging_in.fail_login(attempt, words=words, now=now):
            return
    if attempt is not None and attempt.status == LoginStatus.FAILED:
        renewing.tell_of_failure(attempt, now=now)
    if attempt is not None and attempt.status == LoginStatus.DONE:
        _look_soon(attempt.connection)


def _look_soon(connection: BrokerConnection) -> None:
    """Ask a worker to see which address we have now; the round finds it when the nudge is lost."""
    if connection.connection_metadata.get("static_ip"):
        with contextlib.suppress(OperationalError):
            look_at_address.apply_async(kwargs={"connection_id": str(connection.pk)}, retry=False)


def _look(connection: BrokerConnection, *, now: datetime) -> None:
    try:
        addresses.look_at_address(connection, now=now)
    except addresses.AddressUnseen as error:
        addresses.note_unseen(connection, words=str(error), now=now)
