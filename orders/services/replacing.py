"""Place an exit again, at once, that did not leave in time: what it was to close is still open."""

import uuid
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied

from brokers.registry import Clock
from brokers.terms import OrderType, Product, Side, Validity
from notifications.models import AlertLevel, Notification
from operations.errors import contained
from operations.figures import rupees
from orders.models import Order, OrderQuerySet, OrderSource
from orders.requests import OrderRequest
from orders.services.placing import IdempotencyConflict, OrderInvalid, place_order
from orders.services.sending import loaded_order
from orders.services.transitions import tell_of
from orders.states import OrderStatus
from risk.selectors import Book, closable

# An exit of an hour ago, found as the server starts again, was meant for another market.
STILL_MEANT = timedelta(seconds=120)


def replace_unsent_exits(*, clock: Clock) -> None:
    """Find the exits that ended unsent a moment ago and whose worker died before the next."""
    since = clock() - STILL_MEANT
    for order_id in _unsent().filter(closed_at__gt=since).values_list("pk", flat=True):
        with contained("placing an unsent exit again", order_id=order_id):
            replace_unsent_exit(order_id, now=clock())


def replace_unsent_exit(order_id: uuid.UUID, *, now: datetime) -> Order | None:
    """Place an exit again that ended unsent, for what is still open of it; once, and say so."""
    order = loaded_order(order_id)
    if not _unsent().filter(pk=order_id, expires_at__gt=now - STILL_MEANT).exists():
        return None
    key = _key(order)
    if Order.objects.filter(workspace=order.workspace_id, idempotency_key=key).exists():
        return None
    book = Book(order.account, order.instrument, Product(order.product))
    left = closable(book, Side(order.side), strategy=order.user_strategy_id).now
    if not left:
        return None  # another order has closed it meanwhile, or is about to
    request = _request(order, quantity=min(order.quantity, left))
    try:
        again = place_order(request, user=order.user, idempotency_key=key, now=now)
    except (OrderInvalid, IdempotencyConflict, PermissionDenied) as refusal:
        _tell_not_placed(order, str(refusal), now=now)
        return None
    if again.state is OrderStatus.DENIED:
        _tell_not_placed(order, again.error_message, now=now)
    else:
        _tell_placed(order, again, now=now)
    return again


def _unsent() -> OrderQuerySet:
    return Order.objects.placed_here().filter(
        is_exit=True,
        status=OrderStatus.EXPIRED,
        submitted_at=None,
        broker_order_id="",
        account__own_clock=False,
    )


def _key(order: Order) -> str:
    return f"again:{order.pk.hex}"


def _request(order: Order, *, quantity: int) -> OrderRequest:
    return OrderRequest(
        account=order.account,
        instrument=order.instrument,
        side=Side(order.side),
        quantity=quantity,
        order_type=OrderType(order.order_type),
        product=Product(order.product),
        validity=Validity(order.validity),
        price=order.price,
        trigger_price=order.trigger_price,
        disclosed_quantity=min(order.disclosed_quantity, quantity),
        is_amo=order.is_amo,
        user_strategy_id=order.user_strategy_id,
        source=OrderSource(order.source),
        reduce_only=True,
    )


def _tell_placed(order: Order, again: Order, *, now: datetime) -> None:
    seconds = round((order.expires_at - order.created_at).total_seconds())
    tell_of(
        again,
        "Exit placed again",
        f"The exit before it did not leave within {seconds} seconds, and nothing of it has reached "
        f"the broker. This one was placed at once for the {rupees(again.quantity, 0)} that are "
        "still open. This machine is too slow for its work, or the broker does not answer.",
        level=AlertLevel.CRITICAL,
        now=now,
    )


def _tell_not_placed(order: Order, reason: str, *, now: datetime) -> None:
    """Tell once, however often the sweep comes back to it."""
    title = "Exit not placed again"
    told = Notification.objects.filter(user=order.user, data__order=str(order.pk))
    if told.filter(title__startswith=title).exists():
        return
    words = f"It did not leave in time, and could not be placed again: {reason.rstrip('.')}"
    level = AlertLevel.CRITICAL
    tell_of(order, title, f"{words}. Close the position by hand.", level=level, now=now)
