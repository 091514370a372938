from __future__ import annotations

from datetime import timedelta

from django.db import models

from market.models.instruments import Instrument
from operations.fields import MoneyField


class Interval(models.TextChoices):
    M1 = "1m", "1 minute"
    M3 = "3m", "3 minutes"
    M5 = "5m", "5 minutes"
    M10 = "10m", "10 minutes"
    M15 = "15m", "15 minutes"
    M30 = "30m", "30 minutes"
    H1 = "1h", "1 hour"
    D1 = "1d", "1 day"

    @property
    def length(self) -> timedelta:
        number, unit = int(self.value[:-1]), self.value[-1]
        return number * {"m": timedelta(minutes=1), "h": timedelta(hours=1)}.get(
            unit, timedelta(days=1)
        )


class Candle(models.Model):
    """One bar, named by the moment it opens (a day's bar by midnight IST); prices unadjusted."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="candles")
    interval = models.CharField(max_length=4, choices=Interval.choices)
    timestamp = models.DateTimeField()
    open = MoneyField()
    high = MoneyField()
    low = MoneyField()
    close = MoneyField()
    volume = models.PositiveBigIntegerField(default=0)
    open_interest = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "price_history"
        constraints = (
            models.UniqueConstraint(
                fields=["instrument", "interval", "timestamp"], name="uq_candle"
            ),
            models.CheckConstraint(
                condition=models.Q(high__gte=models.F("low"), low__gt=0), name="ck_candle_range"
            ),
        )

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.interval} {self.timestamp}"


class Tick(models.Model):
    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="+")
    ltp = MoneyField()
    bid = MoneyField(null=True)
    ask = MoneyField(null=True)
    volume = models.PositiveBigIntegerField(default=0)
    timestamp = models.DateTimeField()

    class Meta:
        db_table = "ticks"
        indexes = (models.Index(fields=["instrument", "timestamp"], name="idx_ticks_time"),)

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.ltp}"


class OptionChainRow(models.Model):
    id = models.BigAutoField(primary_key=True)
    underlying = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="+")
    expiry = models.DateField()
    strike = MoneyField()
    call_oi = models.BigIntegerField(null=True)
    call_chgoi = models.BigIntegerField(null=True)
    call_iv = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    call_delta = models.DecimalField(max_digits=8, decimal_places=6, null=True)
    call_ltp = MoneyField(null=True)
    put_oi = models.BigIntegerField(null=True)
    put_chgoi = models.BigIntegerField(null=True)
    put_iv = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    put_delta = models.DecimalField(max_digits=8, decimal_places=6, null=True)
    put_ltp = MoneyField(null=True)
    timestamp = models.DateTimeField()

    class Meta:
        db_table = "option_chain"
        constraints = (
            models.UniqueConstraint(
                fields=["underlying", "expiry", "timestamp", "strike"], name="uq_option_chain_row"
            ),
        )

    def __str__(self) -> str:
        return f"{self.underlying_id} {self.expiry} {self.strike}"
