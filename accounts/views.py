"""Choices a person makes about the frame: which desk, which theme."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from accounts.http import UserRequest
from accounts.middleware import WORKSPACE_KEY
from accounts.models import Workspace

THEMES = ("light", "dark")
YEAR = 365 * 24 * 3600


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
