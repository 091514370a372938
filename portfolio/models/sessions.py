from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from operations.fields import MoneyField
from operations.ids import new_id


class SessionStatus(models.TextChoices):
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"


class TradingSession(models.Model):
    """One account's trading day. P&L is after charges; drawdown is from the day's peak P&L."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="sessions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="sessions")
    session_date = models.DateField()
    start_time = models.DateTimeField()
    end_time = models.DateTimeField(null=True, blank=True)
    total_orders = models.PositiveIntegerField(default=0)
    successful_orders = models.PositiveIntegerField(default=0)
    realized_pnl = MoneyField(default=0, help_text="Before charges")
    opening_unrealized = MoneyField(default=0, help_text="Of what was carried into the day")
    unrealized_pnl = MoneyField(default=0, help_text="Of what is open, since it was opened")
    charges = MoneyField(default=0)
    uncharged_fills = models.PositiveIntegerField(
        default=0, help_text="Fills whose charges are not known, and so not in the figures"
    )
    total_pnl = MoneyField(default=0)
    peak_pnl = MoneyField(default=0)
    max_drawdown = MoneyField(default=0)
    capital_at_start = MoneyField()
    capital_at_end = MoneyField(null=True, blank=True)
    marked_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(
        max_length=10, choices=SessionStatus.choices, default=SessionStatus.ACTIVE
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkspaceOwnedQuerySet["TradingSession"].as_manager()

    class Meta:
        db_table = "trading_sessions"
        indexes = (
            models.Index(fields=["status"], name="idx_trading_sessions_status"),
            models.Index(fields=["workspace", "session_date"], name="idx_sessions_day"),
        )
        constraints = (
            models.UniqueConstraint(fields=["account", "session_date"], name="uq_trading_session"),
            models.CheckConstraint(
                condition=models.Q(max_drawdown__gte=0), name="ck_session_drawdown_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=SessionStatus.values), name="ck_session_status"
            ),
        )

    def __str__(self) -> str:
        return f"{self.account} {self.session_date}"

    @property
    def unrealized_today(self) -> Decimal:
        """What open positions have gained since the day began."""
        return self.unrealized_pnl - self.opening_unrealized

    @property
    def net_pnl(self) -> Decimal:
        """The day's gain: realised, and the change of what is open, less charges."""
        return self.realized_pnl + self.unrealized_today - self.charges


class EquityPoint(models.Model):
    """The day's net P&L in one minute."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(
        TradingAccount, on_delete=models.CASCADE, related_name="equity_points"
    )
    session_date = models.DateField()
    at = models.DateTimeField(help_text="The minute")
    net_pnl = MoneyField()

    class Meta:
        db_table = "equity_points"
        constraints = (
            models.UniqueConstraint(
                fields=["account", "session_date", "at"], name="uq_equity_point"
            ),
        )

    def __str__(self) -> str:
        return f"{self.at} {self.net_pnl}"
