from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.terms import Exchange
from operations.fields import MoneyField
from operations.ids import new_id


class SettlementPrice(models.Model):
    """The exchange's final settlement price of an underlying, as a person read it; kept for ever.

    It holds for the accounts of one workspace, since its people answer for what they have read.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.PROTECT, related_name="settlement_prices"
    )
    exchange = models.CharField(max_length=10, choices=Exchange.choices)
    underlying = models.CharField(max_length=100, help_text="As the contracts name it: NIFTY")
    expiry = models.DateField()
    price = MoneyField()
    evidence = models.CharField(max_length=500, help_text="Where it was read")
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    entered_at = models.DateTimeField()

    objects = WorkspaceOwnedQuerySet["SettlementPrice"].as_manager()

    class Meta:
        db_table = "settlement_prices"
        constraints = (
            models.UniqueConstraint(
                fields=["workspace", "exchange", "underlying", "expiry"],
                name="uq_settlement_price",
            ),
            models.CheckConstraint(
                condition=models.Q(price__gt=0), name="ck_settlement_price_positive"
            ),
        )

    def __str__(self) -> str:
        return f"{self.underlying} on {self.expiry}: {self.price}"
