"""The daily cycle of sessions: who can logs in by itself each morning, people are reminded."""

from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import QuerySet

from brokers.connecting import ALONE
from brokers.logging_in import begin_login
from brokers.models import (
    OPEN_LOGINS,
    BrokerConnection,
    ConnectionStatus,
    LoginAttempt,
    LoginStatus,
)
from brokers.sessions import expire_session
from brokers.telling import tell_managers
from brokers.venue import IST
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.errors import contained

MORNING = time(8, 15)
# A session that ends before the last exchange closes is renewed in the morning, not in the middle.
MORNING_ENDS = time(9, 0)
LAST_CLOSE = time(23, 55)
# Before each try of a day. Few: a broker may lock a login that fails too often.
WAITS = (timedelta(0), timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30))
# Somebody who logs in elsewhere ends our session each time: no tug-of-war over it.
MOST_LOGINS_A_DAY = 12
_FRIDAY = 4


def renew_sessions(*, now: datetime) -> None:
    """Look after every real connection; one that fails does not hold back the rest."""
    local = now.astimezone(IST)
    for connection in _looked_after():
        with contained("renewing broker sessions"):
            _end_session_that_ran_out(connection, now=now)
            if local.time() >= MORNING and not _is_good(connection, now=now):
                _renew_or_remind(connection, now=now)


def tell_of_failure(attempt: LoginAttempt, *, now: datetime) -> None:
    """Alarm the managers when the house could not log in: at the first try, and at the last."""
    failed = _tries_today(attempt.connection, now=now).filter(status=LoginStatus.FAILED).count()
    if attempt.by_id is not None or failed not in (1, len(WAITS)):
        return
    is_last = failed == len(WAITS)
    what_now = "No more tries today: log in yourself" if is_last else "It is tried again"
    tell_managers(
        attempt.connection.workspace,
        level=AlertLevel.CRITICAL if is_last else AlertLevel.WARNING,
        title=f"No login at {attempt.connection.get_broker_type_display()}",
        message=f"{attempt.connection.alias}: {attempt.words}. {what_now}.",
        now=now,
    )


def _looked_after() -> QuerySet[BrokerConnection]:
    """Real connections that nobody has disconnected, with an account that is used."""
    wanted = BrokerConnection.objects.filter(paper_trading=False, accounts__is_active=True)
    wanted = wanted.exclude(status=ConnectionStatus.DISCONNECTED)
    return wanted.select_related("workspace", "user").distinct().order_by("created_at")


def _end_session_that_ran_out(connection: BrokerConnection, *, now: datetime) -> None:
    if connection.auth_tokens.filter(is_active=True, expires_at__lte=now).exists():
        expire_session(connection, words="The session of the day has ended", now=now)


def _is_good(connection: BrokerConnection, *, now: datetime) -> bool:
    """Tell whether a session stands; in the morning, whether it lasts the day."""
    token = connection.auth_tokens.filter(is_active=True).first()
    if token is None:
        return False
    local = now.astimezone(IST)
    if token.expires_at is None or local.time() >= MORNING_ENDS:
        return True
    return token.expires_at >= datetime.combine(local.date(), LAST_CLOSE, tzinfo=IST)


def _renew_or_remind(connection: BrokerConnection, *, now: datetime) -> None:
    is_tired = _tries_today(connection, now=now).count() >= MOST_LOGINS_A_DAY
    if is_tired or not connection.connection_metadata.get(ALONE):
        _remind(connection, now=now)
    elif _may_try(connection, now=now):
        _log_in(connection, now=now)


@transaction.atomic
def _log_in(connection: BrokerConnection, *, now: datetime) -> None:
    """Leave alone what a person has disconnected since the round began."""
    held = BrokerConnection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    if held.status != ConnectionStatus.DISCONNECTED:
        begin_login(held, by=None, answer={}, now=now)


def _may_try(connection: BrokerConnection, *, now: datetime) -> bool:
    """Say no while a try is under way, too soon, too often, or after a person's own failed."""
    newest = connection.login_attempts.order_by("-created_at", "-pk").first()
    if newest is None:
        return True
    if newest.status in OPEN_LOGINS:
        return False
    if newest.status == LoginStatus.FAILED and newest.by_id is not None:
        # Their credentials are wrong until they say otherwise.
        return connection.status == ConnectionStatus.EXPIRED and newest.words == "Nobody signed in"
    tries = _tries_today(connection, now=now)
    failed = tries.filter(status=LoginStatus.FAILED).count()
    return failed < len(WAITS) and now >= newest.moved_at + WAITS[failed]


def _tries_today(connection: BrokerConnection, *, now: datetime) -> QuerySet[LoginAttempt]:
    began = now.astimezone(IST).replace(hour=0, minute=0, second=0, microsecond=0)
    return LoginAttempt.objects.filter(connection=connection, by=None, created_at__gte=began)


@transaction.atomic
def _remind(connection: BrokerConnection, *, now: datetime) -> None:
    """Ask the person to log in, on a weekday; again only when they did, and it has ended."""
    local = now.astimezone(IST)
    held = BrokerConnection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    known = held.connection_metadata
    if local.weekday() > _FRIDAY or _is_reminded(held, now=now):
        return
    held.connection_metadata = {**known, "reminded_at": now.isoformat()}
    held.save(update_fields=["connection_metadata", "updated_at"])
    notify(
        connection.user,
        kind=NotificationType.SERVICE_DOWN,
        level=AlertLevel.WARNING,
        title=f"Log in at {connection.get_broker_type_display()}",
        message=_reminder(connection),
        workspace=connection.workspace,
        now=now,
    )


def _is_reminded(connection: BrokerConnection, *, now: datetime) -> bool:
    reminded = connection.connection_metadata.get("reminded_at")
    if not reminded:
        return False
    at = datetime.fromisoformat(reminded)
    is_today = at.astimezone(IST).date() == now.astimezone(IST).date()
    return is_today and not connection.auth_tokens.filter(created_at__gt=at).exists()


def _reminder(connection: BrokerConnection) -> str:
    token = connection.auth_tokens.filter(is_active=True).first()
    if token is not None and token.expires_at is not None:
        ends = token.expires_at.astimezone(IST)
        return f"The session of {connection.alias} ends at {ends:%H:%M}: log in anew before that."
    return (
        f"{connection.alias} needs you: until you log in, nothing can be sent there, cancels and"
        " exits neither."
    )
