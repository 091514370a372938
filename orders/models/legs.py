from __future__ import annotations

from django.db import models

from operations.fields import MoneyField
from operations.ids import new_id
from orders.models.orders import Order
from orders.states import OrderStatus


class LegType(models.TextChoices):
    ENTRY = "ENTRY"
    TARGET = "TARGET"
    SL = "SL", "Stop loss"


class BracketLeg(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    parent_order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="legs")
    order = models.OneToOneField(
        Order, on_delete=models.PROTECT, null=True, blank=True, related_name="leg"
    )
    leg_type = models.CharField(max_length=6, choices=LegType.choices)
    quantity = models.PositiveBigIntegerField()
    price = MoneyField(null=True, blank=True)
    trigger_price = MoneyField(null=True, blank=True)
    status = models.CharField(
        max_length=20, choices=OrderStatus.choices, default=OrderStatus.PENDING
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "bracket_order_legs"
        constraints = (
            models.UniqueConstraint(fields=["parent_order", "leg_type"], name="uq_bracket_leg"),
        )

    def __str__(self) -> str:
        return f"{self.leg_type} {self.status}"
