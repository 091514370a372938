"""The inbox: what happened while nobody looked, newest first."""

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.http import UserRequest
from notifications.filters import KINDS, InboxFilter
from notifications.models import Notification, NotificationType
from notifications.selectors import inbox_of, unread_count
from notifications.services import mark_all_read, mark_read
from operations.listing import Column, csv_response, list_rows

INBOX_COLUMNS = (Column("When", "time", ("created_at",)),)
INBOX_FILE = ("When", "Level", "Kind", "Title", "Message", "Read")


@require_GET
def inbox(request: UserRequest, template: str = "notifications/inbox.html") -> HttpResponse:
    chosen = InboxFilter(request.GET)
    received = chosen.narrow(inbox_of(request.user, workspace=request.workspace))
    context = {
        "filter": chosen,
        "listing": list_rows(received, columns=INBOX_COLUMNS, params=request.GET, default="-time"),
        "unread": unread_count(request.user, workspace=request.workspace),
    }
    return render(request, template, context)


@require_GET
def export_inbox(request: UserRequest) -> HttpResponse:
    mine = inbox_of(request.user, workspace=request.workspace)
    received = InboxFilter(request.GET).narrow(mine)
    rows = (
        (
            each.created_at.isoformat(),
            each.alert_level,
            KINDS[NotificationType(each.notification_type)],
            each.title,
            each.message,
            "read" if each.is_read else "new",
        )
        for each in received.order_by("-created_at", "-pk").iterator()
    )
    return csv_response("notifications", header=INBOX_FILE, rows=rows)


@require_POST
def read(request: UserRequest, notification_id: uuid.UUID) -> HttpResponse:
    mine = Notification.objects.visible_to(request.user)
    notification = get_object_or_404(mine, pk=notification_id)
    mark_read(notification, user=request.user, now=timezone.now())
    return redirect("notifications:inbox")


@require_POST
def read_all(request: UserRequest) -> HttpResponse:
    mark_all_read(request.user, workspace=request.workspace, now=timezone.now())
    return redirect("notifications:inbox")
