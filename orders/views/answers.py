"""How a change asked for on a page is answered."""

import re
import uuid
from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRefresh

from orders.states import OrderStatus

STATE = re.compile(r"(?<=the order is )[A-Z_]+")


def back_to(request: HttpRequest, address: str) -> HttpResponse:
    """Return to a page after a change; a part of a page has its whole page loaded anew."""
    if request.headers.get("HX-Request"):
        return HttpResponseClientRefresh()
    return redirect(address)


def valid_ids(texts: Iterable[str]) -> list[uuid.UUID]:
    """Keep what reads as an id: whatever else an address holds names nothing."""
    found = []
    for text in texts:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def in_words(refusal: object) -> str:
    """Name the state in a lifecycle's refusal as the pages do: filled, not FILLED."""
    return STATE.sub(_label, str(refusal))


def _label(found: re.Match[str]) -> str:
    return OrderStatus(found[0]).label.lower() if found[0] in OrderStatus.values else found[0]
