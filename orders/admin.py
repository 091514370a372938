from django.contrib import admin

from operations.house_admin import HistoryAdmin
from orders.models import Order, OrderEvent, Trade


@admin.register(Order)
class OrderAdmin(HistoryAdmin):
    list_display = (
        "created_at",
        "account",
        "instrument",
        "side",
        "quantity",
        "order_type",
        "status",
        "source",
    )
    list_filter = ("status", "source", "side", "product", "order_type")
    search_fields = ("tag", "broker_order_id", "instrument__key", "user__username")


@admin.register(OrderEvent)
class OrderEventAdmin(HistoryAdmin):
    list_display = ("recorded_at", "order", "sequence", "event_type", "event_source", "to_status")
    list_filter = ("event_source", "to_status")
    search_fields = ("order__tag",)


@admin.register(Trade)
class TradeAdmin(HistoryAdmin):
    list_display = ("traded_at", "account", "instrument", "side", "quantity", "price", "net_amount")
    search_fields = ("broker_trade_id", "exchange_trade_id", "instrument__key")
