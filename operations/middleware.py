"""Refuse what no page sends; write down every change asked for and every error not caught."""

import time
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from operations.audit import Deed, append
from operations.errors import record_error
from operations.ids import new_id
from operations.requests import client_ip

NUL = "\x00"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# Answers, not faults: Django turns each of these into a page of its own.
EXPECTED = (Http404, PermissionDenied, SuspiciousOperation)


class RefuseNulMiddleware:
    """Answer 400 to a NUL character: nobody types one, and PostgreSQL stores none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if any(NUL in text for text in _texts(request)):
            return render(request, "400.html", status=400)
        return self.get_response(request)


def _texts(request: HttpRequest) -> Iterator[str]:
    """Yield all that a person may have put into the request and a view may look up."""
    yield request.path
    yield from request.COOKIES.values()
    for sent in (request.GET, request.POST):
        for name, values in sent.lists():
            yield name
            yield from values


class RequestLogMiddleware:
    """Append to the audit whatever is not a mere look, sign-ins among it, with how it ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = new_id()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=str(request_id))
        if request.method in SAFE_METHODS:
            response = self.get_response(request)
        else:
            response = self._write_down(request, request_id)
        response.headers["X-Request-ID"] = str(request_id)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Keep an error that no view caught; the person sees the plain error page."""
        if not isinstance(error, EXPECTED):
            record_error(error, context={"method": request.method, "path": request.path})

    def _write_down(self, request: HttpRequest, request_id: uuid.UUID) -> HttpResponseBase:
        # Asked before and after: signing in makes the person known, signing out unknown.
        before = request.user.pk
        started = time.perf_counter()
        response = self.get_response(request)
        elapsed = time.perf_counter() - started
        success = _is_success(request, response)
        append(
            Deed(
                event_type=_event_type(request),
                request_id=request_id,
                client_ip=client_ip(request),
                user_agent=_clean(request.headers.get("User-Agent", ""), 300),
                path=_clean(request.path, 500),
                method=_clean(request.method or "", 10),
                user_id=request.user.pk or before,
                status_code=response.status_code,
                processing_time_ms=Decimal(str(elapsed * 1000)),
                success=success,
                error_message=""
                if success
                else _clean(getattr(response, "reason_phrase", ""), 200),
                created_at=timezone.now(),
            )
        )
        return response


def _event_type(request: HttpRequest) -> str:
    match = request.resolver_match
    return _clean(match.view_name or "unnamed", 50) if match else "unresolved"


def _is_success(request: HttpRequest, response: HttpResponseBase) -> bool:
    # A sign-in page that is shown again, 200, is a sign-in that failed.
    if _event_type(request).startswith("account_"):
        return response.status_code in (301, 302, 303)
    return response.status_code < 400


def _clean(text: str, length: int) -> str:
    return text.replace(NUL, "")[:length]
