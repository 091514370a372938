"""Sign-ins on devices: one row each, which outlives the session and can end it from afar."""

import hashlib
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import QuerySet

from accounts.models import User, UserSession

# The row is named inside the session, so that it is found again after the key is cycled.
SESSION_ROW_KEY = "user_session_id"
SEEN_EVERY = timedelta(minutes=5)


def start_session(
    session: SessionBase, *, user: User, client_ip: str | None, user_agent: str, now: datetime
) -> UserSession:
    """Write the row of a fresh sign-in and name it inside the session."""
    if session.session_key is None:
        session.create()
    row, _ = UserSession.objects.update_or_create(
        session_key_hash=digest(str(session.session_key)),
        defaults={
            "user": user,
            "client_ip": client_ip,
            "session_data": {"user_agent": user_agent[:300]},
            "expires_at": now + timedelta(seconds=settings.SESSION_COOKIE_AGE),
            "ended_at": None,
        },
    )
    session[SESSION_ROW_KEY] = str(row.pk)
    return row


def is_session_open(session: SessionBase, *, user: User, now: datetime) -> bool:
    """Tell whether the sign-in behind this session still stands, and note that it was seen."""
    row = _row_of(session).filter(user=user).first()
    return row is not None and still_stands(row, session=session, now=now)


def still_stands(row: UserSession, *, session: SessionBase, now: datetime) -> bool:
    """Tell whether a sign-in stands that was read before, and note that it was seen."""
    if row.ended_at is not None or row.expires_at <= now:
        return False
    key_hash = digest(str(session.session_key))
    if row.session_key_hash != key_hash or now - row.updated_at > SEEN_EVERY:
        row.session_key_hash = key_hash
        row.save(update_fields=["session_key_hash", "updated_at"])
    return True


def open_sessions(user: User, *, now: datetime) -> QuerySet[UserSession]:
    """Return the person's sign-ins that still stand, the last seen first."""
    rows = UserSession.objects.filter(user=user, ended_at=None, expires_at__gt=now)
    return rows.order_by("-updated_at")


def end_session(session: SessionBase, *, now: datetime) -> None:
    """Mark the row behind this session as ended; the session itself is the caller's to flush."""
    _end(_row_of(session), now=now)


def revoke_session(row: UserSession, *, now: datetime) -> None:
    """End a sign-in from afar: its next request is sent to the sign-in page."""
    _end(UserSession.objects.filter(pk=row.pk), now=now)


def revoke_sessions(user: User, *, now: datetime, keep: uuid.UUID | None = None) -> int:
    """End all of a person's sign-ins, except the one to keep; return how many."""
    rows = UserSession.objects.filter(user=user)
    return _end(rows.exclude(pk=keep) if keep else rows, now=now)


def digest(session_key: str) -> str:
    """Return what is kept of a session key; a stolen database opens no session."""
    return hashlib.sha256(session_key.encode()).hexdigest()


def _row_of(session: SessionBase) -> QuerySet[UserSession]:
    named = session.get(SESSION_ROW_KEY)
    return UserSession.objects.filter(pk=named) if named else UserSession.objects.none()


def _end(rows: QuerySet[UserSession], *, now: datetime) -> int:
    return rows.filter(ended_at=None).update(ended_at=now, updated_at=now)
