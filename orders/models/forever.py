from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from brokers.terms import OrderType, Product, Side
from market.models import Instrument
from operations.fields import MoneyField
from operations.ids import new_id
from orders.models.orders import Order


class ForeverKind(models.TextChoices):
    SINGLE = "SINGLE"
    OCO = "OCO", "One cancels the other"


class TriggerCondition(models.TextChoices):
    LTP_ABOVE = "LTP_ABOVE"
    LTP_BELOW = "LTP_BELOW"
    LTP_RANGE = "LTP_RANGE"


class ForeverStatus(models.TextChoices):
    ACTIVE = "ACTIVE"
    TRIGGERED = "TRIGGERED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"


class ForeverOrder(models.Model):
    """An order that waits, for days, for a price (GTT)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.PROTECT, related_name="forever_orders"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    account = models.ForeignKey(
        TradingAccount, on_delete=models.PROTECT, related_name="forever_orders"
    )
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    broker_trigger_id = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=6, choices=ForeverKind.choices)
    trigger_condition = models.CharField(max_length=10, choices=TriggerCondition.choices)
    side = models.CharField(max_length=4, choices=Side.choices)
    product = models.CharField(max_length=5, choices=Product.choices)
    order_type = models.CharField(max_length=6, choices=OrderType.choices, default=OrderType.LIMIT)
    quantity = models.PositiveBigIntegerField()
    trigger_price = MoneyField()
    price = MoneyField()
    second_trigger_price = MoneyField(null=True, blank=True)
    second_price = MoneyField(null=True, blank=True)
    triggered_order = models.ForeignKey(
        Order, on_delete=models.PROTECT, null=True, blank=True, related_name="forever_orders"
    )
    status = models.CharField(
        max_length=10, choices=ForeverStatus.choices, default=ForeverStatus.ACTIVE
    )
    error_message = models.TextField(blank=True)
    expires_at = models.DateTimeField()
    triggered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkspaceOwnedQuerySet["ForeverOrder"].as_manager()

    class Meta:
        db_table = "forever_orders"
        indexes = (models.Index(fields=["status"], name="idx_forever_status"),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0, trigger_price__gt=0, price__gt=0),
                name="ck_forever_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="SINGLE") | models.Q(second_trigger_price__gt=0),
                name="ck_forever_oco_has_two_triggers",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.side} {self.quantity}"
