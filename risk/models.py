from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from brokers.terms import Product, Side
from market.models import Instrument
from operations.fields import MoneyField, or_none
from operations.ids import new_id
from portfolio.models import Position


class RuleType(models.TextChoices):
    """The limits a desk can set. MAX_DAILY_LOSS is also what source 003 calls ``max_loss``."""

    MAX_POSITION_SIZE = "MAX_POSITION_SIZE", "Largest position, in rupees"
    MAX_DRAWDOWN = "MAX_DRAWDOWN", "Largest fall from the day's peak, % of capital"
    MAX_DAILY_LOSS = "MAX_DAILY_LOSS", "Largest loss in a day, in rupees"
    MAX_ORDERS_PER_DAY = "MAX_ORDERS_PER_DAY", "Most orders in a day"
    MIN_CAPITAL_THRESHOLD = "MIN_CAPITAL_THRESHOLD", "Least capital to go on trading, in rupees"
    MAX_LOTS = "MAX_LOTS", "Most lots open in one instrument"
    PROFIT_LOCK = "PROFIT_LOCK", "Profit to keep once it has been reached, in rupees"
    TRAILING_STOP = "TRAILING_STOP", "Exit when the price falls this many points from its best"


class RiskRule(models.Model):
    """One limit, on the whole workspace or on one account or strategy of it."""

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
    current_value = MoneyField(default=0)
    is_active = models.BooleanField(default=True)
    exits_positions = models.BooleanField(
        default=False, help_text="When it is reached, close the positions it speaks of as well"
    )
    is_violated = models.BooleanField(default=False)
    violation_message = models.TextField(blank=True)
    evaluated_on = models.DateField(null=True, blank=True, help_text="Session of the figures here")
    peak_pnl = MoneyField(default=0, help_text="Best net P&L of that session")
    confirmations = models.PositiveSmallIntegerField(
        default=0, help_text="How often in a row it was found beyond its limit"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
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


class ControlType(models.TextChoices):
    KILL_SWITCH = "KILL_SWITCH"
    RISK_LIMIT = "RISK_LIMIT"
    POSITION_LIMIT = "POSITION_LIMIT"


class TraderControl(models.Model):
    """A switch or a set of hard limits, with who turned it on and off."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.PROTECT, null=True, blank=True, help_text="Empty: every desk"
    )
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, null=True, blank=True)
    control_type = models.CharField(max_length=15, choices=ControlType.choices)
    daily_loss_limit = MoneyField(null=True, blank=True)
    position_size_limit = MoneyField(null=True, blank=True)
    order_value_limit = MoneyField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    activated_at = models.DateTimeField()
    deactivated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    deactivated_at = models.DateTimeField(null=True, blank=True)

    objects = WorkspaceOwnedQuerySet["TraderControl"].as_manager()

    class Meta:
        db_table = "traders_control"
        constraints = (
            models.UniqueConstraint(
                or_none("workspace"),
                or_none("account"),
                "control_type",
                condition=models.Q(deactivated_at=None),
                name="uq_one_control_in_force",
            ),
            models.CheckConstraint(
                condition=models.Q(control_type__in=ControlType.values), name="ck_control_type"
            ),
        )

    def __str__(self) -> str:
        return f"{self.control_type} since {self.activated_at}"

    @property
    def is_in_force(self) -> bool:
        return self.deactivated_at is None


class Trading(models.TextChoices):
    """ACTIVE: anything. REDUCING: exits only. HALTED: exits and cancels a person asks for only."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class TradingState(models.Model):
    """A state that a person or a rule has set for a workspace, account or strategy.

    Each has a row of its own, so that one does not lift what the other has set; the strictest wins.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="trading_states"
    )
    account = models.ForeignKey(TradingAccount, on_delete=models.CASCADE, null=True, blank=True)
    # Up by name: a strategy may be halted alone.
    user_strategy = models.ForeignKey(
        "strategies.UserStrategy", on_delete=models.CASCADE, null=True, blank=True
    )
    state = models.CharField(max_length=10, choices=Trading.choices, default=Trading.ACTIVE)
    reason = models.CharField(max_length=300, blank=True)
    rule = models.ForeignKey(
        RiskRule,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        help_text="The rule that set it: its state ends with the session, or with the rule",
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    changed_at = models.DateTimeField()

    objects = WorkspaceOwnedQuerySet["TradingState"].as_manager()

    class Meta:
        db_table = "trading_states"
        constraints = (
            models.UniqueConstraint(
                "workspace",
                or_none("account"),
                or_none("user_strategy"),
                or_none("rule"),
                name="uq_trading_state",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=Trading.values), name="ck_trading_state"
            ),
        )

    def __str__(self) -> str:
        return self.state


class Reservation(models.Model):
    """What an order may still become, held against the limits until the order has ended."""

    id = models.BigAutoField(primary_key=True)
    order_id = models.UUIDField(unique=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    account = models.ForeignKey(TradingAccount, on_delete=models.CASCADE)
    user_strategy_id = models.UUIDField(null=True, blank=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT)
    product = models.CharField(max_length=5, choices=Product.choices)
    side = models.CharField(max_length=4, choices=Side.choices)
    quantity = models.PositiveBigIntegerField(help_text="Still unfilled")
    price = MoneyField(help_text="What the order was judged at")
    margin = MoneyField(default=0, help_text="Blocked for the unfilled part")
    is_exit = models.BooleanField(default=False)
    session_date = models.DateField()
    created_at = models.DateTimeField()
    handed_over_at = models.DateTimeField(
        null=True, blank=True, help_text="From then on the broker blocks the margin itself"
    )
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "risk_reservations"
        indexes = (
            models.Index(
                fields=["account", "instrument"],
                condition=models.Q(released_at=None),
                name="idx_reservations_held",
            ),
            models.Index(fields=["account", "session_date"], name="idx_reservations_day"),
        )

    def __str__(self) -> str:
        return f"{self.side} {self.quantity}"


class PositionExtreme(models.Model):
    """The best price a position has seen, which its trailing stop is measured from."""

    position = models.OneToOneField(
        Position, on_delete=models.CASCADE, primary_key=True, related_name="extreme"
    )
    best_price = MoneyField()
    confirmations = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "position_extremes"

    def __str__(self) -> str:
        return f"{self.best_price}"
