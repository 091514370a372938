from django.contrib import admin

from operations.house_admin import HistoryAdmin, KeptAdmin
from portfolio.models import ChargeRate, LedgerEntry, Position, SquareOffTime


@admin.register(Position)
class PositionAdmin(HistoryAdmin):
    list_display = (
        "instrument",
        "account",
        "product",
        "position_type",
        "status",
        "quantity",
        "realized_pnl",
        "opened_at",
    )
    search_fields = ("instrument__key", "account__name")


@admin.register(LedgerEntry)
class LedgerEntryAdmin(HistoryAdmin):
    list_display = (
        "entry_date",
        "account",
        "ledger",
        "voucher_number",
        "particulars",
        "debit",
        "credit",
        "running_balance",
    )
    search_fields = ("voucher_number", "particulars", "account__name")


@admin.register(ChargeRate, SquareOffTime)
class DatedFactAdmin(KeptAdmin):
    """What is charged, and when positions are closed, from a day on."""
