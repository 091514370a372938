from __future__ import annotations

from django.db import models

from accounts.models import User, Workspace
from operations.ids import new_id


class NotificationType(models.TextChoices):
    ORDER_FILLED = "ORDER_FILLED"
    ORDER_REJECTED = "ORDER_REJECTED"
    SERVICE_DOWN = "SERVICE_DOWN"
    SERVICE_RESTORED = "SERVICE_RESTORED"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    STRATEGY_SIGNAL = "STRATEGY_SIGNAL"
    RISK_ALERT = "RISK_ALERT"


class AlertLevel(models.TextChoices):
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class NotificationQuerySet(models.QuerySet["Notification"]):
    def at_desk(self, workspace: Workspace | None) -> NotificationQuerySet:
        """Keep what speaks of this desk, or of none."""
        return self.filter(models.Q(workspace=workspace) | models.Q(workspace=None))

    def visible_to(self, user: User) -> NotificationQuerySet:
        return self.filter(models.Q(user=user) | models.Q(user=None))

    def unread_by(self, user: User) -> NotificationQuerySet:
        dismissed = NotificationReceipt.objects.filter(user=user).values("notification")
        return self.visible_to(user).filter(read_at=None).exclude(user=None, pk__in=dismissed)


class Notification(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, blank=True, help_text="Empty: system-wide"
    )
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, blank=True)
    notification_type = models.CharField(max_length=20, choices=NotificationType.choices)
    alert_level = models.CharField(
        max_length=10, choices=AlertLevel.choices, default=AlertLevel.INFO
    )
    title = models.CharField(max_length=200)
    message = models.TextField()
    data = models.JSONField(default=dict, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = NotificationQuerySet.as_manager()

    class Meta:
        db_table = "notifications"
        indexes = (
            models.Index(fields=["user", "read_at"], name="idx_notifications_unread"),
            models.Index(fields=["created_at"], name="idx_notifications_created_at"),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(notification_type__in=NotificationType.values),
                name="ck_notification_type",
            ),
            models.CheckConstraint(
                condition=models.Q(alert_level__in=AlertLevel.values), name="ck_alert_level"
            ),
        )

    def __str__(self) -> str:
        return self.title


class NotificationReceipt(models.Model):
    """That one person has read a system-wide notification."""

    id = models.BigAutoField(primary_key=True)
    notification = models.ForeignKey(
        Notification, on_delete=models.CASCADE, related_name="receipts"
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField()

    class Meta:
        db_table = "notification_receipts"
        constraints = (models.UniqueConstraint(fields=["notification", "user"], name="uq_receipt"),)

    def __str__(self) -> str:
        return f"{self.user} read {self.notification}"
