"""Ask a person once before something ends: as a page, or in the window over any page."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme


def ask(request: HttpRequest, template: str, context: Mapping[str, object]) -> HttpResponse:
    """Show a page that extends ``confirm.html``; in the window it stands alone."""
    floats = bool(request.headers.get("HX-Request"))
    asked_on = urlsplit(request.headers.get("HX-Current-URL", ""))
    here = f"{asked_on.path}?{asked_on.query}" if asked_on.query else asked_on.path
    return render(request, template, {**context, "floats": floats, "next": here})


def asked_on(request: HttpRequest, *, otherwise: str) -> str:
    """The page over which the question stood, to go back to with the answer."""
    page = request.POST.get("next", "")
    is_ours = page.startswith("/") and url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return page if is_ours else otherwise
