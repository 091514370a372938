"""Put every signed-in request inside one workspace, and end the sessions that no longer stand."""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.db.models import Case, F, FilteredRelation, Q, Value, When
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Membership, User, UserSession
from accounts.sessions import SESSION_ROW_KEY, is_session_open, still_stands

WORKSPACE_KEY = "workspace_id"
_SIGN_IN = ("id", "session_key_hash", "expires_at", "ended_at", "updated_at")
View = Callable[..., HttpResponseBase]


class WorkspaceMiddleware:
    """Set ``request.workspace`` and ``request.membership`` for people; refuse who may not act.

    The workspace is the one the session names while the person still belongs to it, else the
    first they joined.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if isinstance(user, User):
            if not _is_let_in(request, user):
                return _sign_out(request)
        elif SESSION_ROW_KEY in request.session:
            # Signed in once, and no longer let in: see PersonBackend.
            return _sign_out(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: View, args: object, kwargs: object) -> None:
        """Refuse the pages of a workspace to a person who belongs to none.

        :raises PermissionDenied: unless the page needs no workspace.
        """
        if not request.user.is_authenticated or hasattr(request, "membership"):
            return
        if not _needs_no_workspace(request, view):
            raise PermissionDenied("You belong to no desk. Ask its owner to add you.")


def _is_let_in(request: HttpRequest, user: User) -> bool:
    """Check the sign-in and enter the workspace, both with one question to the database."""
    now = timezone.now()
    membership = _membership_and_sign_in(request, user)
    if membership is None:
        return is_session_open(request.session, user=user, now=now)
    values = [getattr(membership, f"sign_in_{name}") for name in _SIGN_IN]
    if values[0] is None:
        return False
    row = UserSession.from_db(None, _SIGN_IN, values)
    if not still_stands(row, session=request.session, now=now):
        return False
    request.membership = membership  # type: ignore[attr-defined]  # see UserRequest
    request.workspace = membership.workspace  # type: ignore[attr-defined]
    return True


def _membership_and_sign_in(request: HttpRequest, user: User) -> Membership | None:
    """Read the membership to enter by, and as ``sign_in_…`` the row that the session names."""
    named = Q(user__user_sessions__pk=request.session.get(SESSION_ROW_KEY))
    sign_in = FilteredRelation("user__user_sessions", condition=named)
    columns = {f"sign_in_{name}": F(f"sign_in__{name}") for name in _SIGN_IN}
    is_chosen = Case(When(workspace=_chosen(request), then=Value(0)), default=Value(1))
    mine = Membership.objects.filter(user=user).select_related("workspace")
    mine = mine.annotate(sign_in=sign_in).annotate(**columns)
    return mine.order_by(is_chosen, "created_at", "pk").first()


def _chosen(request: HttpRequest) -> uuid.UUID | None:
    chosen = request.session.get(WORKSPACE_KEY)
    return uuid.UUID(chosen) if chosen else None


def _needs_no_workspace(request: HttpRequest, view: View) -> bool:
    match = request.resolver_match
    if match is None or not getattr(view, "login_required", True):
        return True
    return "admin" in match.app_names or (match.url_name or "").startswith("account_")


def _sign_out(request: HttpRequest) -> HttpResponseBase:
    logout(request)
    messages.error(request, "Your session has ended. Sign in again.")
    response = redirect("account_login")
    # htmx would follow a plain redirect and paste the sign-in page into a part of this one.
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(response.url)
    return response
