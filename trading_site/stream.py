"""`/stream/`: the one connection by which an open page learns what has changed."""

import time
from collections.abc import AsyncIterator

from django.http import HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from accounts.http import UserRequest
from trading_site.streaming import Mailbox, hub

MOST_KEYS = 200
PING_EVERY = 15.0  # seconds
# The browser comes back by itself; whether the person may still look is asked again then.
LONGEST = 300.0
RETRY = "retry: 2000\n\n"


@require_GET
async def stream(request: UserRequest) -> HttpResponse | StreamingHttpResponse:
    """Stream ``part`` messages of the person's workspace, and ``quotes`` of the keys asked for."""
    names = filter(None, request.GET.get("keys", "").split(","))
    keys = frozenset(sorted(set(names))[:MOST_KEYS])
    mailbox = Mailbox(request.workspace.pk, keys)
    last_id = _number(request.headers.get("Last-Event-ID", ""))
    response = StreamingHttpResponse(
        _messages(mailbox, last_id=last_id), content_type="text/event-stream"
    )
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


async def _messages(mailbox: Mailbox, *, last_id: int | None) -> AsyncIterator[str]:
    post_office = hub()
    await post_office.join(mailbox, last_id=last_id)
    try:
        yield RETRY
        ends_at = time.monotonic() + LONGEST
        while time.monotonic() < ends_at and not mailbox.is_closed:
            for message in await mailbox.take(timeout=PING_EVERY):
                yield message
    finally:
        post_office.leave(mailbox)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
