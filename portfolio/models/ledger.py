from __future__ import annotations

from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from operations.fields import MoneyField
from operations.ids import new_id


class LedgerName(models.TextChoices):
    """The books of an account. Debits and credits of every voucher are equal across them."""

    CASH = "CASH"
    CAPITAL = "CAPITAL", "Money brought in"
    TRADING = "TRADING", "Value of trades"
    CHARGES = "CHARGES"
    ADJUSTMENT = "ADJUSTMENT"


class LedgerEntry(models.Model):
    """One line of double entry. CASH debited is money received; balance is debits less credits."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="ledger")
    ledger = models.CharField(max_length=12, choices=LedgerName.choices)
    entry_date = models.DateField()
    voucher_number = models.CharField(max_length=64)
    particulars = models.CharField(max_length=300)
    debit = MoneyField(default=0)
    credit = MoneyField(default=0)
    running_balance = MoneyField(help_text="Of this ledger of this account, after this line")
    created_at = models.DateTimeField()

    objects = WorkspaceOwnedQuerySet["LedgerEntry"].as_manager()

    class Meta:
        db_table = "ledger_entries"
        indexes = (models.Index(fields=["account", "ledger", "id"], name="idx_ledger_balance"),)
        constraints = (
            models.UniqueConstraint(
                fields=["account", "voucher_number", "ledger"], name="uq_voucher_line"
            ),
            models.CheckConstraint(
                condition=models.Q(debit=0, credit__gte=0) | models.Q(credit=0, debit__gte=0),
                name="ck_ledger_one_side",
            ),
        )

    def __str__(self) -> str:
        return f"{self.voucher_number} {self.ledger}"


class Funds(models.Model):
    """An account's money at one moment; the newest row is current, the others are history."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="funds")
    cash = MoneyField(default=0, help_text="The broker's settled ledger balance")
    available_balance = MoneyField()
    sod_limit = MoneyField()
    collateral_value = MoneyField(default=0)
    margin_used = MoneyField(default=0)
    margin_available = MoneyField(default=0)
    withdrawable_balance = MoneyField(default=0)
    blocked_margin = MoneyField(default=0)
    as_of = models.DateTimeField()

    objects = WorkspaceOwnedQuerySet["Funds"].as_manager()

    class Meta:
        db_table = "funds"
        indexes = (models.Index(fields=["account", "-as_of"], name="idx_funds_latest"),)

    def __str__(self) -> str:
        return f"{self.account} {self.available_balance}"


class MarginRequirement(models.Model):
    """What an order needed when it was judged."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT)
    # Up by name: the order it was worked out for.
    order = models.OneToOneField(
        "orders.Order", on_delete=models.CASCADE, null=True, related_name="margin_requirement"
    )
    total_margin = MoneyField()
    span_margin = MoneyField(default=0)
    exposure_margin = MoneyField(default=0)
    var_margin = MoneyField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "margin_requirements"

    def __str__(self) -> str:
        return f"{self.total_margin}"
