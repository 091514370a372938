from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from brokers.terms import OrderType, Product, Side, Validity
from market.models import Instrument
from operations.fields import MoneyField
from operations.ids import new_id
from orders.states import ALIVE, CANCELLABLE, WORKING, OrderStatus

# The trades of a fill are told of by then; a broker that has not has lost them, or will be late.
TRADES_WITHIN = timedelta(seconds=60)
# Unknown is also what a cancel or a change returns to that was asked of an unknown order.
_UNKNOWN = models.Q(status=OrderStatus.UNKNOWN) | models.Q(previous_status=OrderStatus.UNKNOWN)


class OrderSource(models.TextChoices):
    """Who asked for the order."""

    MANUAL = "MANUAL"
    STRATEGY = "STRATEGY"
    API = "API"
    WEBHOOK = "WEBHOOK"
    BASKET = "BASKET"
    COPY = "COPY"
    RISK = "RISK", "A protective exit"
    EXTERNAL = "EXTERNAL", "Placed in the broker's own app"
    ADJUSTMENT = "ADJUSTMENT", "Adjusted to what the broker holds"
    EXPIRY = "EXPIRY", "Settled by the exchange at expiry"

    @property
    def is_order(self) -> bool:
        """Tell whether anybody ever asked for it: the others only record what happened."""
        return self not in (OrderSource.ADJUSTMENT, OrderSource.EXPIRY)


class OrderQuerySet(WorkspaceOwnedQuerySet["Order"]):
    def alive(self) -> OrderQuerySet:
        return self.filter(status__in=ALIVE)

    def working(self) -> OrderQuerySet:
        return self.filter(status__in=WORKING)

    def pending(self) -> OrderQuerySet:
        return self.filter(status=OrderStatus.PENDING)

    def placed_here(self) -> OrderQuerySet:
        """Ours. What was placed elsewhere, as a stop-loss in the broker's own app, is left to
        whoever placed it: nobody here can tell whether it opens a position or guards one.
        """
        return self.exclude(source=OrderSource.EXTERNAL)

    def entries(self) -> OrderQuerySet:
        """Our own orders that may open or enlarge a position: what a stop cancels."""
        return self.placed_here().filter(is_exit=False)

    def clouding(self, *, now: datetime) -> OrderQuerySet:
        """Nobody knows what of it is live or filled, so nothing is added beside it.

        Unknown, also beneath a cancel or a change; missing for good from the broker's book; or
        called filled a while ago without its trades.
        """
        missing = models.Q(missing__told_at__isnull=False, status__in=WORKING)
        untold = models.Q(
            filled_quantity__gt=models.F("traded_quantity"),
            reported_at__lt=now - TRADES_WITHIN,
            created_at__gt=now - timedelta(days=2),
        )
        return self.filter(_UNKNOWN | missing | untold)

    def not_known(self) -> OrderQuerySet:
        return self.filter(_UNKNOWN)

    def expected_in_book(self) -> OrderQuerySet:
        """Those that work at the broker and whose rows can be read there."""
        return self.working().exclude(previous_status=OrderStatus.UNKNOWN)

    def cancellable(self) -> OrderQuerySet:
        """An unknown one by its number at the broker, until its day is over."""
        numbered = models.Q(status=OrderStatus.UNKNOWN, outlasted_at=None)
        return self.filter(
            models.Q(status__in=CANCELLABLE) | numbered & ~models.Q(broker_order_id="")
        )

    def unsettled(self) -> OrderQuerySet:
        """Sent, and nobody knows yet whether it arrived."""
        return self.filter(status__in=[OrderStatus.SUBMITTING, OrderStatus.UNKNOWN])


class Order(models.Model):
    """One instruction to one broker account, and what has become of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="orders")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="orders")
    # Up by name: the running strategy that asked for it.
    user_strategy = models.ForeignKey(
        "strategies.UserStrategy",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
    )
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="orders")
    source = models.CharField(
        max_length=10, choices=OrderSource.choices, default=OrderSource.MANUAL
    )
    tag = models.CharField(max_length=20, unique=True)
    idempotency_key = models.CharField(max_length=100)
    request_hash = models.CharField(max_length=64)
    broker_order_id = models.CharField(max_length=100, blank=True)
    exchange_order_id = models.CharField(max_length=100, blank=True)

    side = models.CharField(max_length=4, choices=Side.choices)
    order_type = models.CharField(max_length=6, choices=OrderType.choices)
    product = models.CharField(max_length=5, choices=Product.choices, default=Product.MIS)
    validity = models.CharField(max_length=3, choices=Validity.choices, default=Validity.DAY)
    quantity = models.PositiveBigIntegerField()
    disclosed_quantity = models.PositiveBigIntegerField(default=0)
    price = MoneyField(null=True, blank=True)
    trigger_price = MoneyField(null=True, blank=True)
    tp_price = MoneyField(null=True, blank=True, help_text="Take profit")
    sl_price = MoneyField(null=True, blank=True, help_text="Stop loss")
    is_amo = models.BooleanField(default=False)
    is_exit = models.BooleanField(default=False, help_text="Only reduces a position")

    co_stop_loss_value = MoneyField(null=True, blank=True)
    co_trigger_price = MoneyField(null=True, blank=True)
    bo_profit_value = MoneyField(null=True, blank=True)
    bo_stop_loss_value = MoneyField(null=True, blank=True)
    bo_order_type = models.CharField(max_length=6, choices=OrderType.choices, blank=True)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    leg_type = models.CharField(max_length=6, blank=True)

    status = models.CharField(
        max_length=20, choices=OrderStatus.choices, default=OrderStatus.PENDING
    )
    previous_status = models.CharField(
        max_length=20,
        choices=OrderStatus.choices,
        blank=True,
        help_text="What a change or a cancel that fails returns to",
    )
    filled_quantity = models.PositiveBigIntegerField(default=0)
    average_price = MoneyField(null=True, blank=True)
    traded_quantity = models.PositiveBigIntegerField(default=0, help_text="Sum of its trades")
    traded_value = MoneyField(default=0, help_text="Sum of price × quantity of its trades")
    error_message = models.TextField(blank=True)
    retry_count = models.PositiveIntegerField(default=0)
    report_sequence = models.PositiveBigIntegerField(
        default=0, help_text="The broker's own count of the newest report applied"
    )
    reported_at = models.DateTimeField(
        null=True, blank=True, help_text="The broker's time of the newest report applied"
    )
    event_count = models.PositiveIntegerField(default=0)

    expires_at = models.DateTimeField(help_text="Not sent by then: it never will be")
    submitted_at = models.DateTimeField(null=True, blank=True)
    placed_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    settle_after = models.DateTimeField(
        null=True, blank=True, help_text="When to look an unknown order up again"
    )
    outlasted_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When a book read after its session listed it: what is not filled, never will be",
    )
    command_sent_at = models.DateTimeField(
        null=True, blank=True, help_text="When the pending change or cancel last left"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        db_table = "orders"
        indexes = (
            models.Index(fields=["status"], name="idx_orders_status"),
            models.Index(fields=["created_at"], name="idx_orders_created_at"),
            models.Index(fields=["workspace", "-created_at"], name="idx_orders_workspace_recent"),
            models.Index(fields=["workspace", "status"], name="idx_orders_workspace_status"),
            models.Index(fields=["account", "status"], name="idx_orders_account_status"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["workspace", "source", "idempotency_key"], name="uq_order_idempotency"
            ),
            models.UniqueConstraint(
                fields=["account", "broker_order_id"],
                condition=~models.Q(broker_order_id=""),
                name="uq_broker_order",
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="ck_order_quantity_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(filled_quantity__lte=models.F("quantity")),
                name="ck_order_not_overfilled",
            ),
            models.CheckConstraint(
                condition=models.Q(price=None) | models.Q(price__gt=0),
                name="ck_order_price_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(source="EXTERNAL")
                | models.Q(order_type__in=["MARKET", "SL-M"])
                | models.Q(price__isnull=False),
                name="ck_order_limit_has_price",
            ),
            models.CheckConstraint(
                condition=models.Q(source="EXTERNAL")
                | models.Q(order_type__in=["MARKET", "LIMIT"])
                | models.Q(trigger_price__gt=0),
                name="ck_order_stop_has_trigger",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="FILLED")
                | models.Q(filled_quantity=models.F("quantity")),
                name="ck_order_filled_is_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=OrderStatus.values), name="ck_order_status"
            ),
            models.CheckConstraint(condition=models.Q(side__in=Side.values), name="ck_order_side"),
            models.CheckConstraint(
                condition=models.Q(order_type__in=OrderType.values), name="ck_order_type"
            ),
            models.CheckConstraint(
                condition=models.Q(product__in=Product.values), name="ck_order_product"
            ),
        )

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.instrument_id} {self.status}"

    def get_absolute_url(self) -> str:
        return f"/orders/{self.pk}/"

    @property
    def remaining_quantity(self) -> int:
        return self.quantity - self.filled_quantity

    @property
    def state(self) -> OrderStatus:
        return OrderStatus(self.status)

    @property
    def is_unknown(self) -> bool:
        return OrderStatus.UNKNOWN in (self.status, self.previous_status)
