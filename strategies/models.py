from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from brokers.terms import Product, Side
from market.models import Instrument, Interval
from operations.fields import MoneyField
from operations.ids import new_id
from orders.models import Order


class RiskLevel(models.TextChoices):
    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


class StrategyType(models.TextChoices):
    BUILT_IN = "built-in"
    CUSTOM = "custom"
    CONNECTOR = "connector"


class StrategyQuerySet(models.QuerySet["Strategy"]):
    def available_in(self, workspace: Workspace) -> StrategyQuerySet:
        return self.filter(models.Q(workspace=None) | models.Q(workspace=workspace), is_active=True)


class Strategy(models.Model):
    """A way to trade, in the catalogue: what it is, what it needs, its parameters' defaults."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    description = models.TextField()
    category = models.CharField(max_length=50)
    type = models.CharField(
        max_length=10, choices=StrategyType.choices, default=StrategyType.BUILT_IN
    )
    algorithm = models.CharField(max_length=50, help_text="The code that decides, by name")
    risk_level = models.CharField(max_length=20, choices=RiskLevel.choices)
    min_capital = MoneyField(default=0)
    expected_return_annual = models.DecimalField(
        max_digits=7, decimal_places=2, default=0, help_text="% a year; 0: not measured"
    )
    max_drawdown = models.DecimalField(
        max_digits=7, decimal_places=2, default=0, help_text="%; 0: not measured"
    )
    symbols = models.JSONField(default=list, help_text="Instrument keys it trades by default")
    parameters = models.JSONField(default=dict)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, null=True, blank=True, help_text="Empty: for all"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StrategyQuerySet.as_manager()

    class Meta:
        db_table = "strategies"

    def __str__(self) -> str:
        return self.name


class ActivationStatus(models.TextChoices):
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


class UserStrategyQuerySet(WorkspaceOwnedQuerySet["UserStrategy"]):
    def running(self) -> UserStrategyQuerySet:
        return self.filter(status=ActivationStatus.ACTIVE)

    def not_stopped(self) -> UserStrategyQuerySet:
        return self.exclude(status=ActivationStatus.STOPPED)


class UserStrategy(models.Model):
    """A strategy that a person has switched on: for which account, how much, how it does."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.PROTECT, related_name="user_strategies"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    strategy = models.ForeignKey(Strategy, on_delete=models.PROTECT, related_name="activations")
    account = models.ForeignKey(
        TradingAccount, on_delete=models.PROTECT, related_name="user_strategies"
    )
    instruments = models.ManyToManyField(Instrument, related_name="+")
    interval = models.CharField(max_length=4, choices=Interval.choices, default=Interval.M5)
    product = models.CharField(max_length=5, choices=Product.choices, default=Product.MIS)
    status = models.CharField(
        max_length=10, choices=ActivationStatus.choices, default=ActivationStatus.ACTIVE
    )
    allocation_amount = MoneyField(default=0)
    custom_parameters = models.JSONField(default=dict, blank=True)
    total_orders = models.PositiveIntegerField(default=0)
    successful_orders = models.PositiveIntegerField(default=0)
    total_pnl = MoneyField(default=0, help_text="Realised, after charges")
    activated_at = models.DateTimeField()
    deactivated_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = UserStrategyQuerySet.as_manager()

    class Meta:
        db_table = "user_strategies"
        indexes = (models.Index(fields=["status"], name="idx_user_strategies_status"),)
        constraints = (
            models.UniqueConstraint(
                fields=["user", "strategy", "account"],
                condition=~models.Q(status="STOPPED"),
                name="uq_one_running_activation",
            ),
            models.CheckConstraint(
                condition=models.Q(allocation_amount__gte=0),
                name="ck_allocation_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=ActivationStatus.values),
                name="ck_activation_status",
            ),
            models.CheckConstraint(
                condition=models.Q(successful_orders__lte=models.F("total_orders")),
                name="ck_activation_counters",
            ),
        )

    def __str__(self) -> str:
        return f"{self.strategy} on {self.account}"

    @property
    def is_active(self) -> bool:
        return self.status == ActivationStatus.ACTIVE

    @property
    def parameters(self) -> dict[str, Any]:
        """The catalogue's defaults, overlaid by this person's own."""
        return {**self.strategy.parameters, **self.custom_parameters}


class SignalStatus(models.TextChoices):
    RECORDED = "RECORDED", "Recorded"
    ORDERED = "ORDERED", "Order placed"
    REFUSED = "REFUSED", "Refused"
    EXPIRED = "EXPIRED", "Too late"


class Signal(models.Model):
    """What a strategy decided at one candle's close; written before any order."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user_strategy = models.ForeignKey(
        UserStrategy, on_delete=models.PROTECT, related_name="signals"
    )
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    signal_type = models.CharField(max_length=10, choices=Side.choices)
    price = MoneyField()
    quantity = models.PositiveBigIntegerField()
    is_exit = models.BooleanField(default=False)
    candle_at = models.DateTimeField(help_text="Opening time of the candle that gave it")
    reason = models.CharField(max_length=300)
    status = models.CharField(
        max_length=10, choices=SignalStatus.choices, default=SignalStatus.RECORDED
    )
    outcome = models.CharField(max_length=300, blank=True)
    order = models.OneToOneField(
        Order, on_delete=models.PROTECT, null=True, blank=True, related_name="signal"
    )
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "strategy_signals"
        indexes = (
            models.Index(fields=["user_strategy", "-created_at"], name="idx_signals_recent"),
            models.Index(
                fields=["created_at"],
                condition=models.Q(status="RECORDED"),
                name="idx_signals_waiting",
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["user_strategy", "instrument", "candle_at", "signal_type"],
                name="uq_signal_per_candle",
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0, price__gt=0), name="ck_signal_positive"
            ),
        )

    def __str__(self) -> str:
        return f"{self.signal_type} {self.quantity} at {self.price}"


# In the note of a candle on which the strategy wanted to trade and could not.
NOT_TAKEN = "not taken:"


class CandleEvaluation(models.Model):
    """That one activation has judged one candle: the claim which makes it happen once."""

    id = models.BigAutoField(primary_key=True)
    user_strategy = models.ForeignKey(
        UserStrategy, on_delete=models.CASCADE, related_name="evaluations"
    )
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="+")
    candle_at = models.DateTimeField()
    evaluated_at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True, help_text="Why nothing came of it")

    class Meta:
        db_table = "candle_evaluations"
        constraints = (
            models.UniqueConstraint(
                fields=["user_strategy", "instrument", "candle_at"], name="uq_candle_evaluation"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_strategy_id} {self.candle_at}"
