from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from market.models import (
    CorporateAction,
    ExpiryRule,
    FreezeRule,
    HolidayRule,
    ImportRun,
    Instrument,
    LotRule,
    ScheduleChange,
    ScheduleOverride,
    SessionRule,
    SquareOffRule,
    SymbolRule,
    TickRule,
)
from operations.house_admin import HistoryAdmin, HouseAdmin


@admin.register(Instrument)
class InstrumentAdmin(HistoryAdmin):
    list_display = (
        "key",
        "instrument_type",
        "segment",
        "lot_size",
        "tick_size",
        "expiry",
        "is_active",
    )
    list_filter = ("exchange", "segment", "instrument_type", "is_active")
    search_fields = ("key", "trading_symbol", "name", "isin")


@admin.register(ScheduleOverride)
class ScheduleOverrideAdmin(HistoryAdmin):
    """Days that differ from the calendar: its page alone enters them, checked and with who did."""

    list_display = ("exchange", "day", "is_open", "opens_at", "closes_at", "reason")
    ordering = ("-day",)


@admin.register(ScheduleChange)
class ScheduleChangeAdmin(HistoryAdmin):
    """Who entered or removed which override."""

    list_display = ("at", "by", "exchange", "day", "before", "after")


@admin.register(CorporateAction)
class CorporateActionAdmin(HouseAdmin):
    list_display = ("instrument", "ex_date", "kind", "factor", "note")
    search_fields = ("instrument__key",)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> tuple[str, ...]:
        """What has reached the books of its holders stays as it was."""
        return ("instrument", "ex_date", "kind", "factor", "booked_at") if _is_booked(obj) else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return not _is_booked(obj) and super().has_delete_permission(request, obj)


def _is_booked(obj: Model | None) -> bool:
    return isinstance(obj, CorporateAction) and obj.booked_at is not None


@admin.register(ImportRun)
class ImportRunAdmin(HistoryAdmin):
    list_display = (
        "started_at",
        "kind",
        "file_name",
        "status",
        "rows_read",
        "rows_written",
        "rows_skipped",
    )
    search_fields = ("file_name",)


@admin.register(
    SessionRule,
    HolidayRule,
    TickRule,
    ExpiryRule,
    SquareOffRule,
    FreezeRule,
    LotRule,
    SymbolRule,
)
class MarketRuleAdmin(HistoryAdmin):
    """The dated rules as loaded; they come from lists, by load_market_rules."""

    search_fields = ("source", "note")
