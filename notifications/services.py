"""Tell people things: one row each, and the news that their inbox changed."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from accounts.models import User, Workspace
from notifications.models import AlertLevel, Notification, NotificationReceipt, NotificationType
from operations.events import publish


@transaction.atomic
def notify(
    user: User | None,
    *,
    kind: NotificationType,
    level: AlertLevel,
    title: str,
    message: str,
    now: datetime,
    workspace: Workspace | None = None,
    data: Mapping[str, object] | None = None,
) -> Notification:
    """Put a notification in a person's inbox; without a person, in everybody's."""
    notification = Notification.objects.create(
        user=user,
        workspace=workspace,
        notification_type=kind,
        alert_level=level,
        title=title[:200],
        message=message,
        data=dict(data or {}),
        created_at=now,
    )
    _publish(workspace, subject=notification.pk, now=now)
    return notification


@transaction.atomic
def notify_workspace(
    workspace: Workspace,
    *,
    kind: NotificationType,
    level: AlertLevel,
    title: str,
    message: str,
    now: datetime,
    data: Mapping[str, object] | None = None,
) -> list[Notification]:
    """Put a notification in the inbox of every member; each reads their own."""
    notifications = Notification.objects.bulk_create(
        Notification(
            user=user,
            workspace=workspace,
            notification_type=kind,
            alert_level=level,
            title=title[:200],
            message=message,
            data=dict(data or {}),
            created_at=now,
        )
        for user in User.objects.filter(memberships__workspace=workspace).order_by("pk")
    )
    _publish(workspace, subject="", now=now)
    return notifications


@transaction.atomic
def mark_read(notification: Notification, *, user: User, now: datetime) -> None:
    """Mark one notification as read by this person; a system-wide one stays unread for others.

    :raises Notification.DoesNotExist: when it is not in this person's inbox.
    """
    visible = Notification.objects.visible_to(user).get(pk=notification.pk)
    if visible.user_id is None:
        NotificationReceipt.objects.get_or_create(
            notification=visible, user=user, defaults={"read_at": now}
        )
    else:
        Notification.objects.filter(pk=visible.pk, read_at=None).update(read_at=now)
    _publish(visible.workspace, subject=visible.pk, now=now)


@transaction.atomic
def mark_all_read(user: User, *, workspace: Workspace | None, now: datetime) -> int:
    """Mark the person's inbox at a desk as read; return how many notifications that were."""
    unread = Notification.objects.at_desk(workspace).unread_by(user)
    system_wide = unread.filter(user=None)
    receipts = [
        NotificationReceipt(notification=each, user=user, read_at=now) for each in system_wide
    ]
    NotificationReceipt.objects.bulk_create(receipts, ignore_conflicts=True)
    own = unread.filter(user=user).update(read_at=now)
    if own or receipts:
        _publish(None, subject=user.pk, now=now)
    return own + len(receipts)


def _publish(workspace: Workspace | None, *, subject: object, now: datetime) -> None:
    workspace_id = workspace.pk if workspace else None
    publish("notifications", workspace_id=workspace_id, subject_id=subject, now=now)
