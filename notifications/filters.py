"""What the inbox may be narrowed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.db.models import QuerySet

from notifications.models import AlertLevel, NotificationType
from operations.listing import ListFilter

if TYPE_CHECKING:
    from notifications.selectors import InboxRow

KINDS = {
    NotificationType.ORDER_FILLED: "Order filled",
    NotificationType.ORDER_REJECTED: "Order refused",
    NotificationType.SERVICE_DOWN: "Service down",
    NotificationType.SERVICE_RESTORED: "Service back",
    NotificationType.SYSTEM_ERROR: "System error",
    NotificationType.STRATEGY_SIGNAL: "Strategy signal",
    NotificationType.RISK_ALERT: "Risk",
}
URGENT = (AlertLevel.ERROR, AlertLevel.CRITICAL)


class InboxFilter(ListFilter):
    show = forms.ChoiceField(
        label="Which",
        choices=[("", "Read and new"), ("new", "New"), ("urgent", "Errors only")],
    )
    level = forms.ChoiceField(label="Level", choices=[("", "Any level"), *AlertLevel.choices])
    kind = forms.ChoiceField(label="Kind", choices=[("", "Any kind"), *KINDS.items()])

    def narrow(self, received: QuerySet[InboxRow]) -> QuerySet[InboxRow]:
        """Narrow an inbox whose rows know ``is_read``."""
        chosen = self.chosen()
        if chosen.get("show") == "new":
            received = received.filter(is_read=False)
        if chosen.get("show") == "urgent":
            received = received.filter(alert_level__in=URGENT)
        if level := chosen.get("level"):
            received = received.filter(alert_level=level)
        if kind := chosen.get("kind"):
            received = received.filter(notification_type=kind)
        return received
