from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from operations.fields import MoneyField, or_none
from operations.ids import new_id
from risk.models.rules import RiskRule
from risk.stopping import CancelledEntries


class ControlType(models.TextChoices):
    KILL_SWITCH = "KILL_SWITCH"
    RISK_LIMIT = "RISK_LIMIT"
    POSITION_LIMIT = "POSITION_LIMIT"


class SetBy(models.TextChoices):
    """Who has set a stop, which decides who may release it: see ``risk.releasing``."""

    TRADER = "TRADER", "a trader"
    ADMIN = "ADMIN", "an admin"
    OWNER = "OWNER", "an owner"
    RULE = "RULE", "a rule"
    OPERATOR = "OPERATOR", "whoever runs this server"


class TraderControlQuerySet(WorkspaceOwnedQuerySet["TraderControl"]):
    def in_force(self) -> TraderControlQuerySet:
        return self.filter(deactivated_at=None)

    def kill_switches(self) -> TraderControlQuerySet:
        """The kill switches in force: of every desk, of a workspace, or of one account."""
        return self.in_force().filter(control_type=ControlType.KILL_SWITCH)


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
    set_by = models.CharField(max_length=10, choices=SetBy.choices, default=SetBy.OWNER)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    activated_at = models.DateTimeField()
    deactivated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    deactivated_at = models.DateTimeField(null=True, blank=True)

    # No column: what setting it has cancelled, for whoever has just set it.
    cancelled = CancelledEntries()

    objects = TraderControlQuerySet.as_manager()

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
            models.CheckConstraint(
                condition=models.Q(set_by__in=SetBy.values), name="ck_control_set_by"
            ),
        )

    def __str__(self) -> str:
        return f"{self.control_type} since {self.activated_at}"

    @property
    def has_amounts(self) -> bool:
        limits = (self.daily_loss_limit, self.position_size_limit, self.order_value_limit)
        return any(limit is not None for limit in limits)

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

    Each has a row of its own, as have trader, admin and owner, so that one does not lift what the
    other has set; the strictest wins. A person stops every kind of money; a rule of the workspace
    the one kind that reached its limit, which ``is_live`` and ``currency`` name. A replay that
    reached it is stopped as an account.
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
    is_live = models.BooleanField(null=True, blank=True, help_text="Empty: every kind of money")
    currency = models.CharField(max_length=3, blank=True)
    set_by = models.CharField(max_length=10, choices=SetBy.choices, default=SetBy.OWNER)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    changed_at = models.DateTimeField()

    # No column: what setting it has cancelled, for whoever has just set it.
    cancelled = CancelledEntries()

    objects = WorkspaceOwnedQuerySet["TradingState"].as_manager()

    class Meta:
        db_table = "trading_states"
        constraints = (
            models.UniqueConstraint(
                "workspace",
                or_none("account"),
                or_none("user_strategy"),
                or_none("rule"),
                "set_by",
                Coalesce("is_live", models.Value(False)),
                "currency",
                name="uq_trading_state",
            ),
            models.CheckConstraint(
                condition=models.Q(is_live=None, currency="")
                | models.Q(is_live__isnull=False, account=None) & ~models.Q(currency=""),
                name="ck_trading_state_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=Trading.values), name="ck_trading_state"
            ),
            models.CheckConstraint(
                condition=models.Q(set_by__in=SetBy.values), name="ck_trading_state_set_by"
            ),
        )

    def __str__(self) -> str:
        return self.state
