"""The paper broker's own book: it stands apart from the house's, as any broker's does."""

from __future__ import annotations

from django.db import models

from brokers.gateway import BrokerStatus, InstrumentRef
from brokers.models.connections import TradingAccount
from brokers.terms import InstrumentType, OrderType, Product, Segment, Side, Validity
from operations.fields import MoneyField

WORKING = (
    BrokerStatus.PLACED,
    BrokerStatus.QUEUED_AMO,
    BrokerStatus.OPEN,
    BrokerStatus.TRIGGER_PENDING,
    BrokerStatus.PARTIALLY_FILLED,
)


def status_choices() -> list[tuple[str, str]]:
    return [(status.value, status.value) for status in BrokerStatus]


class PaperAccount(models.Model):
    """One client of the paper broker. Every write to its book locks this row first."""

    id = models.BigAutoField(primary_key=True)
    account = models.OneToOneField(
        TradingAccount, on_delete=models.CASCADE, related_name="paper_account"
    )
    cash = MoneyField(default=0)
    opening_cash = MoneyField(default=0, help_text="Cash when the day began")
    opened_on = models.DateField(null=True, blank=True, help_text="The day it began")
    order_count = models.PositiveBigIntegerField(default=0)

    class Meta:
        db_table = "paper_accounts"

    def __str__(self) -> str:
        return f"Paper account {self.pk}"


class PaperContract(models.Model):
    """An instrument as the paper broker was last told of it."""

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=120, unique=True)
    exchange = models.CharField(max_length=10)
    segment = models.CharField(max_length=10)
    trading_symbol = models.CharField(max_length=100)
    instrument_type = models.CharField(max_length=10)
    lot_size = models.PositiveIntegerField()
    tick_size = MoneyField()
    freeze_quantity = models.PositiveIntegerField(null=True, blank=True)
    expiry = models.DateField(null=True, blank=True)
    strike = MoneyField(null=True, blank=True)
    currency = models.CharField(max_length=3, default="INR")

    class Meta:
        db_table = "paper_contracts"

    def __str__(self) -> str:
        return self.key

    def ref(self) -> InstrumentRef:
        return InstrumentRef(
            key=self.key,
            exchange=self.exchange,
            segment=Segment(self.segment),
            trading_symbol=self.trading_symbol,
            instrument_type=InstrumentType(self.instrument_type),
            lot_size=self.lot_size,
            tick_size=self.tick_size,
            freeze_quantity=self.freeze_quantity,
            expiry=self.expiry,
            currency=self.currency,
            strike=self.strike,
        )


class PaperOrderQuerySet(models.QuerySet["PaperOrder"]):
    def live(self) -> PaperOrderQuerySet:
        """Keep what the exchange must look at: able to fill, or changed and not told of yet."""
        return self.filter(is_live=True)

    def working(self) -> PaperOrderQuerySet:
        return self.live().filter(status__in=WORKING)


class PaperOrder(models.Model):
    """One order in the paper broker's book.

    ``cap`` is the protected price of a market order, set by the first tick it meets. ``blocked``
    is the money its whole quantity blocks; what is filled frees its share.
    """

    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="orders")
    contract = models.ForeignKey(PaperContract, on_delete=models.PROTECT, related_name="orders")
    number = models.PositiveBigIntegerField()
    broker_order_id = models.CharField(max_length=30)
    tag = models.CharField(max_length=20, blank=True)
    session_date = models.DateField()

    side = models.CharField(max_length=4, choices=Side.choices)
    order_type = models.CharField(max_length=6, choices=OrderType.choices)
    product = models.CharField(max_length=5, choices=Product.choices)
    validity = models.CharField(max_length=3, choices=Validity.choices)
    quantity = models.PositiveBigIntegerField()
    price = MoneyField(null=True, blank=True)
    trigger_price = MoneyField(null=True, blank=True)
    disclosed_quantity = models.PositiveBigIntegerField(default=0)
    is_square_off = models.BooleanField(default=False)

    status = models.CharField(max_length=20, choices=status_choices)
    filled_quantity = models.PositiveBigIntegerField(default=0)
    turnover = MoneyField(default=0, help_text="Value of what is filled")
    charges = MoneyField(default=0, help_text="Charged on it so far")
    blocked = MoneyField(default=0)
    cap = MoneyField(null=True, blank=True)
    is_resting = models.BooleanField(default=False, help_text="In the book, waiting for others")
    triggered_at = models.DateTimeField(null=True, blank=True)
    message = models.CharField(max_length=200, blank=True)
    sequence = models.PositiveBigIntegerField(default=1)
    is_untold = models.BooleanField(default=False, help_text="A change nobody was told of yet")
    is_live = models.GeneratedField(
        expression=models.ExpressionWrapper(
            models.Q(status__in=WORKING) | models.Q(is_untold=True),
            output_field=models.BooleanField(),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    placed_at = models.DateTimeField()
    live_at = models.DateTimeField(help_text="When the exchange has it; no tick before fills it")
    updated_at = models.DateTimeField()

    objects = PaperOrderQuerySet.as_manager()

    class Meta:
        db_table = "paper_orders"
        indexes = (
            models.Index(
                fields=["contract", "book"],
                condition=models.Q(is_live=True),
                name="idx_paper_orders_live",
            ),
            models.Index(
                fields=["book", "status"],
                condition=models.Q(is_live=True),
                name="idx_paper_orders_book",
            ),
            models.Index(fields=["book", "session_date"], name="idx_paper_orders_session"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["book", "broker_order_id"], name="uq_paper_broker_order"
            ),
            models.UniqueConstraint(
                fields=["book", "tag"], condition=~models.Q(tag=""), name="uq_paper_order_tag"
            ),
            models.CheckConstraint(
                condition=models.Q(filled_quantity__lte=models.F("quantity")),
                name="ck_paper_order_not_overfilled",
            ),
        )

    def __str__(self) -> str:
        return f"{self.broker_order_id} {self.side} {self.quantity} {self.status}"

    @property
    def remaining(self) -> int:
        return self.quantity - self.filled_quantity

    @property
    def is_working(self) -> bool:
        return self.status in WORKING


class PaperTrade(models.Model):
    """One fill. ``number`` counts the fills of its order, so a repeated fill has no room."""

    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="trades")
    order = models.ForeignKey(PaperOrder, on_delete=models.CASCADE, related_name="trades")
    number = models.PositiveIntegerField()
    quantity = models.PositiveBigIntegerField()
    price = MoneyField()
    charges = MoneyField(default=0)
    session_date = models.DateField()
    traded_at = models.DateTimeField()

    class Meta:
        db_table = "paper_trades"
        indexes = (models.Index(fields=["book", "session_date"], name="idx_paper_trades_session"),)
        constraints = (
            models.UniqueConstraint(fields=["order", "number"], name="uq_paper_trade"),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="ck_paper_trade_quantity"
            ),
        )

    def __str__(self) -> str:
        return f"{self.order_id} × {self.quantity} at {self.price}"

    @property
    def trade_id(self) -> str:
        return f"{self.order.broker_order_id}-{self.number}"


class PaperPosition(models.Model):
    """A net position. ``cost`` is what the open quantity was traded for, kept exactly."""

    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="positions")
    contract = models.ForeignKey(PaperContract, on_delete=models.PROTECT, related_name="positions")
    product = models.CharField(max_length=5, choices=Product.choices)
    session_date = models.DateField(help_text="The session of its last fill")
    quantity = models.BigIntegerField(default=0)
    cost = MoneyField(default=0)
    buy_quantity = models.PositiveBigIntegerField(default=0)
    sell_quantity = models.PositiveBigIntegerField(default=0)
    realized_pnl = MoneyField(default=0)

    class Meta:
        db_table = "paper_positions"
        indexes = (models.Index(fields=["product", "quantity"], name="idx_paper_positions_open"),)
        constraints = (
            models.UniqueConstraint(
                fields=["book", "contract", "product"], name="uq_paper_position"
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.contract_id} {self.product}"


class PaperDelivery(models.Model):
    """Shares from earlier days, by the day they are settled on; gone once delivered out."""

    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="deliveries")
    contract = models.ForeignKey(PaperContract, on_delete=models.PROTECT, related_name="deliveries")
    quantity = models.PositiveBigIntegerField()
    cost = MoneyField()
    settles_on = models.DateField()

    class Meta:
        db_table = "paper_deliveries"
        constraints = (
            models.UniqueConstraint(
                fields=["book", "contract", "settles_on"], name="uq_paper_delivery"
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.contract_id} on {self.settles_on}"


class EntryKind(models.TextChoices):
    TRANSFER = "TRANSFER", "Money in or out"
    TRADE = "TRADE", "Trade"
    CHARGES = "CHARGES", "Charges"
    SETTLEMENT = "SETTLEMENT", "Settlement of an expired contract"


class PaperLedgerEntry(models.Model):
    """One movement of cash. An account's cash is the sum of its entries."""

    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=10, choices=EntryKind.choices)
    amount = MoneyField()
    trade = models.ForeignKey(PaperTrade, on_delete=models.CASCADE, null=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "paper_ledger"

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"
