"""A person's inbox, with what is read and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User, Workspace
from notifications.models import Notification, NotificationReceipt

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class ReadMark(TypedDict):
        is_read: bool

    InboxRow = WithAnnotations[Notification, ReadMark]


def unread_count(user: User, *, workspace: Workspace | None) -> int:
    """Return how many notifications of the desk, or of none, the person has not read."""
    return Notification.objects.at_desk(workspace).unread_by(user).count()


def inbox_of(user: User, *, workspace: Workspace | None) -> QuerySet[InboxRow]:
    """Return the person's notifications at a desk, newest first, each with ``is_read``.

    Those that speak of no desk are at every desk.
    """
    receipts = NotificationReceipt.objects.filter(user=user, notification=OuterRef("pk"))
    mine = Notification.objects.at_desk(workspace).visible_to(user)
    rows = mine.order_by("-created_at", "-pk")
    # The plugin gives the same type another name.
    return rows.annotate(is_read=Q(read_at__isnull=False) | Exists(receipts))  # type: ignore[return-value]
