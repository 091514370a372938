from __future__ import annotations

from datetime import date

from django.db import models

from brokers.gateway import InstrumentRef
from brokers.terms import Exchange, InstrumentType, Segment
from operations.fields import MoneyField


class InstrumentQuerySet(models.QuerySet["Instrument"]):
    def active(self) -> InstrumentQuerySet:
        return self.filter(is_active=True)

    def tradable_on(self, day: date) -> InstrumentQuerySet:
        """Leave out indices and contracts that have expired."""
        unexpired = models.Q(expiry=None) | models.Q(expiry__gte=day)
        return self.active().filter(unexpired).exclude(instrument_type=InstrumentType.INDEX)


class Instrument(models.Model):
    """What can be quoted or traded. People name it by its key; rows by the million by its id.

    Its key stays for good, so that what names it finds it; ``trading_symbol`` is its name of today.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=120, unique=True, help_text="NSE:RELIANCE")
    trading_symbol = models.CharField(max_length=100)
    name = models.CharField(max_length=200, blank=True)
    exchange = models.CharField(max_length=10, choices=Exchange.choices)
    segment = models.CharField(max_length=10, choices=Segment.choices)
    instrument_type = models.CharField(max_length=10, choices=InstrumentType.choices)
    lot_size = models.PositiveIntegerField(default=1)
    tick_size = MoneyField(default="0.05")
    freeze_quantity = models.PositiveIntegerField(null=True, blank=True)
    isin = models.CharField(max_length=12, blank=True)
    expiry = models.DateField(null=True, blank=True)
    strike = MoneyField(null=True, blank=True)
    option_type = models.CharField(max_length=2, blank=True)
    underlying = models.CharField(max_length=100, blank=True, help_text="Symbol of what it is on")
    currency = models.CharField(max_length=3, default="INR")
    metadata = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    refreshed_on = models.DateField(null=True, blank=True, help_text="Day of its last master")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = InstrumentQuerySet.as_manager()

    class Meta:
        db_table = "instruments"
        indexes = (
            models.Index(fields=["trading_symbol"], name="idx_instruments_symbol"),
            models.Index(
                fields=["underlying", "expiry", "strike"], name="idx_instruments_contract"
            ),
            models.Index(fields=["isin"], name="idx_instruments_isin"),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(lot_size__gte=1), name="ck_instrument_lot_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(tick_size__gt=0), name="ck_instrument_tick_positive"
            ),
        )

    def __str__(self) -> str:
        return f"{self.exchange}:{self.trading_symbol}"

    def ref(
        self, token: str = "", *, broker_symbol: str = "", broker_exchange: str = ""
    ) -> InstrumentRef:
        """Return what a broker must know; the arguments are that broker's own words for it."""
        return InstrumentRef(
            key=self.key,
            exchange=self.exchange,
            segment=Segment(self.segment),
            trading_symbol=self.trading_symbol,
            instrument_type=InstrumentType(self.instrument_type),
            lot_size=self.lot_size,
            tick_size=self.tick_size,
            token=token,
            freeze_quantity=self.freeze_quantity,
            expiry=self.expiry,
            currency=self.currency,
            strike=self.strike,
            broker_symbol=broker_symbol,
            broker_exchange=broker_exchange,
        )


class BrokerInstrumentQuerySet(models.QuerySet["BrokerInstrument"]):
    def newest_first(self) -> BrokerInstrumentQuerySet:
        """Put the number that holds first: a broker may give an instrument another one."""
        newest = models.F("refreshed_on").desc(nulls_last=True)
        return self.order_by("-is_listed", newest, "-pk")


class BrokerInstrument(models.Model):
    """A broker's own number and symbol for an instrument.

    A row that the broker's list leaves out stays: reports of what expired still name it.
    """

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.CASCADE, related_name="broker_instruments"
    )
    broker_type = models.CharField(max_length=20)
    exchange = models.CharField(max_length=20)
    security_id = models.CharField(max_length=50)
    broker_symbol = models.CharField(max_length=100, blank=True)
    asset_id = models.CharField(
        max_length=40, blank=True, help_text="Its lasting id, where the number is a symbol"
    )
    refreshed_on = models.DateField(
        null=True, blank=True, help_text="Day of the broker's last list that had it"
    )
    is_listed = models.BooleanField(
        default=True, help_text="No longer once the broker's list leaves it out"
    )

    objects = BrokerInstrumentQuerySet.as_manager()

    class Meta:
        db_table = "broker_instruments"
        constraints = (
            models.UniqueConstraint(
                fields=["broker_type", "exchange", "security_id"], name="uq_broker_token"
            ),
        )

    def __str__(self) -> str:
        return f"{self.broker_type} {self.security_id}"


class InstrumentName(models.Model):
    """A name that an instrument had, or has now; written when a list calls it otherwise."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="names")
    name = models.CharField(max_length=100)
    effective_from = models.DateField(null=True, blank=True, help_text="Empty: from the first")
    effective_to = models.DateField(null=True, blank=True, help_text="Its last day")

    class Meta:
        db_table = "instrument_names"
        indexes = (models.Index(fields=["name"], name="idx_instrument_names"),)

    def __str__(self) -> str:
        return f"{self.name} from {self.effective_from}"


class InstrumentTerms(models.Model):
    """Lot, tick and freeze quantity from a day on; written when a master changes them."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="terms")
    effective_from = models.DateField()
    lot_size = models.PositiveIntegerField()
    tick_size = MoneyField()
    freeze_quantity = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        db_table = "instrument_terms"
        constraints = (
            models.UniqueConstraint(
                fields=["instrument", "effective_from"], name="uq_instrument_terms"
            ),
        )

    def __str__(self) -> str:
        return f"{self.instrument} from {self.effective_from}"


class PriceBandRow(models.Model):
    """The prices between which an instrument may trade on one day."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="bands")
    trading_day = models.DateField()
    lower = MoneyField()
    upper = MoneyField()

    class Meta:
        db_table = "price_bands"
        constraints = (
            models.UniqueConstraint(fields=["instrument", "trading_day"], name="uq_price_band"),
            models.CheckConstraint(
                condition=models.Q(upper__gte=models.F("lower")), name="ck_price_band_order"
            ),
        )

    def __str__(self) -> str:
        return f"{self.instrument} {self.lower} to {self.upper}"


class CorporateActionKind(models.TextChoices):
    SPLIT = "SPLIT", "Split"
    BONUS = "BONUS", "Bonus"
    DIVIDEND = "DIVIDEND", "Dividend"
    RIGHTS = "RIGHTS", "Rights"


class CorporateAction(models.Model):
    """From the ex-date on one old share is ``factor`` new ones; earlier prices divide by it."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="actions")
    ex_date = models.DateField()
    kind = models.CharField(max_length=10, choices=CorporateActionKind.choices)
    factor = models.DecimalField(max_digits=15, decimal_places=8, default=1)
    note = models.CharField(max_length=200, blank=True)
    booked_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it reached the books of all holders"
    )

    class Meta:
        db_table = "corporate_actions"
        constraints = (
            models.UniqueConstraint(
                fields=["instrument", "ex_date", "kind"], name="uq_corporate_action"
            ),
            models.CheckConstraint(
                condition=models.Q(factor__gt=0), name="ck_corporate_action_factor"
            ),
        )

    def __str__(self) -> str:
        return f"{self.instrument} {self.kind} {self.ex_date}"


class Quote(models.Model):
    """The last price of the embedded mode; with Redis quotes live there instead."""

    instrument_key = models.CharField(max_length=120, primary_key=True)
    ltp = MoneyField()
    bid = MoneyField(null=True)
    ask = MoneyField(null=True)
    bid_quantity = models.PositiveBigIntegerField(default=0)
    ask_quantity = models.PositiveBigIntegerField(default=0)
    open = MoneyField()
    high = MoneyField()
    low = MoneyField()
    previous_close = MoneyField(null=True)
    volume = models.PositiveBigIntegerField(default=0)
    session_date = models.DateField()
    as_of = models.DateTimeField()

    class Meta:
        db_table = "quotes"

    def __str__(self) -> str:
        return f"{self.instrument_key} {self.ltp}"
