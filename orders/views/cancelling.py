"""Cancel one order, or several after a look at what would be called off."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import UserRequest
from accounts.permissions import trader_required
from operations.asking import ask, asked_on
from operations.figures import rupees
from orders.lifecycle import IllegalTransition
from orders.models import Order
from orders.selectors import orders_on_page
from orders.services.cancelling import cancel_order, cancel_orders
from orders.states import OrderStatus
from orders.views.answers import in_words, valid_ids


@require_http_methods(["GET", "POST"])
@trader_required
def cancel(request: UserRequest, order_id: uuid.UUID) -> HttpResponse:
    """Say what a cancel calls off; sent, ask for it."""
    mine = Order.objects.tradable_by(request.user).filter(workspace=request.workspace)
    order = get_object_or_404(mine.select_related("instrument", "account__connection"), pk=order_id)
    if request.method == "GET":
        return ask(request, "orders/cancel_one.html", {"order": order})
    try:
        cancelled = cancel_order(order, by=request.user, now=timezone.now())
    except IllegalTransition as error:
        messages.error(request, in_words(error))
    else:
        messages.success(request, _cancel_words(cancelled))
    return redirect(asked_on(request, otherwise=order.get_absolute_url()))


@require_GET
@trader_required
def preview_cancels(request: UserRequest) -> HttpResponse:
    """Show the open orders among those asked for, and what cancelling them calls off."""
    orders = orders_on_page(request.user, request.workspace).alive()
    asked = valid_ids(request.GET.getlist("order"))
    chosen = orders if "all" in request.GET else orders.filter(pk__in=asked)
    context = {"orders": list(chosen.order_by("created_at"))}
    return render(request, "orders/cancel.html", context)


@require_POST
@trader_required
def cancel_chosen(request: UserRequest) -> HttpResponse:
    mine = Order.objects.tradable_by(request.user).filter(workspace=request.workspace)
    chosen = mine.filter(pk__in=valid_ids(request.POST.getlist("order")))
    orders = list(chosen.select_related("instrument").order_by("created_at"))
    taken, complaints = cancel_orders(orders, by=request.user, now=timezone.now())
    for complaint in complaints:
        messages.error(request, in_words(complaint))
    if taken:
        messages.success(request, f"Cancelling {taken} order{pluralize(taken)}.")
    return redirect("orders:list")


def _cancel_words(order: Order) -> str:
    words = f"{order.side} {rupees(order.quantity, 0)} {order.instrument.trading_symbol}"
    if order.status == OrderStatus.CANCELLED:
        return f"{words} is cancelled: it had not been sent."
    return f"Cancel sent for {words}. What fills before it arrives stays filled."
