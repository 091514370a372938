"""Choices a person makes about the frame: which desk, which theme."""

import uuid

from allauth.account.models import EmailAddress
from allauth.account.views import email as change_email
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import UserRequest
from accounts.middleware import WORKSPACE_KEY
from accounts.models import User, Workspace
from accounts.reauthentication import reauthentication_required
from accounts.services import keep_address_of

THEMES = ("light", "dark")
YEAR = 365 * 24 * 3600


@require_http_methods(["GET", "POST"])
@reauthentication_required
def email(request: UserRequest) -> HttpResponseBase:
    """Add an address and put it in force, which it can be once its letter has been answered."""
    chosen = request.POST.get("email", "")
    if "action_primary" in request.POST and not _is_confirmed(request.user, chosen):
        messages.error(request, "Open the link in the letter that was sent to that address first.")
        return redirect("account_email")
    keep_address_of(request.user)
    answer: HttpResponseBase = change_email(request)
    return answer


def _is_confirmed(user: User, address: str) -> bool:
    mine = EmailAddress.objects.filter(user=user, email__iexact=address, verified=True)
    return bool(mine.exists())


@require_GET
def desks(request: UserRequest) -> HttpResponse:
    """List the desks that the person belongs to, to enter another one."""
    mine = request.user.memberships.select_related("workspace").order_by("workspace__name")
    return render(request, "account/desks.html", {"memberships": mine})


@require_POST
def switch_workspace(request: UserRequest) -> HttpResponse:
    """Enter another desk of the person's own; a stranger's is not found."""
    mine = Workspace.objects.visible_to(request.user)
    workspace = get_object_or_404(mine, pk=_uuid(request.POST.get("workspace", "")))
    request.session[WORKSPACE_KEY] = str(workspace.pk)
    return redirect("home")


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Remember light or dark on this device; anything else follows the system."""
    response = redirect(safe_next(request))
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        response.set_cookie("theme", theme, max_age=YEAR, samesite="Lax", httponly=True)
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response


def safe_next(request: HttpRequest) -> str:
    """Answer where a form asked to return to, if that is on this site, else the home page."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if safe else "/"


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
