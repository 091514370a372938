from __future__ import annotations

from django.conf import settings
from django.db import models

from brokers.models import TradingAccount
from operations.ids import new_id
from orders.models.orders import Order
from orders.states import OrderStatus


class EventSource(models.TextChoices):
    """The channel by which we learned of it."""

    USER = "USER"
    SYSTEM = "SYSTEM"
    REST_API = "REST_API"
    WEBSOCKET = "WEBSOCKET"
    POSTBACK = "POSTBACK"
    RECONCILE = "RECONCILE"
    MANUAL = "MANUAL"


class OrderEvent(models.Model):
    """One thing that happened to an order; never changed, numbered without a gap."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events")
    sequence = models.PositiveIntegerField()
    event_type = models.CharField(max_length=30)
    event_source = models.CharField(max_length=10, choices=EventSource.choices)
    from_status = models.CharField(max_length=20, choices=OrderStatus.choices, blank=True)
    to_status = models.CharField(max_length=20, choices=OrderStatus.choices)
    message = models.TextField(blank=True)
    event_data = models.JSONField(default=dict, blank=True)
    occurred_at = models.DateTimeField(help_text="By the clock of whoever told us")
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "order_events"
        constraints = (
            models.UniqueConstraint(fields=["order", "sequence"], name="uq_order_event_sequence"),
        )

    def __str__(self) -> str:
        return f"#{self.sequence} {self.event_type}"


class ModificationType(models.TextChoices):
    QUANTITY = "QUANTITY"
    PRICE = "PRICE"
    TRIGGER_PRICE = "TRIGGER_PRICE"
    VALIDITY = "VALIDITY"
    ORDER_TYPE = "ORDER_TYPE"


class OrderModification(models.Model):
    """One field of one change that a person asked for. ``succeeded`` is empty until proven."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="modifications")
    modification_type = models.CharField(max_length=15, choices=ModificationType.choices)
    old_value = models.CharField(max_length=40, blank=True)
    new_value = models.CharField(max_length=40)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    succeeded = models.BooleanField(null=True)
    error_message = models.TextField(blank=True)
    requested_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "order_modifications"

    def __str__(self) -> str:
        return f"{self.modification_type} {self.old_value} to {self.new_value}"


class ParkedReport(models.Model):
    """A fill that arrived before its order was known; applied when the order turns up."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(TradingAccount, on_delete=models.CASCADE)
    broker_order_id = models.CharField(max_length=100)
    trade_id = models.CharField(max_length=100)
    report = models.JSONField()
    received_at = models.DateTimeField()
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="When its owner was told that no order has come for it"
    )

    class Meta:
        db_table = "parked_reports"
        constraints = (
            models.UniqueConstraint(fields=["account", "trade_id"], name="uq_parked_trade"),
        )

    def __str__(self) -> str:
        return f"{self.trade_id} for {self.broker_order_id}"
