from __future__ import annotations

from decimal import Decimal

from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from market.models import Instrument
from operations.fields import MoneyField
from operations.ids import new_id


class Holding(models.Model):
    """Delivered shares: settled in the depository (dp) or bought and due tomorrow (t1)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="holdings")
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="holdings")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="holdings")
    total_quantity = models.PositiveBigIntegerField(default=0)
    dp_quantity = models.PositiveBigIntegerField(default=0)
    t1_quantity = models.PositiveBigIntegerField(default=0)
    pending_quantity = models.PositiveBigIntegerField(
        default=0, help_text="Of a split or bonus, not credited yet: it cannot be sold"
    )
    t1_bought_on = models.DateField(null=True, blank=True, help_text="Trading day of what is due")
    available_quantity = models.PositiveBigIntegerField(default=0)
    collateral_quantity = models.PositiveBigIntegerField(default=0)
    average_price = MoneyField(default=0)
    last_price = MoneyField(null=True, blank=True)
    as_of = models.DateTimeField()

    objects = WorkspaceOwnedQuerySet["Holding"].as_manager()

    class Meta:
        db_table = "holdings"
        constraints = (
            models.UniqueConstraint(fields=["account", "instrument"], name="uq_holding"),
            models.CheckConstraint(
                condition=models.Q(
                    total_quantity=models.F("dp_quantity")
                    + models.F("t1_quantity")
                    + models.F("pending_quantity")
                ),
                name="ck_holding_parts_add_up",
            ),
        )

    def __str__(self) -> str:
        return f"{self.total_quantity} × {self.instrument_id}"

    @property
    def pnl(self) -> Decimal | None:
        """Gain over cost; None while no price is known."""
        if self.last_price is None:
            return None
        return (self.last_price - self.average_price) * self.total_quantity


class EdisStatus(models.TextChoices):
    PENDING = "PENDING"
    AUTHORISED = "AUTHORISED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


class EdisTransaction(models.Model):
    """One permission to deliver shares out of the depository."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT)
    isin = models.CharField(max_length=12)
    quantity = models.PositiveBigIntegerField(default=0)
    tpin = models.TextField(blank=True, help_text="Sealed; never shown")
    status = models.CharField(max_length=10, choices=EdisStatus.choices, default=EdisStatus.PENDING)
    cdsl_request_id = models.CharField(max_length=50, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "edis_transactions"

    def __str__(self) -> str:
        return f"{self.isin} {self.status}"
