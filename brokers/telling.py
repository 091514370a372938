"""Word to the people who manage a desk, about its brokers."""

from datetime import datetime

from accounts.models import MANAGING_ROLES, User, Workspace
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify


def tell_managers(
    workspace: Workspace,
    *,
    level: AlertLevel,
    title: str,
    message: str,
    now: datetime,
    kind: NotificationType = NotificationType.SERVICE_DOWN,
) -> None:
    """Put a notification in the inbox of every owner and admin of the desk."""
    managers = User.objects.filter(
        memberships__workspace=workspace, memberships__role__in=MANAGING_ROLES
    )
    for manager in managers.distinct().order_by("pk"):
        notify(
            manager,
            kind=kind,
            level=level,
            title=title,
            message=message,
            workspace=workspace,
            now=now,
        )
