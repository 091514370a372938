"""Who has shown lately that they are themselves may change what a stolen session must not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django_htmx.http import HttpResponseClientRedirect

from accounts.http import UserRequest

# So long after the password was given a page opens, and what is sent from it is taken.
FRESH_FOR = timedelta(minutes=15)
_AUTHENTICATED_AT = "authenticated_at"
_READING = ("GET", "HEAD", "OPTIONS")

P = ParamSpec("P")
View = Callable[Concatenate[UserRequest, P], HttpResponseBase]


def note_authentication(session: SessionBase, *, now: datetime) -> None:
    """Remember in the session that its person has just given their password."""
    session[_AUTHENTICATED_AT] = now.isoformat()


def is_lately_authenticated(request: HttpRequest, *, now: datetime) -> bool:
    """Tell whether the request may change what a stolen session must not."""
    at = request.session.get(_AUTHENTICATED_AT)
    return at is not None and now - datetime.fromisoformat(at) < FRESH_FOR


def reauthentication_required(view: View[P]) -> View[P]:
    """Ask for the password first, unless it was given lately."""

    @wraps(view)
    def checked(request: UserRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not is_lately_authenticated(request, now=timezone.now()):
            return ask_for_password(request)
        return view(request, *args, **kwargs)

    return checked  # type: ignore[return-value]  # wraps() hides that it takes what view takes


def ask_for_password(request: HttpRequest) -> HttpResponseBase:
    """Lead to the password and back. What was sent is not kept: it may hold a broker's secrets."""
    is_reading = request.method in _READING
    if not is_reading:
        words = "Nothing was changed. Give your password first, then do it again."
        messages.warning(request, words)
    back = request.get_full_path() if is_reading else _page_of(request)
    address = f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"
    # htmx would follow a plain redirect and paste the password's page into a part of this one.
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address)


def _page_of(request: HttpRequest) -> str:
    """Return the page of ours that a form was sent from, or the first page."""
    page = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()})
    return page if is_ours else "/"
