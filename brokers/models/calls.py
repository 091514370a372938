from __future__ import annotations

from django.db import models

from brokers.models.connections import BrokerConnection


class RateLimitWindow(models.Model):
    """How many calls one endpoint of a connection took within one window."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(BrokerConnection, on_delete=models.CASCADE)
    endpoint = models.CharField(max_length=50)
    window_seconds = models.PositiveIntegerField(default=1)
    window_start = models.DateTimeField()
    request_count = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "rate_limit_tracking"
        constraints = (
            models.UniqueConstraint(
                fields=["connection", "endpoint", "window_seconds", "window_start"],
                name="uq_rate_window",
            ),
        )

    def __str__(self) -> str:
        return f"{self.endpoint} {self.request_count} in {self.window_seconds} s"


class BrokerCall(models.Model):
    """One conversation with a broker, redacted."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        BrokerConnection, on_delete=models.CASCADE, null=True, related_name="calls"
    )
    action = models.CharField(max_length=50)
    module = models.CharField(max_length=50)
    request = models.JSONField(default=dict, blank=True)
    response = models.JSONField(default=dict, blank=True)
    duration_ms = models.PositiveIntegerField(default=0)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error_message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "audit_log"

    def __str__(self) -> str:
        return f"{self.module}.{self.action}"
