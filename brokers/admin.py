from django.contrib import admin

from brokers.models import BrokerCall, BrokerConnection, TradingAccount
from operations.house_admin import HistoryAdmin


@admin.register(BrokerConnection)
class BrokerConnectionAdmin(HistoryAdmin):
    list_display = ("alias", "workspace", "user", "broker_type", "paper_trading", "status")
    search_fields = ("alias", "client_code", "user__username")


@admin.register(TradingAccount)
class TradingAccountAdmin(HistoryAdmin):
    list_display = ("name", "workspace", "connection", "is_active", "live_enabled", "reconciled_at")
    search_fields = ("name", "workspace__name")


@admin.register(BrokerCall)
class BrokerCallAdmin(HistoryAdmin):
    list_display = (
        "created_at",
        "connection",
        "module",
        "action",
        "status_code",
        "duration_ms",
        "error_message",
    )
    list_filter = ("module", "action")
