from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from market.models import Instrument
from operations.fields import MoneyField
from operations.ids import new_id


class Portfolio(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="portfolios")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    total_value = MoneyField(default=0)
    cash_balance = MoneyField(default=0)
    currency = models.CharField(max_length=3, default="INR")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkspaceOwnedQuerySet["Portfolio"].as_manager()

    class Meta:
        db_table = "portfolios"
        constraints = (
            models.UniqueConstraint(fields=["workspace", "name"], name="uq_portfolio_name"),
        )

    def __str__(self) -> str:
        return self.name


class PortfolioHolding(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    portfolio = models.ForeignKey(Portfolio, on_delete=models.CASCADE, related_name="holdings")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    quantity = MoneyField(default=0)
    average_price = MoneyField(default=0)
    current_price = MoneyField(null=True, blank=True)
    total_value = MoneyField(default=0)
    unrealized_pnl = MoneyField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "portfolio_holdings"
        constraints = (
            models.UniqueConstraint(
                fields=["portfolio", "instrument"], name="uq_portfolio_holding"
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.instrument_id}"


class TransactionType(models.TextChoices):
    BUY = "BUY"
    SELL = "SELL"
    DIVIDEND = "DIVIDEND"
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    CHARGE = "CHARGE"


class Transaction(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    portfolio = models.ForeignKey(Portfolio, on_delete=models.PROTECT, related_name="transactions")
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    transaction_type = models.CharField(max_length=10, choices=TransactionType.choices)
    quantity = MoneyField(default=0)
    price = MoneyField(default=0)
    fees = MoneyField(default=0)
    broker_transaction_id = models.CharField(max_length=100, blank=True)
    transaction_date = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "trading_transactions"
        indexes = (
            models.Index(fields=["portfolio", "transaction_date"], name="idx_transactions_date"),
        )

    def __str__(self) -> str:
        return f"{self.transaction_type} {self.quantity}"
