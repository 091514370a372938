from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from brokers.terms import Product
from market.models import Instrument
from operations.fields import MoneyField, or_none
from operations.ids import new_id


class PositionType(models.TextChoices):
    """NET runs from flat to flat over any number of days; DAY counts one session's trades only."""

    DAY = "DAY"
    NET = "NET"


class PositionSide(models.TextChoices):
    LONG = "LONG"
    SHORT = "SHORT"


class PositionStatus(models.TextChoices):
    OPEN = "OPEN"
    CLOSED = "CLOSED"


class PositionQuerySet(WorkspaceOwnedQuerySet["Position"]):
    def net(self) -> PositionQuerySet:
        return self.filter(position_type=PositionType.NET)

    def open(self) -> PositionQuerySet:
        return self.net().filter(status=PositionStatus.OPEN)


class Position(models.Model):
    """What an account holds of an instrument, per product and strategy: a fold over its trades.

    ``open_cost`` is what the open quantity cost, signed like it; average price is their quotient.
    So ``realized_pnl - open_cost`` is always exactly the cash that its trades moved.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="positions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="positions")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="positions")
    product = models.CharField(max_length=5, choices=Product.choices)
    # Up by name: a strategy stands two floors above its positions.
    user_strategy = models.ForeignKey(
        "strategies.UserStrategy",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="positions",
    )
    # Up by name: the order that opened it.
    opening_order = models.ForeignKey(
        "orders.Order", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    position_type = models.CharField(
        max_length=3, choices=PositionType.choices, default=PositionType.NET
    )
    session_date = models.DateField(
        help_text="Trading day: of its trades (DAY), of its opening (NET)"
    )
    side = models.CharField(max_length=5, choices=PositionSide.choices)
    status = models.CharField(
        max_length=6, choices=PositionStatus.choices, default=PositionStatus.OPEN
    )
    quantity = models.BigIntegerField(default=0, help_text="Signed: short is negative")
    open_cost = MoneyField(default=0, help_text="Signed like the quantity")
    buy_quantity = models.PositiveBigIntegerField(default=0)
    buy_value = MoneyField(default=0)
    sell_quantity = models.PositiveBigIntegerField(default=0)
    sell_value = MoneyField(default=0)
    realized_pnl = MoneyField(default=0, help_text="Before charges; DAY: of its trades alone")
    booked_pnl = MoneyField(
        default=0,
        help_text="DAY: what its trades realised in the position they belong to, carried in or not",
    )
    unrealized_pnl = MoneyField(default=0)
    charges = MoneyField(default=0)
    margin_required = MoneyField(default=0)
    last_price = MoneyField(null=True, blank=True)
    close_price = MoneyField(null=True, blank=True, help_text="Previous session's close")
    marked_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = PositionQuerySet.as_manager()

    class Meta:
        db_table = "positions"
        indexes = (
            models.Index(fields=["account", "status"], name="idx_positions_account_status"),
            models.Index(fields=["workspace", "status"], name="idx_positions_workspace_status"),
            models.Index(fields=["status"], name="idx_positions_status"),
        )
        constraints = (
            models.UniqueConstraint(
                "account",
                "instrument",
                "product",
                or_none("user_strategy"),
                condition=models.Q(position_type="NET", status="OPEN"),
                name="uq_one_open_position",
            ),
            models.UniqueConstraint(
                "account",
                "instrument",
                "product",
                or_none("user_strategy"),
                "session_date",
                condition=models.Q(position_type="DAY"),
                name="uq_one_day_position",
            ),
            models.CheckConstraint(
                condition=models.Q(position_type="DAY", status="OPEN")
                | models.Q(status="OPEN") & ~models.Q(quantity=0)
                | models.Q(status="CLOSED", quantity=0, open_cost=0),
                name="ck_position_closed_is_flat",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=PositionStatus.values), name="ck_position_status"
            ),
            models.CheckConstraint(
                condition=models.Q(side__in=PositionSide.values), name="ck_position_side"
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.instrument_id} {self.product}"

    @property
    def average_price(self) -> Decimal:
        """Cost per unit of the open quantity; 0 when flat."""
        return self.open_cost / self.quantity if self.quantity else Decimal(0)

    @property
    def buy_average_price(self) -> Decimal:
        return self.buy_value / self.buy_quantity if self.buy_quantity else Decimal(0)

    @property
    def sell_average_price(self) -> Decimal:
        return self.sell_value / self.sell_quantity if self.sell_quantity else Decimal(0)

    @property
    def pnl(self) -> Decimal:
        """Realised and unrealised, before charges."""
        return self.realized_pnl + self.unrealized_pnl

    def unrealized_at(self, price: Decimal) -> Decimal:
        return price * self.quantity - self.open_cost


class NettedPosition(models.Model):
    """What an account holds of a margined instrument over all its strategies, as brokers net it.

    Two strategies may hold opposite positions that are nothing to the broker. Cash moves by what
    is realised here, so that it moves as the broker's does.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="+")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    product = models.CharField(max_length=5, choices=Product.choices)
    quantity = models.BigIntegerField(default=0, help_text="Signed: short is negative")
    open_cost = MoneyField(default=0, help_text="Signed like the quantity")

    class Meta:
        db_table = "netted_positions"
        constraints = (
            models.UniqueConstraint(
                fields=["account", "instrument", "product"], name="uq_netted_position"
            ),
            models.CheckConstraint(
                condition=~models.Q(quantity=0) | models.Q(open_cost=0),
                name="ck_netted_flat_costs_nothing",
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.instrument_id} {self.product}"
