"""Keep the list of sign-ins true, whichever page or command signed the person in or out."""

from allauth.account.signals import (
    authentication_step_completed,
    password_changed,
    password_reset,
)
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.reauthentication import note_authentication
from accounts.sessions import SESSION_ROW_KEY, end_session, revoke_sessions, start_session
from operations.logs import record_log
from operations.models import LogType, Severity
from operations.requests import client_ip


@receiver(user_logged_in)
def write_session(request: HttpRequest, user: User, **_: object) -> None:
    now = timezone.now()
    note_authentication(request.session, now=now)
    start_session(
        request.session,
        user=user,
        client_ip=client_ip(request),
        user_agent=request.headers.get("User-Agent", ""),
        now=now,
    )


@receiver(authentication_step_completed)
def renew_authentication(request: HttpRequest, **step: object) -> None:
    if step.get("reauthenticated"):
        note_authentication(request.session, now=timezone.now())


@receiver(user_logged_out)
def close_session(request: HttpRequest, **_: object) -> None:
    end_session(request.session, now=timezone.now())


@receiver(user_login_failed)
def log_failure(request: HttpRequest | None = None, **_: object) -> None:
    # Never the name that was typed: people type their password into the wrong field.
    where = client_ip(request) if request else "a command"
    record_log(f"Sign-in failed from {where}", type=LogType.AUTH, level=Severity.WARNING)


@receiver([password_changed, password_reset])
def end_other_sessions(request: HttpRequest, user: User, **_: object) -> None:
    revoke_sessions(user, now=timezone.now(), keep=request.session.get(SESSION_ROW_KEY))
