"""Cancel one order, or several after a look at what would be called off."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.http import UserRequest
from accounts.permissions import trader_required
from orders.lifecycle import IllegalTransition
from orders.models import Order
from orders.selectors import orders_on_page
from orders.services.cancelling import cancel_order, cancel_orders
from orders.views.answers import back_to, valid_ids


@require_POST
@trader_required
def cancel(request: UserRequest, order_id: uuid.UUID) -> HttpResponse:
    mine = Order.objects.tradable_by(request.user).filter(workspace=request.workspace)
    order = get_object_or_404(mine, pk=order_id)
    try:
        cancel_order(order, by=request.user, now=timezone.now())
    except IllegalTransition as error:
        messages.error(request, str(error))
    return back_to(request, order.get_absolute_url())


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
        messages.error(request, complaint)
    if taken:
        messages.success(request, f"Cancelling {taken} order{pluralize(taken)}.")
    return redirect("orders:list")
