from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from django.db import models

from accounts.models import Workspace
from brokers.models import TradingAccount
from brokers.terms import Product, Side
from market.models import Instrument
from operations.fields import MoneyField
from portfolio.models import Position
from risk.models.rules import RiskRule

_LAST_DECIMAL = Decimal("0.0001")


class Reservation(models.Model):
    """What an order may still become, held against the limits until the order has ended."""

    id = models.BigAutoField(primary_key=True)
    order_id = models.UUIDField(unique=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    account = models.ForeignKey(TradingAccount, on_delete=models.CASCADE)
    user_strategy_id = models.UUIDField(null=True, blank=True)
    is_outside = models.BooleanField(
        default=False, help_text="Nobody placed it here: it closes whichever books are open"
    )
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT)
    product = models.CharField(max_length=5, choices=Product.choices)
    side = models.CharField(max_length=4, choices=Side.choices)
    quantity = models.PositiveBigIntegerField(help_text="Still unfilled")
    price = MoneyField(help_text="What the order was judged at")
    margin = MoneyField(default=0, help_text="Blocked for the quantity judged")
    judged_quantity = models.PositiveBigIntegerField(
        default=0, help_text="What the margin was worked out for; 0: the quantity here"
    )
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
            models.Index(fields=["account", "handed_over_at"], name="idx_reservations_handed_over"),
        )

    def __str__(self) -> str:
        return f"{self.side} {self.quantity}"

    @property
    def margin_held(self) -> Decimal:
        """The margin of the part that is still unfilled, rounded up to the last decimal kept."""
        if self.quantity >= self.judged_quantity:
            return self.margin
        share = self.margin * self.quantity / self.judged_quantity
        return share.quantize(_LAST_DECIMAL, rounding=ROUND_CEILING)


class PositionExtreme(models.Model):
    """The best price a position has seen, which every trailing stop of it is measured from."""

    position = models.OneToOneField(
        Position, on_delete=models.CASCADE, primary_key=True, related_name="extreme"
    )
    best_price = MoneyField()

    class Meta:
        db_table = "position_extremes"

    def __str__(self) -> str:
        return f"{self.best_price}"


class PositionStop(models.Model):
    """How one trailing stop stands for one position: at how many prices in a row it was beyond.

    ``price`` and ``priced_at`` are the mark last counted, so that one price counts once.
    """

    id = models.BigAutoField(primary_key=True)
    position = models.ForeignKey(Position, on_delete=models.CASCADE, related_name="stops")
    rule = models.ForeignKey(RiskRule, on_delete=models.CASCADE, related_name="stops")
    confirmations = models.PositiveSmallIntegerField(default=0)
    price = MoneyField(null=True, blank=True)
    priced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "position_stops"
        constraints = (
            models.UniqueConstraint(fields=["position", "rule"], name="uq_position_stop"),
        )

    def __str__(self) -> str:
        return f"{self.confirmations} at {self.price}"
