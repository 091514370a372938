from __future__ import annotations

from decimal import Decimal

from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from brokers.terms import Product, Side
from market.models import Instrument
from operations.fields import MoneyField, or_none
from operations.ids import new_id
from orders.models.orders import Order


class Trade(models.Model):
    """One fill, with its charges. Charges are estimates: the contract note is final."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="trades")
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="trades")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="trades")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="trades")
    broker_trade_id = models.CharField(max_length=100)
    exchange_trade_id = models.CharField(max_length=100, blank=True)
    side = models.CharField(max_length=4, choices=Side.choices)
    product = models.CharField(max_length=5, choices=Product.choices)
    quantity = models.PositiveBigIntegerField()
    price = MoneyField()
    realized_pnl = MoneyField(default=0, help_text="What it closed, before charges")
    brokerage = MoneyField(default=0)
    exchange_charges = MoneyField(default=0)
    clearing_charges = MoneyField(default=0)
    sebi_fee = MoneyField(default=0)
    stt = MoneyField(default=0)
    stamp_duty = MoneyField(default=0)
    gst = MoneyField(default=0)
    charges_known = models.BooleanField(
        default=True, help_text="No: no rate was on file for its day, and the charges here are 0"
    )
    net_amount = MoneyField(default=0, help_text="Cash in (+) or out (−), after charges")
    session_date = models.DateField()
    is_settlement = models.BooleanField(
        default=False, help_text="The exchange ended an expired contract: its price may be 0"
    )
    is_late = models.BooleanField(default=False, help_text="It came after the order had ended")
    traded_at = models.DateTimeField()
    created_at = models.DateTimeField()

    objects = WorkspaceOwnedQuerySet["Trade"].as_manager()

    class Meta:
        db_table = "trades"
        indexes = (
            models.Index(fields=["workspace", "-traded_at"], name="idx_trades_workspace_recent"),
            models.Index(fields=["account", "session_date"], name="idx_trades_account_day"),
            models.Index(
                fields=["account"],
                condition=models.Q(charges_known=False),
                name="idx_trades_uncharged",
            ),
        )
        constraints = (
            models.UniqueConstraint(fields=["account", "broker_trade_id"], name="uq_broker_trade"),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0, price__gt=0)
                | models.Q(quantity__gt=0, price=0, is_settlement=True),
                name="ck_trade_positive",
            ),
            models.CheckConstraint(condition=models.Q(side__in=Side.values), name="ck_trade_side"),
        )

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} at {self.price}"

    @property
    def charges(self) -> Decimal:
        return (
            self.brokerage
            + self.exchange_charges
            + self.clearing_charges
            + self.sebi_fee
            + self.stt
            + self.stamp_duty
            + self.gst
        )

    @property
    def value(self) -> Decimal:
        return self.price * self.quantity


class TradePart(models.Model):
    """What of a trade that came from outside is in one book: a strategy's, or the account's own."""

    id = models.BigAutoField(primary_key=True)
    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="parts")
    # Up by name: the strategy whose position it closed; none for the account's own book.
    user_strategy = models.ForeignKey(
        "strategies.UserStrategy",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="trade_parts",
    )
    quantity = models.PositiveBigIntegerField()

    class Meta:
        db_table = "trade_parts"
        constraints = (
            models.UniqueConstraint("trade", or_none("user_strategy"), name="uq_trade_part"),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="ck_trade_part_positive"
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} of {self.trade_id}"
