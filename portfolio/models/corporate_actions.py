from __future__ import annotations

from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from brokers.terms import Product
from market.models import CorporateAction, CorporateActionKind, Instrument
from operations.ids import new_id
from portfolio.corporate_actions import ShareChange


class ShareCreditQuerySet(WorkspaceOwnedQuerySet["ShareCredit"]):
    def pending(self) -> ShareCreditQuerySet:
        """Shares that the depository has not credited yet, as far as anybody knows."""
        return self.filter(credited_at=None)

    def quantity(self, product: str) -> int:
        """How many of them came of the shares of one product."""
        return sum(row.pending_of(product) for row in self)


class ShareCredit(models.Model):
    """A split, bonus or consolidation as it reached one account's books: an event among its trades.

    ``after_entry`` is the last ledger line before it, so that the books can be folded again in the
    order in which they were written.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(
        TradingAccount, on_delete=models.PROTECT, related_name="share_credits"
    )
    action = models.ForeignKey(CorporateAction, on_delete=models.PROTECT, related_name="credits")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=CorporateActionKind.choices)
    ex_date = models.DateField()
    factor = models.DecimalField(max_digits=15, decimal_places=8)
    quantity_before = models.PositiveBigIntegerField()
    quantity_after = models.PositiveBigIntegerField()
    pending_quantity = models.PositiveBigIntegerField(
        default=0, help_text="Shares to be credited: they count in value and cannot be sold"
    )
    pending_mtf_quantity = models.PositiveBigIntegerField(
        default=0, help_text="How many of them came of shares bought on margin (MTF)"
    )
    fraction = models.DecimalField(
        max_digits=15, decimal_places=8, default=0, help_text="Paid in money by the company"
    )
    after_entry = models.BigIntegerField(default=0)
    applied_at = models.DateTimeField()
    credited_at = models.DateTimeField(null=True, blank=True)

    objects = ShareCreditQuerySet.as_manager()

    class Meta:
        db_table = "share_credits"
        indexes = (models.Index(fields=["account", "instrument"], name="idx_share_credits"),)
        constraints = (
            models.UniqueConstraint(fields=["account", "action"], name="uq_share_credit"),
            models.CheckConstraint(condition=models.Q(factor__gt=0), name="ck_share_credit_factor"),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.instrument_id}: {self.quantity_before}, then more"

    def pending_of(self, product: str) -> int:
        """How many of its shares came of those of one product."""
        if product == Product.MTF:
            return self.pending_mtf_quantity
        return self.pending_quantity - self.pending_mtf_quantity if product == Product.CNC else 0

    @property
    def change(self) -> ShareChange:
        return ShareChange(
            self.instrument_id,
            self.ex_date,
            self.factor,
            keeps_cost=self.kind == CorporateActionKind.BONUS,
        )
