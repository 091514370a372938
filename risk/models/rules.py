from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from market.models import Instrument
from operations.fields import MoneyField, or_none
from operations.ids import new_id
from risk.kinds import MoneyKind
from risk.rules import AMOUNT_RULES


class RuleType(models.TextChoices):
    """The limits a desk can set. MAX_DAILY_LOSS is also what source 003 calls ``max_loss``."""

    MAX_POSITION_SIZE = "MAX_POSITION_SIZE", "Largest position"
    MAX_DRAWDOWN = "MAX_DRAWDOWN", "Largest fall from the day's peak, % of capital"
    MAX_DAILY_LOSS = "MAX_DAILY_LOSS", "Largest loss in a day"
    MAX_ORDERS_PER_DAY = "MAX_ORDERS_PER_DAY", "Most orders in a day"
    MIN_CAPITAL_THRESHOLD = "MIN_CAPITAL_THRESHOLD", "Least capital to go on trading"
    MAX_LOTS = "MAX_LOTS", "Most lots open in one instrument"
    PROFIT_LOCK = "PROFIT_LOCK", "Profit to keep once it has been reached"
    TRAILING_STOP = "TRAILING_STOP", "Exit when the price falls this many points from its best"


class RiskRule(models.Model):
    """One limit, on the whole workspace or on one account or strategy of it.

    A limit on the whole workspace holds for each kind of money by itself; how each stands is in
    its standings.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="risk_rules")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    account = models.ForeignKey(TradingAccount, on_delete=models.CASCADE, null=True, blank=True)
    # Up by name: a rule may speak of one strategy only.
    user_strategy = models.ForeignKey(
        "strategies.UserStrategy", on_delete=models.CASCADE, null=True, blank=True
    )
    rule_type = models.CharField(max_length=25, choices=RuleType.choices)
    rule_value = MoneyField()
    currency = models.CharField(
        max_length=3, default="INR", help_text="Of a limit that is an amount of money"
    )
    is_active = models.BooleanField(default=True)
    exits_positions = models.BooleanField(
        default=False, help_text="When it is reached, close the positions it speaks of as well"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkspaceOwnedQuerySet["RiskRule"].as_manager()

    class Meta:
        db_table = "risk_rules"
        constraints = (
            models.UniqueConstraint(
                "workspace",
                or_none("account"),
                or_none("user_strategy"),
                "rule_type",
                "currency",
                name="uq_risk_rule",
            ),
            models.CheckConstraint(
                condition=models.Q(rule_value__gt=0), name="ck_risk_rule_value_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(rule_type__in=RuleType.values), name="ck_risk_rule_type"
            ),
        )

    def __str__(self) -> str:
        return f"{self.rule_type} {self.rule_value}"

    @property
    def is_amount(self) -> bool:
        """Tell whether the limit is an amount of money, and so in its currency alone."""
        return self.rule_type in AMOUNT_RULES

    @property
    def worst(self) -> RuleStanding | None:
        """The standing that has reached the limit, if one has; else the newest."""
        return self.standings.order_by("-is_violated", "-evaluated_on", "pk").first()

    @property
    def current_value(self) -> Decimal:
        return self.worst.current_value if self.worst else Decimal(0)

    @property
    def is_violated(self) -> bool:
        return self.standings.filter(is_violated=True).exists()

    @property
    def violation_message(self) -> str:
        return self.worst.violation_message if self.worst else ""


class RuleStanding(models.Model):
    """How one rule stands for one kind of money: its peak, its count, whether it was reached.

    ``replay`` names the account of a replay, which is a kind of its own.
    """

    id = models.BigAutoField(primary_key=True)
    rule = models.ForeignKey(RiskRule, on_delete=models.CASCADE, related_name="standings")
    is_live = models.BooleanField(help_text="Real money")
    currency = models.CharField(max_length=3)
    replay = models.ForeignKey(
        TradingAccount, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    evaluated_on = models.DateField(null=True, blank=True, help_text="Session of the figures here")
    current_value = MoneyField(default=0)
    peak_pnl = MoneyField(default=0, help_text="Best net P&L of that session")
    confirmations = models.PositiveSmallIntegerField(
        default=0, help_text="How often in a row it was found beyond its limit"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    is_violated = models.BooleanField(default=False)
    violation_message = models.TextField(blank=True)

    class Meta:
        db_table = "risk_rule_standings"
        constraints = (
            models.UniqueConstraint(
                "rule", "is_live", "currency", or_none("replay"), name="uq_rule_standing"
            ),
        )

    def __str__(self) -> str:
        return f"{self.current_value} of {self.kind}"

    @property
    def kind(self) -> MoneyKind:
        return MoneyKind(self.is_live, self.currency, self.replay_id)


class ViolationAction(models.TextChoices):
    ORDER_REJECTED = "ORDER_REJECTED"
    POSITION_EXITED = "POSITION_EXITED"
    TRADING_REDUCED = "TRADING_REDUCED"
    KILL_SWITCH_ACTIVATED = "KILL_SWITCH_ACTIVATED"


class RiskViolation(models.Model):
    """A limit that was reached: what was found, what was allowed, what was done."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, null=True, blank=True)
    rule = models.ForeignKey(RiskRule, on_delete=models.SET_NULL, null=True, blank=True)
    violation_type = models.CharField(max_length=30)
    actual_value = MoneyField(null=True, blank=True)
    limit_value = MoneyField(null=True, blank=True)
    message = models.TextField()
    # Up by name: the order that was refused or that crossed the limit.
    order = models.ForeignKey(
        "orders.Order", on_delete=models.PROTECT, null=True, blank=True, related_name="violations"
    )
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, null=True, blank=True)
    action_taken = models.CharField(max_length=25, choices=ViolationAction.choices)
    violated_at = models.DateTimeField()

    objects = WorkspaceOwnedQuerySet["RiskViolation"].as_manager()

    class Meta:
        # The source's statements read `risk_violations` with times as Unix seconds: that is a view.
        db_table = "risk_violation_records"
        indexes = (models.Index(fields=["workspace", "violated_at"], name="idx_violations_recent"),)

    def __str__(self) -> str:
        return f"{self.violation_type}: {self.message}"
