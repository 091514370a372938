from __future__ import annotations

from django.db import models

from brokers.models import TradingAccount
from brokers.terms import Product
from market.models import Instrument
from operations.fields import MoneyField
from operations.ids import new_id


class DifferenceState(models.TextChoices):
    OPEN = "OPEN", "Open"
    ADJUSTED = "ADJUSTED", "Adjusted"
    GONE = "GONE", "Gone by itself"


class PositionDifferenceQuerySet(models.QuerySet["PositionDifference"]):
    def open(self) -> PositionDifferenceQuerySet:
        return self.filter(state=DifferenceState.OPEN)

    def credible(self) -> PositionDifferenceQuerySet:
        """Those of which the broker's side may be true: what contradicts itself is not."""
        return self.open().filter(is_doubted=False)


class PositionDifference(models.Model):
    """What we hold of an instrument and what its broker says, where the two are not the same.

    While it is open, nothing enters there; ``reason`` says what it waits for, or what came of it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(
        TradingAccount, on_delete=models.PROTECT, related_name="position_differences"
    )
    instrument_key = models.CharField(max_length=120)
    # None while the instrument has not been imported: nothing can be traded in it either.
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    product = models.CharField(max_length=5, choices=Product.choices)
    ours = models.BigIntegerField(help_text="Signed: short is negative")
    theirs = models.BigIntegerField(help_text="Signed, as the broker last told it")
    price = MoneyField(null=True, blank=True, help_text="The broker's average, where it told one")
    first_seen_at = models.DateTimeField()
    same_since = models.DateTimeField(help_text="Since when every reading has said these figures")
    last_seen_at = models.DateTimeField()
    readings = models.PositiveIntegerField(
        default=0, help_text="Good readings in a row that said the same"
    )
    is_doubted = models.BooleanField(
        default=False, help_text="The broker's report cannot be true: it is never adopted"
    )
    state = models.CharField(
        max_length=8, choices=DifferenceState.choices, default=DifferenceState.OPEN
    )
    told_at = models.DateTimeField(null=True, blank=True, help_text="When its owner was told")
    adjusted_at = models.DateTimeField(null=True, blank=True)
    adjustment_id = models.UUIDField(null=True, blank=True, help_text="The order that records it")
    reason = models.TextField(blank=True)

    objects = PositionDifferenceQuerySet.as_manager()

    class Meta:
        db_table = "position_differences"
        indexes = (
            models.Index(fields=["account", "-last_seen_at"], name="idx_differences_account"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["account", "instrument_key", "product"],
                condition=models.Q(state="OPEN"),
                name="uq_one_open_difference",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=DifferenceState.values), name="ck_difference_state"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="ADJUSTED") | models.Q(adjusted_at__isnull=False),
                name="ck_difference_adjusted_at",
            ),
        )

    def __str__(self) -> str:
        return f"{self.instrument_key} {self.product}: {self.ours} here, {self.theirs} there"

    @property
    def missing(self) -> int:
        """What our books lack, signed: a purchase is positive."""
        return self.theirs - self.ours
