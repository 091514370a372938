from django.urls import path

from orders.views import (
    cancelling,
    detail,
    exiting,
    expiring,
    halting,
    listing,
    modifying,
    placing,
    reconciling,
    settling,
)

app_name = "orders"
urlpatterns = [
    path("", listing.order_list, name="list"),
    path("part/", listing.order_list, {"template": "orders/_list.html"}, name="list_part"),
    path("export/", listing.export_orders, name="export"),
    path("trades/", listing.trade_list, name="trades"),
    path(
        "trades/part/", listing.trade_list, {"template": "orders/_trades.html"}, name="trades_part"
    ),
    path("trades/export/", listing.export_trades, name="export_trades"),
    path("cancel/", cancelling.preview_cancels, name="cancel_many"),
    path("cancel/chosen/", cancelling.cancel_chosen, name="cancel_chosen"),
    path("exit/", exiting.preview_exits, name="exit"),
    path("exit/chosen/", exiting.exit_chosen, name="exit_chosen"),
    path("halt/", halting.halt, name="halt"),
    path("reconcile/<uuid:account_id>/", reconciling.reconcile, name="reconcile"),
    path("<uuid:order_id>/", detail.order_detail, name="detail"),
    path(
        "<uuid:order_id>/part/",
        detail.order_detail,
        {"template": "orders/_detail.html"},
        name="detail_part",
    ),
    path("<uuid:order_id>/cancel/", cancelling.cancel, name="cancel"),
    path("<uuid:order_id>/modify/", modifying.modify, name="modify"),
    path("<uuid:order_id>/modify/preview/", modifying.preview, name="modify_preview"),
    path("<uuid:order_id>/settle/", settling.settle, name="settle"),
    path("<uuid:order_id>/settle/now/", settling.settle_now, name="settle_now"),
    path("differences/<uuid:difference_id>/", settling.accept, name="accept_difference"),
    path("expired/", expiring.expired_contracts, name="expired"),
    path("expired/<uuid:settlement_id>/price/", expiring.final_price, name="final_price"),
    path("expired/<uuid:settlement_id>/delivery/", expiring.delivery, name="delivery"),
    path("new/", placing.new, name="new"),
    path("new/preview/", placing.preview, name="preview"),
    path("<uuid:order_id>/placed/", placing.placed, name="placed"),
]
