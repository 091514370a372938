"""Let each order do what it waits for, so that one broker's silence delays no other's orders."""

import uuid
from datetime import datetime
from functools import partial

from django.db.models import F, Q

from brokers.registry import Clock
from operations.errors import contained
from orders.lanes import Lanes
from orders.models import Order
from orders.nudging import nudge_order
from orders.services.commanding import CANCEL_AGAIN_AFTER, advance
from orders.services.sending import loaded_order
from orders.states import OrderStatus

# A worker has twenty threads: three brokers that hang at once leave the others two.
_sending = Lanes(width=6)
AT_ONCE = 500


def advance_in_turn(order_id: uuid.UUID, *, clock: Clock) -> None:
    """Do what the order waits for, or leave it waiting while its broker has enough to answer.

    Exits and cancels go first; an order that is late ends here, whatever its broker does.
    """
    order = loaded_order(order_id)
    broker, again = order.account.connection.broker_type, partial(nudge_order, order_id)
    is_urgent = order.is_exit or order.state is OrderStatus.CANCEL_PENDING
    is_late = order.state is OrderStatus.PENDING and order.expires_at <= clock()
    with (
        contained("advancing an order", order_id=order_id),
        _sending.turn(broker, order_id, again, is_urgent=is_urgent) as has_room,
    ):
        if has_room or is_late:
            advance(order, clock=clock)


def waiting_orders(*, now: datetime) -> list[uuid.UUID]:
    """Name the orders on the house's clock that wait to be sent, changed or cancelled, ways out
    first: what a lost nudge left behind."""
    ours = Order.objects.filter(account__own_clock=False)
    again = Q(status=OrderStatus.CANCEL_PENDING, command_sent_at__lt=now - CANCEL_AGAIN_AFTER)
    changing = ours.filter(status__in=(OrderStatus.CANCEL_PENDING, OrderStatus.MODIFY_PENDING))
    commands = changing.filter(Q(command_sent_at=None) | again)
    oldest = commands.order_by(F("command_sent_at").asc(nulls_first=True))
    pending = ours.pending().order_by("-is_exit", "created_at")
    return [
        *oldest.values_list("pk", flat=True)[:AT_ONCE],
        *pending.values_list("pk", flat=True)[:AT_ONCE],
    ]
