"""Logging in at a broker, by a person or by the house: asked here, done by a worker.

The row of an attempt is the queue, and a page shows how far it is. Where a person signs in on the
broker's own page, the attempt waits for them and knows them by a signed state of one use.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from celery import current_app
from django.core import signing
from django.db import transaction
from kombu.exceptions import OperationalError

from accounts.models import User
from brokers.logins import LoginFailed, LoginStyle
from brokers.models import (
    OPEN_LOGINS,
    BrokerConnection,
    ConnectionStatus,
    LoginAttempt,
    LoginStatus,
)
from brokers.registry import guide_of, login_of
from brokers.sessions import open_session
from operations.events import publish

SIGN_IN_MINUTES = 15
WORKER_LOST_AFTER = timedelta(minutes=3)
_STATE = "brokers.login"


class StateInvalid(Exception):
    """Nobody here waits for that answer: forged, too late, another person's, or used before."""


@transaction.atomic
def begin_login(
    connection: BrokerConnection, *, by: User | None, answer: Mapping[str, str], now: datetime
) -> LoginAttempt:
    """Ask a worker to log in; an attempt that waited for somebody is given up for this one.

    ``answer`` is a token that a person has pasted, empty without one. Where a worker is just
    logging in, that attempt is returned instead: a broker's own limits forbid two at once.
    """
    held = BrokerConnection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    open_one = LoginAttempt.objects.filter(connection=held, status__in=OPEN_LOGINS).first()
    if open_one is not None:
        if open_one.status != LoginStatus.AT_BROKER and not answer:
            return open_one
        _end(open_one, LoginStatus.FAILED, words="Given up for a newer one", now=now)
    attempt = LoginAttempt(connection=held, by=by, created_at=now, moved_at=now)
    attempt.seal_answer(dict(answer))
    attempt.save(force_insert=True)
    _tell(held, now=now)
    _nudge(attempt)
    return attempt


def give_up_logins(held: BrokerConnection, *, words: str, now: datetime) -> None:
    """End what is under way at a connection whose row the caller has locked.

    A worker that is asking the broker just now keeps nothing of what it brings home.
    """
    for attempt in LoginAttempt.objects.filter(connection=held, status__in=OPEN_LOGINS):
        _end(attempt, LoginStatus.FAILED, words=words, now=now)


def run_login(attempt_id: UUID, *, now: datetime) -> LoginAttempt | None:
    """Log in, or fetch the page where a person does.

    None when somebody else has it already, or it was given up meanwhile. A login that fails
    leaves a session that still stands alone.
    """
    if not _move(attempt_id, LoginStatus.QUEUED, LoginStatus.RUNNING, now=now):
        return None
    attempt = LoginAttempt.objects.select_related("connection__workspace", "by").get(pk=attempt_id)
    try:
        page = None if attempt.answer else _page_of(attempt)
        if page is None:
            answer = attempt.read_answer()
            open_session(attempt.connection, answer=answer, now=now, attempt=attempt)
    except LoginFailed as error:
        return attempt if fail_login(attempt, words=str(error), now=now) else None
    status = LoginStatus.DONE if page is None else LoginStatus.AT_BROKER
    if not _end(attempt, status, words="", now=now, page=page or ""):
        return None
    _tell(attempt.connection, now=now)
    return attempt


@transaction.atomic
def fail_login(attempt: LoginAttempt, *, words: str, now: datetime) -> bool:
    """Write why nobody is logged in now, unless an older session still is.

    False, and nothing is written, when the attempt was ended already. A known client that a
    person has disconnected stays disconnected: it must not stand in the way of another login.
    """
    connection = BrokerConnection.objects.select_for_update(no_key=True).get(
        pk=attempt.connection_id
    )
    if not _end(attempt, LoginStatus.FAILED, words=words, now=now):
        return False
    is_left = connection.status == ConnectionStatus.DISCONNECTED and connection.client_code
    if connection.status != ConnectionStatus.CONNECTED and not is_left:
        connection.status = ConnectionStatus.ERROR
        known = connection.connection_metadata
        connection.connection_metadata = {**known, "session_words": words}
        connection.save(update_fields=["status", "connection_metadata", "updated_at"])
    _tell(connection, now=now)
    return True


def come_back(
    broker: str, *, by: User, state: str, answer: Mapping[str, str], now: datetime
) -> LoginAttempt:
    """Take what the broker's page sent a person back with; it is taken once.

    A broker that returns no state is known by the person: only their newest attempt is meant.

    :raises StateInvalid: when nobody waits for it.
    """
    waiting = LoginAttempt.objects.filter(
        connection__broker_type=broker,
        by=by,
        status=LoginStatus.AT_BROKER,
        moved_at__gt=now - timedelta(minutes=SIGN_IN_MINUTES),
    )
    if state or guide_of(broker).returns_state:
        waiting = waiting.filter(pk=_attempt_in(state, by=by))
    attempt = waiting.order_by("-created_at", "-pk").first()
    if attempt is None:
        raise StateInvalid("Nobody waits for this sign-in any more: press Log in and try again")
    attempt.seal_answer(dict(answer))
    with transaction.atomic():
        if not _move(
            attempt.pk, LoginStatus.AT_BROKER, LoginStatus.QUEUED, now=now, answer=attempt.answer
        ):
            raise StateInvalid("This sign-in has been taken already")
        _tell(attempt.connection, now=now)
        _nudge(attempt)
    return attempt


def state_of(attempt: LoginAttempt) -> str:
    """Return what the broker's page shall send back: who began which attempt, signed."""
    return signing.dumps({"attempt": str(attempt.pk), "by": str(attempt.by_id)}, salt=_STATE)


def find_lost_logins(*, now: datetime) -> list[UUID]:
    """End attempts that a worker left half done or a person never finished; return who waits."""
    stuck = LoginAttempt.objects.filter(
        status=LoginStatus.RUNNING, moved_at__lt=now - WORKER_LOST_AFTER
    )
    for attempt in stuck.select_related("connection"):
        fail_login(attempt, words="The worker stopped while logging in: try again", now=now)
    LoginAttempt.objects.filter(
        status=LoginStatus.AT_BROKER, moved_at__lt=now - timedelta(minutes=SIGN_IN_MINUTES)
    ).update(status=LoginStatus.FAILED, words="Nobody signed in", page="", moved_at=now)
    queued = LoginAttempt.objects.filter(status=LoginStatus.QUEUED)
    return list(queued.order_by("created_at").values_list("pk", flat=True))


def _page_of(attempt: LoginAttempt) -> str | None:
    """:raises LoginFailed: when a person is needed, and none is here."""
    connection = attempt.connection
    login = login_of(connection.broker_type)
    if attempt.by is None:
        return None
    page = login.page(connection.read_credentials(), state=state_of(attempt))
    if page is None and login.guide.style is LoginStyle.REDIRECT:
        raise LoginFailed("The broker gave no page to sign in on")
    return page


def _attempt_in(state: str, *, by: User) -> UUID:
    try:
        told = signing.loads(state, salt=_STATE, max_age=timedelta(minutes=SIGN_IN_MINUTES))
    except signing.BadSignature as error:
        raise StateInvalid("This sign-in is not ours, or came too late: try again") from error
    if told["by"] != str(by.pk):
        raise StateInvalid("Another person began this sign-in")
    return UUID(told["attempt"])


def _move(
    attempt_id: UUID, before: LoginStatus, after: LoginStatus, *, now: datetime, answer: str = ""
) -> bool:
    changed: dict[str, object] = {"status": after, "moved_at": now}
    if answer:
        changed |= {"answer": answer, "page": ""}
    return bool(LoginAttempt.objects.filter(pk=attempt_id, status=before).update(**changed))


def _end(
    attempt: LoginAttempt, status: LoginStatus, *, words: str, now: datetime, page: str = ""
) -> bool:
    """Tell whether it was still under way: what has ended is not ended again."""
    ended = {"status": status, "words": words, "page": page, "answer": "", "moved_at": now}
    still_open = LoginAttempt.objects.filter(pk=attempt.pk, status__in=OPEN_LOGINS)
    if not still_open.update(**ended):
        return False
    attempt.status, attempt.words, attempt.page, attempt.moved_at = status, words, page, now
    attempt.answer = ""
    return True


def _tell(connection: BrokerConnection, *, now: datetime) -> None:
    publish("brokers", workspace_id=connection.workspace_id, subject_id=connection.pk, now=now)


def _nudge(attempt: LoginAttempt) -> None:
    transaction.on_commit(lambda: _send(str(attempt.pk)))


def _send(attempt_id: str) -> None:
    try:
        current_app.send_task(
            "brokers.tasks.log_in", kwargs={"attempt_id": attempt_id}, queue="sync", retry=False
        )
    except OperationalError:
        return  # The sweep finds the row.
