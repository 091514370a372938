from __future__ import annotations

from django.db import models

from brokers.terms import Exchange, Side
from portfolio.charges import ChargeComponent, ChargeGroup

COMPONENTS = {
    ChargeComponent.BROKERAGE: "Brokerage (paper tariff)",
    ChargeComponent.STT: "Securities transaction tax",
    ChargeComponent.EXCHANGE: "Exchange transaction charge",
    ChargeComponent.INVESTOR_PROTECTION: "Investor protection fund",
    ChargeComponent.CLEARING: "Clearing charge",
    ChargeComponent.SEBI: "SEBI turnover fee",
    ChargeComponent.STAMP: "Stamp duty",
    ChargeComponent.GST: "Goods and services tax",
}
GROUPS = {
    ChargeGroup.DELIVERY: "Shares, delivery",
    ChargeGroup.INTRADAY: "Shares, intraday",
    ChargeGroup.FUTURES: "Futures",
    ChargeGroup.OPTIONS: "Options",
    ChargeGroup.EXERCISE: "Options exercised at expiry",
}


class ChargeRate(models.Model):
    """One rate between two days. A change is a new row; the old one gets its last day."""

    id = models.BigAutoField(primary_key=True)
    exchange = models.CharField(max_length=10, choices=Exchange.choices)
    group = models.CharField(max_length=10, choices=GROUPS)
    component = models.CharField(max_length=10, choices=COMPONENTS)
    side = models.CharField(
        max_length=4, choices=Side.choices, blank=True, help_text="Empty: bought and sold alike"
    )
    rate = models.DecimalField(
        max_digits=14,
        decimal_places=12,
        help_text="Share of the turnover; of brokerage, exchange and SEBI fees for GST",
    )
    minimum = models.DecimalField(max_digits=10, decimal_places=4, default=0)
    cap = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    effective_from = models.DateField()
    effective_to = models.DateField(null=True, blank=True, help_text="Its last day, if known")
    source = models.CharField(max_length=200, help_text="Where the figure is published")

    class Meta:
        db_table = "charge_rates"
        constraints = (
            models.UniqueConstraint(
                fields=["exchange", "group", "component", "side", "effective_from"],
                name="uq_charge_rate",
            ),
            models.CheckConstraint(
                condition=models.Q(rate__gte=0, rate__lt=1), name="ck_charge_rate_is_a_share"
            ),
            models.CheckConstraint(
                condition=models.Q(effective_to=None)
                | models.Q(effective_to__gte=models.F("effective_from")),
                name="ck_charge_rate_dates",
            ),
        )

    def __str__(self) -> str:
        return f"{self.component} {self.exchange} {self.group} from {self.effective_from}"


class SquareOffGroup(models.TextChoices):
    SHARES = "SHARES", "Shares"
    AUCTION_SHARES = "CAS", "Shares with a closing auction"
    DERIVATIVES = "FNO", "Futures and options"


class SquareOffTime(models.Model):
    """When intraday positions are closed by force, from a day on."""

    id = models.BigAutoField(primary_key=True)
    exchange = models.CharField(max_length=10, choices=Exchange.choices)
    group = models.CharField(max_length=10, choices=SquareOffGroup.choices)
    at = models.TimeField(help_text="Indian time")
    effective_from = models.DateField()
    source = models.CharField(max_length=200)

    class Meta:
        db_table = "square_off_times"
        constraints = (
            models.UniqueConstraint(
                fields=["exchange", "group", "effective_from"], name="uq_square_off_time"
            ),
        )

    def __str__(self) -> str:
        return f"{self.exchange} {self.group} {self.at}"
