"""The lists of orders and of trades, their live parts and their files."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.http import UserRequest
from accounts.models import TRADING_ROLES
from operations.listing import Column, csv_response, list_rows
from orders.filters import OrderFilter, TradeFilter
from orders.models import Order
from orders.selectors import (
    order_counts,
    orders_on_page,
    trade_totals,
    trades_on_page,
)

ORDER_COLUMNS = (
    Column("Time", "time", ("created_at",), css="not-phone"),
    Column("Instrument", "instrument", ("instrument__key",)),
    Column("Status", "status", ("status", "created_at")),
    Column("Filled", "filled", ("filled_quantity",), css="num not-phone"),
    Column("Price", "price", ("average_price", "price"), css="num not-phone"),
    Column("Account", "account", ("account__name",), css="not-phone"),
    Column("Strategy", "strategy", ("user_strategy__strategy__name",), css="not-phone not-laptop"),
    Column("Act", css="num not-phone"),
)
TRADE_COLUMNS = (
    Column("Time", "time", ("traded_at",)),
    Column("Instrument", "instrument", ("instrument__key",)),
    Column("Qty", "quantity", ("quantity",), css="num not-phone"),
    Column("Price", "price", ("price",), css="num not-phone"),
    Column("Realised", "realised", ("realized_pnl",), css="num"),
    Column("Charges", css="num not-phone"),
    Column("Cash in or out", "net", ("net_amount",), css="num not-phone"),
    Column("Account", "account", ("account__name",), css="not-phone not-laptop"),
    Column("Strategy", css="not-phone not-laptop"),
)
ORDER_FILE = (
    "Placed at", "Order", "Tag", "Broker order", "Account", "Strategy", "Source", "Instrument",
    "Side", "Type", "Product", "Validity", "Quantity", "Price", "Trigger price", "Filled",
    "Average price", "Status", "Reason",
)  # fmt: skip
TRADE_FILE = (
    "Traded at", "Trade", "Order", "Account", "Strategy", "Instrument", "Side", "Product",
    "Quantity", "Price", "Value", "Realised", "Brokerage", "STT", "Exchange", "Clearing", "SEBI",
    "Stamp duty", "GST", "Charges", "Net amount", "Currency", "Charges known",
)  # fmt: skip


@require_GET
def order_list(request: UserRequest, template: str = "orders/list.html") -> HttpResponse:
    everything = orders_on_page(request.user, request.workspace)
    chosen = OrderFilter(request.GET, workspace=request.workspace)
    listing = list_rows(
        chosen.narrow(everything), columns=ORDER_COLUMNS, params=request.GET, default="-time"
    )
    context = {
        "filter": chosen,
        "listing": listing,
        "counts": order_counts(everything),
        "may_cancel": any(not order.state.is_final for order in listing),
        "may_trade": request.membership.role in TRADING_ROLES,
        "now": timezone.now(),
    }
    return render(request, template, context)


@require_GET
def trade_list(request: UserRequest, template: str = "orders/trades.html") -> HttpResponse:
    chosen = TradeFilter(request.GET, workspace=request.workspace)
    trades = chosen.narrow(trades_on_page(request.user, request.workspace))
    context = {
        "filter": chosen,
        "listing": list_rows(trades, columns=TRADE_COLUMNS, params=request.GET, default="-time"),
        "totals": trade_totals(trades),
        "now": timezone.now(),
    }
    return render(request, template, context)


@require_GET
def export_orders(request: UserRequest) -> HttpResponse:
    chosen = OrderFilter(request.GET, workspace=request.workspace)
    orders = chosen.narrow(orders_on_page(request.user, request.workspace))
    rows = (
        (
            order.created_at.isoformat(), str(order.pk), order.tag, order.broker_order_id,
            order.account.name, _strategy(order), order.source,
            order.instrument.key, order.side, order.order_type, order.product, order.validity,
            order.quantity, order.price, order.trigger_price, order.filled_quantity,
            order.average_price, order.status, order.error_message,
        )
        for order in orders.order_by("-created_at", "-pk").iterator()
    )  # fmt: skip
    return csv_response("orders", header=ORDER_FILE, rows=rows)


@require_GET
def export_trades(request: UserRequest) -> HttpResponse:
    chosen = TradeFilter(request.GET, workspace=request.workspace)
    trades = chosen.narrow(trades_on_page(request.user, request.workspace))
    rows = (
        (
            trade.traded_at.isoformat(), trade.broker_trade_id, str(trade.order_id),
            trade.account.name, _strategy(trade.order), trade.instrument.key,
            trade.side, trade.product, trade.quantity, trade.price, trade.value,
            trade.realized_pnl, trade.brokerage, trade.stt, trade.exchange_charges,
            trade.clearing_charges, trade.sebi_fee, trade.stamp_duty, trade.gst, trade.charges,
            trade.net_amount, trade.account.currency, "yes" if trade.charges_known else "no",
        )
        for trade in trades.order_by("-traded_at", "-pk").iterator()
    )  # fmt: skip
    return csv_response("trades", header=TRADE_FILE, rows=rows)


def _strategy(order: Order) -> str:
    return order.user_strategy.strategy.name if order.user_strategy else ""
