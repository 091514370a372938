"""One order's page: what it is, what happened to it, what it cost."""

import uuid
from decimal import Decimal

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.http import UserRequest
from accounts.models import MANAGING_ROLES, TRADING_ROLES
from market.naming import other_names
from market.quotes import quote_of
from operations.figures import IST
from orders.selectors import charges_of, order_timeline, orders_on_page
from orders.services.deciding import settled_by_itself_until
from orders.states import OrderStatus


@require_GET
def order_detail(
    request: UserRequest, order_id: uuid.UUID, template: str = "orders/detail.html"
) -> HttpResponse:
    visible = orders_on_page(request.user, request.workspace).select_related("user", "parent")
    order = get_object_or_404(visible, pk=order_id)
    now, until = timezone.now(), None
    if order.state is OrderStatus.UNKNOWN:
        until = settled_by_itself_until(order)
    trades = list(order.trades.order_by("-traded_at"))
    context = {
        "order": order,
        "trades": trades,
        "charges": charges_of(trades),
        "total_charges": sum((trade.charges for trade in trades), Decimal(0)),
        "uncharged": sum(not trade.charges_known for trade in trades),
        "timeline": order_timeline(order),
        "violations": list(order.violations.order_by("violated_at")),
        "modifications": list(order.modifications.order_by("-requested_at")),
        "quote": quote_of(order.instrument.key),
        "other_names": other_names(
            order.instrument,
            broker=order.account.connection.broker_type,
            on=order.created_at.astimezone(IST).date(),
        ),
        "may_trade": request.membership.role in TRADING_ROLES,
        "may_see_raw": request.membership.role in MANAGING_ROLES,
        "settles_until": until,
        "settle_by_hand": until is not None and until <= now,
        "now": now,
    }
    return render(request, template, context)
