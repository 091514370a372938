"""Where brokers post. Answered at once; the work is a worker's."""

import uuid

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from brokers.postbacks import LARGEST_BODY, PostbackUnwanted, receive_postback
from orders.nudging import nudge_postback


@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest, config_id: uuid.UUID, token: str) -> HttpResponse:
    """Take a broker's postback: 200 also for one that was taken before, so that it stops coming."""
    if int(request.headers.get("Content-Length") or 0) > LARGEST_BODY:
        return HttpResponse("Too large\n", status=413, content_type="text/plain")
    try:
        event = receive_postback(
            config_id, token, body=request.body, headers=request.headers, now=timezone.now()
        )
    except PostbackUnwanted:
        return HttpResponse("Not wanted here\n", status=403, content_type="text/plain")
    except ValueError:
        return HttpResponse("Not an order update\n", status=400, content_type="text/plain")
    if event is not None:
        nudge_postback(event.pk)
    return HttpResponse("Taken\n", content_type="text/plain")
