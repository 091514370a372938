from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from market.models import Instrument
from operations.fields import MoneyField
from operations.ids import new_id
from orders.models import Order
from portfolio.models import Portfolio


class Basket(models.Model):
    """A weighted list of instruments (source 002 calls it a smallcase)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    category = models.CharField(max_length=50, blank=True)
    min_investment = MoneyField(default=0)
    risk_level = models.CharField(max_length=20, blank=True)
    is_active = models.BooleanField(default=True)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "smallcases"

    def __str__(self) -> str:
        return self.name


class Constituent(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="constituents")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    weight_percentage = models.DecimalField(max_digits=7, decimal_places=4)
    rationale = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "smallcase_constituents"
        constraints = (
            models.UniqueConstraint(fields=["basket", "instrument"], name="uq_constituent"),
            models.CheckConstraint(
                condition=models.Q(weight_percentage__gt=0, weight_percentage__lte=100),
                name="ck_constituent_weight",
            ),
        )

    def __str__(self) -> str:
        return f"{self.weight_percentage}% {self.instrument_id}"


class InvestmentStatus(models.TextChoices):
    PENDING = "pending"
    ACTIVE = "active"
    PARTIAL = "partial"
    CLOSED = "closed"
    FAILED = "failed"


class ExecutionMode(models.TextChoices):
    PAPER = "paper"
    LIVE = "live"


class Investment(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="investments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    basket = models.ForeignKey(Basket, on_delete=models.PROTECT, related_name="investments")
    portfolio = models.ForeignKey(Portfolio, on_delete=models.PROTECT)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT)
    investment_amount = MoneyField()
    status = models.CharField(
        max_length=10, choices=InvestmentStatus.choices, default=InvestmentStatus.PENDING
    )
    execution_mode = models.CharField(
        max_length=5, choices=ExecutionMode.choices, default=ExecutionMode.PAPER
    )
    invested_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkspaceOwnedQuerySet["Investment"].as_manager()

    class Meta:
        db_table = "user_smallcase_investments"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(investment_amount__gt=0), name="ck_investment_positive"
            ),
        )

    def __str__(self) -> str:
        return f"{self.basket} {self.investment_amount}"


class RunType(models.TextChoices):
    INVEST = "invest"
    ADD = "add"
    REBALANCE = "rebalance"
    PARTIAL_EXIT = "partial_exit"
    EXIT = "exit"


class RunStatus(models.TextChoices):
    PLANNED = "planned"
    RUNNING = "running"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"


class ExecutionRun(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    investment = models.ForeignKey(Investment, on_delete=models.PROTECT, related_name="runs")
    run_type = models.CharField(max_length=15, choices=RunType.choices)
    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.PLANNED)
    total_amount = MoneyField(default=0)
    execution_plan = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "smallcase_execution_runs"

    def __str__(self) -> str:
        return f"{self.run_type} {self.status}"


class ExecutionOrder(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run = models.ForeignKey(ExecutionRun, on_delete=models.PROTECT, related_name="orders")
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="execution_order")
    order_metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "smallcase_execution_orders"

    def __str__(self) -> str:
        return f"{self.order_id}"


class PositionSnapshot(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    investment = models.ForeignKey(Investment, on_delete=models.PROTECT, related_name="snapshots")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    quantity = MoneyField()
    average_price = MoneyField()
    market_value = MoneyField()
    unrealized_pnl = MoneyField()
    snapshot_date = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "user_smallcase_position_history"
        constraints = (
            models.UniqueConstraint(
                fields=["investment", "instrument", "snapshot_date"], name="uq_basket_snapshot"
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.instrument_id}"
