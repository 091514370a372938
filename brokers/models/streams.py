from __future__ import annotations

from django.db import models

from brokers.models.connections import BrokerConnection, TradingAccount
from operations.ids import new_id


class StreamStatus(models.TextChoices):
    CONNECTING = "CONNECTING"
    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    ERROR = "ERROR"


class ProcessingStatus(models.TextChoices):
    RECEIVED = "RECEIVED"
    PROCESSED = "PROCESSED"
    DUPLICATE = "DUPLICATE"
    FAILED = "FAILED"


class StreamConnection(models.Model):
    """One live connection to a broker's stream."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    connection = models.ForeignKey(
        BrokerConnection, on_delete=models.CASCADE, related_name="streams"
    )
    account = models.ForeignKey(TradingAccount, on_delete=models.CASCADE, null=True, blank=True)
    status = models.CharField(
        max_length=15, choices=StreamStatus.choices, default=StreamStatus.CONNECTING
    )
    subscribed_events = models.JSONField(default=list, blank=True)
    last_heartbeat_at = models.DateTimeField(null=True, blank=True)
    reconnect_attempts = models.PositiveIntegerField(default=0)
    connected_at = models.DateTimeField(null=True, blank=True)
    disconnected_at = models.DateTimeField(null=True, blank=True)
    error_message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "websocket_connections"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(status__in=StreamStatus.values), name="ck_stream_status"
            ),
        )

    def __str__(self) -> str:
        return f"{self.connection} {self.status}"

    @property
    def is_for_prices(self) -> bool:
        return bool(self.subscribed_events[:1] == ["MARKET"])


class StreamMessage(models.Model):
    id = models.BigAutoField(primary_key=True)
    stream = models.ForeignKey(StreamConnection, on_delete=models.CASCADE, related_name="messages")
    message_type = models.CharField(max_length=30)
    payload = models.JSONField(default=dict)
    sequence = models.PositiveBigIntegerField()
    broker_order_id = models.CharField(max_length=100, blank=True)
    processing_status = models.CharField(
        max_length=10, choices=ProcessingStatus.choices, default=ProcessingStatus.RECEIVED
    )
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "websocket_messages"
        constraints = (
            models.UniqueConstraint(fields=["stream", "sequence"], name="uq_stream_sequence"),
        )

    def __str__(self) -> str:
        return f"{self.message_type} #{self.sequence}"


class PostbackConfig(models.Model):
    """Where a broker posts order updates, and the sealed secret that signs them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    connection = models.ForeignKey(
        BrokerConnection, on_delete=models.CASCADE, related_name="postback_configs"
    )
    webhook_url = models.URLField(max_length=500)
    secret = models.TextField(blank=True, help_text="Sealed; never shown")
    event_types = models.JSONField(default=list, blank=True)
    is_active = models.BooleanField(default=True)
    last_triggered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "postback_configs"

    def __str__(self) -> str:
        return f"{self.connection} postbacks"


class PostbackEvent(models.Model):
    id = models.BigAutoField(primary_key=True)
    config = models.ForeignKey(PostbackConfig, on_delete=models.CASCADE, related_name="events")
    event_type = models.CharField(max_length=50)
    payload = models.JSONField(default=dict)
    signature_valid = models.BooleanField(null=True)
    processing_status = models.CharField(
        max_length=10, choices=ProcessingStatus.choices, default=ProcessingStatus.RECEIVED
    )
    error_message = models.TextField(blank=True)
    body_hash = models.CharField(max_length=64, unique=True)
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "postback_events"

    def __str__(self) -> str:
        return f"{self.event_type} {self.processing_status}"
