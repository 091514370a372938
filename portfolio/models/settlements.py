from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from market.models import Instrument
from operations.fields import MoneyField
from operations.ids import new_id
from portfolio.models.positions import Position


class SettlementState(models.TextChoices):
    AWAITING_PRICE = "AWAITING_PRICE", "Awaiting the final price"
    SETTLED = "SETTLED", "Settled"
    DELIVERY_PENDING = "DELIVERY", "Delivery pending"
    DELIVERED = "DELIVERED", "Delivery confirmed"


class ExpirySettlementQuerySet(WorkspaceOwnedQuerySet["ExpirySettlement"]):
    def open(self) -> ExpirySettlementQuerySet:
        """What a person still has to look after."""
        return self.filter(
            state__in=[SettlementState.AWAITING_PRICE, SettlementState.DELIVERY_PENDING]
        )

    def awaiting_price(self) -> ExpirySettlementQuerySet:
        return self.filter(state=SettlementState.AWAITING_PRICE)


class ExpirySettlement(models.Model):
    """How the exchange ends one position of an expired contract, and what is left to do of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(
        TradingAccount, on_delete=models.PROTECT, related_name="expiry_settlements"
    )
    position = models.OneToOneField(
        Position, on_delete=models.PROTECT, related_name="expiry_settlement"
    )
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    quantity = models.BigIntegerField(help_text="Of the contract; signed: short is negative")
    state = models.CharField(
        max_length=14, choices=SettlementState.choices, default=SettlementState.AWAITING_PRICE
    )
    final_price = MoneyField(
        null=True, blank=True, help_text="Of the underlying, as the exchange states it"
    )
    settled_at_price = MoneyField(
        null=True, blank=True, help_text="At which the contract's position ended"
    )
    delivery_quantity = models.BigIntegerField(
        default=0, help_text="Shares to take; negative: shares to give"
    )
    delivery_price = MoneyField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="What it waits for, or what came of it")
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    evidence = models.CharField(max_length=500, blank=True, help_text="Of the delivery")

    objects = ExpirySettlementQuerySet.as_manager()

    class Meta:
        db_table = "expiry_settlements"
        indexes = (models.Index(fields=["account", "state"], name="idx_settlements_account"),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state__in=SettlementState.values), name="ck_settlement_state"
            ),
            models.CheckConstraint(
                condition=models.Q(state="AWAITING_PRICE")
                | models.Q(final_price__gt=0, settled_at__isnull=False),
                name="ck_settlement_has_price",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["DELIVERY", "DELIVERED"])
                | ~models.Q(delivery_quantity=0),
                name="ck_settlement_delivers_shares",
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.instrument_id} {self.state}"
