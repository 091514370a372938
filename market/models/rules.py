"""What the exchanges of India rule, by date: loaded from the lists in ``market/rules``.

A row that ends is given its last day and the next one follows; times are Indian.
"""

from __future__ import annotations

from django.db import models


class Certainty(models.TextChoices):
    SURE = "sure", "Sure"
    LIKELY = "likely", "Likely"
    UNCERTAIN = "uncertain", "Uncertain"


class SourcedRow(models.Model):
    """A fact, where it was published, and how far it can be relied on."""

    id = models.BigAutoField(primary_key=True)
    note = models.TextField(blank=True)
    source = models.TextField()
    certainty = models.CharField(max_length=10, choices=Certainty.choices)
    is_shipped = models.BooleanField(
        default=True, editable=False, help_text="Of the product's own list, which replaces it"
    )

    class Meta:
        abstract = True


class DatedRow(SourcedRow):
    effective_from = models.DateField(null=True, blank=True, help_text="Empty: not known")
    effective_to = models.DateField(
        null=True, blank=True, help_text="Its last day; empty: in force, or not known"
    )

    class Meta:
        abstract = True


class SessionRule(DatedRow):
    """One phase of an exchange's day; a special one replaces the regular phases of its day.

    Without times the day is known and its hours are not.
    """

    exchange = models.CharField(max_length=10)
    segment = models.CharField(max_length=30)
    is_special = models.BooleanField(default=False)
    phase = models.CharField(max_length=30)
    starts = models.TimeField(null=True, blank=True)
    ends = models.TimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "session_rules"

    def __str__(self) -> str:
        return f"{self.exchange} {self.segment} {self.phase} from {self.effective_from}"


class HolidayRule(SourcedRow):
    """A day on which an exchange is shut, wholly or in part, or wrongly thought to be."""

    class State(models.TextChoices):
        CLOSED = "closed", "Closed"
        SPECIAL_ONLY = "special_only", "Special session only"
        EVENING_ONLY = "evening_only", "Evening only"
        MORNING_ONLY = "morning_only", "Morning only"
        WEEKEND = "weekend", "Falls on a weekend"
        OPEN = "open", "Open, though lists say closed"

    exchange = models.CharField(max_length=10)
    segment = models.CharField(max_length=30)
    day = models.DateField()
    state = models.CharField(max_length=20, choices=State.choices)
    name = models.CharField(max_length=200)
    announced = models.DateField(null=True, blank=True, help_text="The day of a late notice")

    class Meta:
        db_table = "holiday_rules"

    def __str__(self) -> str:
        return f"{self.exchange} {self.day} {self.name}"


class TickRule(DatedRow):
    """A price step between two prices, or (a price check) what else an order's price must keep."""

    class Kind(models.TextChoices):
        TICK = "tick", "Price step"
        PRICE_CHECK = "price_check", "Price check"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    exchange = models.CharField(max_length=10)
    instrument = models.CharField(max_length=40)
    price_above = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    price_up_to = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    tick = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    basis = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "tick_rules"

    def __str__(self) -> str:
        return f"{self.exchange} {self.instrument} {self.tick or self.kind}"


class ExpiryRule(SourcedRow):
    """The weekday on which a series expires, or one expiry that fell on another day."""

    class Kind(models.TextChoices):
        RULE = "rule", "Weekday"
        DATE = "date", "One expiry"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    exchange = models.CharField(max_length=10)
    underlying = models.CharField(max_length=40)
    series = models.CharField(max_length=20)
    weekday = models.CharField(max_length=10, blank=True)
    first_expiry = models.DateField(null=True, blank=True)
    last_expiry = models.DateField(null=True, blank=True)
    holiday = models.CharField(max_length=40, blank=True, help_text="Where a holiday moves it to")
    rule_date = models.DateField(null=True, blank=True, help_text="What the weekday says")
    actual = models.DateField(null=True, blank=True, help_text="The day of expiry")
    reason = models.CharField(max_length=200, blank=True)
    basis = models.CharField(max_length=40, blank=True)

    class Meta:
        db_table = "expiry_rules"

    def __str__(self) -> str:
        return f"{self.underlying} {self.series} {self.actual or self.weekday}"


class SquareOffRule(DatedRow):
    """When a broker closes intraday positions by force: its policy, not law."""

    broker = models.CharField(max_length=40)
    segment = models.CharField(max_length=40)
    product = models.CharField(max_length=40)
    at = models.TimeField(null=True, blank=True)
    words = models.CharField(max_length=100, blank=True, help_text="Where it is no single time")

    class Meta:
        db_table = "square_off_rules"

    def __str__(self) -> str:
        return f"{self.broker} {self.segment} {self.product} {self.at or self.words}"


class FreezeRule(DatedRow):
    """The largest quantity that the exchange takes in one order, in units of the underlying."""

    exchange = models.CharField(max_length=10)
    underlying = models.CharField(max_length=40)
    freeze_quantity = models.PositiveIntegerField()

    class Meta:
        db_table = "freeze_rules"

    def __str__(self) -> str:
        return f"{self.underlying} {self.freeze_quantity} from {self.effective_from}"


class LotRule(SourcedRow):
    """The lot of the contracts that expire between two days; it appeared on ``effective_from``."""

    class Contracts(models.TextChoices):
        ALL = "all", "All"
        WEEKLY = "weekly", "Weekly"
        MONTHLY = "monthly", "Monthly"
        LONG_DATED = "long_dated", "Quarterly and half-yearly"

    exchange = models.CharField(max_length=10)
    underlying = models.CharField(max_length=40)
    contracts = models.CharField(max_length=20, choices=Contracts.choices)
    lot_size = models.PositiveIntegerField()
    first_expiry = models.DateField(null=True, blank=True)
    last_expiry = models.DateField(null=True, blank=True)
    effective_from = models.DateField(null=True, blank=True)

    class Meta:
        db_table = "lot_rules"

    def __str__(self) -> str:
        return f"{self.underlying} {self.contracts} {self.lot_size} from {self.first_expiry}"


class SymbolRule(SourcedRow):
    """One contract or share as a broker or an exchange names and numbers it: the forms in use."""

    broker = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    number = models.CharField(max_length=50, blank=True)
    underlying = models.CharField(max_length=40)
    expiry = models.DateField(null=True, blank=True)
    strike = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    kind = models.CharField(max_length=10)
    lot_size = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        db_table = "symbol_rules"

    def __str__(self) -> str:
        return f"{self.broker} {self.name}"
