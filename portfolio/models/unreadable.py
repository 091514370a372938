from __future__ import annotations

from django.db import models

from brokers.models import TradingAccount
from market.models import Instrument


class RowKind(models.TextChoices):
    """What a row of a broker's list tells of."""

    ORDER = "ORDER", "order"
    TRADE = "TRADE", "trade"
    POSITION = "POSITION", "position"
    HOLDING = "HOLDING", "holding"


class UnreadableRowQuerySet(models.QuerySet["UnreadableRow"]):
    def of(self, accounts: models.QuerySet[TradingAccount]) -> UnreadableRowQuerySet:
        """Those of several accounts, newest first."""
        mine = self.filter(account__in=accounts)
        return mine.select_related("account__connection").order_by("-first_seen_at", "pk")

    def against(self, account: TradingAccount, instrument: Instrument) -> UnreadableRowQuerySet:
        """Those that may be of the instrument: nobody knows what is held of it meanwhile."""
        maybe = models.Q(instrument_key__in=["", instrument.key])
        return self.filter(maybe, account=account, holds_entries=True)


class UnreadableRow(models.Model):
    """A row of an account at its broker that cannot be read, for as long as the broker lists it.

    While it is there, nothing enters in its instrument; one that names none may be of any.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(
        TradingAccount, on_delete=models.CASCADE, related_name="unreadable_rows"
    )
    kind = models.CharField(max_length=8, choices=RowKind.choices)
    name = models.CharField(max_length=250, help_text="What a person finds the row by")
    instrument_key = models.CharField(max_length=120, blank=True)
    holds_entries = models.BooleanField(
        default=True, help_text="No: it is of an order that has ended here"
    )
    words = models.TextField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    objects = UnreadableRowQuerySet.as_manager()

    class Meta:
        db_table = "unreadable_rows"
        constraints = (
            models.UniqueConstraint(fields=["account", "kind", "name"], name="uq_unreadable_row"),
            models.CheckConstraint(
                condition=models.Q(kind__in=RowKind.values), name="ck_unreadable_row_kind"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.name}"
