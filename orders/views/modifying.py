"""Change a working order's quantity or prices."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import UserRequest
from accounts.permissions import trader_required
from market.quotes import quote_of
from orders.change_form import ChangeForm
from orders.change_preview import preview_change, refusal_of
from orders.models import Order
from orders.selectors import orders_on_page
from orders.services.modifying import IllegalTransition, OrderChanges, OrderInvalid, modify_order
from orders.views.answers import in_words


@require_http_methods(["GET", "POST"])
@trader_required
def modify(request: UserRequest, order_id: uuid.UUID) -> HttpResponse:
    """Show the form; sent, ask for the change or show what refuses it."""
    order = get_object_or_404(orders_on_page(request.user, request.workspace), pk=order_id)
    form = ChangeForm(request.POST or None, order=order)
    if form.is_valid() and _changed(request, order, form):
        return redirect(order)
    context = {
        "order": order,
        "form": form,
        "quote": quote_of(order.instrument.key),
        **_previewed(order, form),
    }
    return render(request, "orders/modify.html", context)


@require_POST
@trader_required
def preview(request: UserRequest, order_id: uuid.UUID) -> HttpResponse:
    """Answer what the change would need as it is being typed."""
    order = get_object_or_404(orders_on_page(request.user, request.workspace), pk=order_id)
    form = ChangeForm(request.POST, order=order)
    context = {"order": order, "is_part": True, **_previewed(order, form)}
    return render(request, "orders/_change_cost.html", context)


def _previewed(order: Order, form: ChangeForm) -> dict[str, object]:
    """What the change needs, and what keeps it back: fields to check, or a refusal."""
    now = timezone.now()
    if not form.is_bound:
        return {"cost": preview_change(order, OrderChanges(), now=now)}
    typed = ChangeForm(form.data, order=order)
    if not typed.is_valid():
        labels = (str(typed[name].label).lower() for name in typed.fields if name in typed.errors)
        return {"cost": None, "to_check": " and ".join(f"the {label}" for label in labels)}
    changes = typed.changes()
    return {
        "cost": preview_change(order, changes, now=now),
        "refusal": refusal_of(order, changes, now=now),
    }


def _changed(request: UserRequest, order: Order, form: ChangeForm) -> bool:
    try:
        modify_order(order, changes=form.changes(), by=request.user, now=timezone.now())
    except OrderInvalid as refusal:
        form.refuse(refusal.errors)
    except IllegalTransition as error:
        form.add_error(None, in_words(error))
    else:
        messages.success(request, "The change is on its way to the broker.")
        return True
    return False
