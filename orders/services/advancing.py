"""Let each order do what it waits for: exits and cancels by workers of their own, oldest first.

A message is no more than a call for a worker. What the worker then does is what is most urgent and
has waited longest at the order's broker, until nothing waits there any more; so no order loses its
place by whose message comes first, and one broker's silence delays no other's orders.
"""

import threading
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from django.db.models import Case, F, Q, Value, When

from brokers.registry import Clock
from operations.errors import contained
from orders.lanes import Lanes
from orders.models import Order, OrderQuerySet
from orders.nudging import nudge_order
from orders.services.commanding import CANCEL_AGAIN_AFTER, advance_order
from orders.services.sending import loaded_order
from orders.states import OrderStatus

# A worker has twenty threads: three brokers that hang at once leave the others two. Exits and
# cancels have six of their own at each broker, which entries that hang cannot hold.
_entries, _exits = Lanes(width=6), Lanes(width=6)
AT_ONCE = 500
_URGENT = Q(is_exit=True) | Q(status=OrderStatus.CANCEL_PENDING)


class InHand:
    """The orders that threads of this process are at: each is taken by one of them at a time."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._order_ids: set[uuid.UUID] = set()

    @contextmanager
    def taking(self, waiting: OrderQuerySet) -> Iterator[uuid.UUID | None]:
        """Take the first of the waiting orders that no other thread is at."""
        with self._guard:
            free = waiting.exclude(pk__in=self._order_ids)
            order_id = free.values_list("pk", flat=True).first()
            if order_id is not None:
                self._order_ids.add(order_id)
        try:
            yield order_id
        finally:
            if order_id is not None:
                with self._guard:
                    self._order_ids.discard(order_id)


_in_hand = InHand()


def advance_in_turn(order_id: uuid.UUID, *, clock: Clock) -> None:
    """Work off what waits at the order's broker, unless as many are at it as may be.

    An order that is late ends here, whatever its broker does.
    """
    order = loaded_order(order_id)
    is_urgent = order.is_exit or order.state is OrderStatus.CANCEL_PENDING
    broker = order.account.connection.broker_type
    lanes = _exits if is_urgent else _entries
    again = partial(nudge_order, order_id, is_urgent=is_urgent)
    with lanes.turn(broker, "more", again) as has_room:
        if has_room:
            _work_off(broker, is_urgent=is_urgent, clock=clock)
        elif order.state is OrderStatus.PENDING and order.expires_at <= clock():
            _advance(order_id, clock=clock)


def _work_off(broker: str, *, is_urgent: bool, clock: Clock) -> None:
    """Advance one waiting order after the other; one that stays waiting is tried once."""
    tried: set[uuid.UUID] = set()
    while True:
        waiting = _waiting(is_urgent=is_urgent, now=clock()).exclude(pk__in=tried)
        with _in_hand.taking(waiting.filter(account__connection__broker_type=broker)) as order_id:
            if order_id is None:
                return
            tried.add(order_id)
            _advance(order_id, clock=clock)


def _advance(order_id: uuid.UUID, *, clock: Clock) -> None:
    with contained("advancing an order", order_id=order_id):
        advance_order(order_id, clock=clock)


def waiting_orders(*, now: datetime) -> list[uuid.UUID]:
    """Name the orders on the house's clock that wait to be sent, changed or cancelled, exits and
    cancels first: what a lost nudge left behind."""
    return [*_first(is_urgent=True, now=now), *_first(is_urgent=False, now=now)]


def nudge_waiting(*, now: datetime, expires: float) -> None:
    """Call a worker for each order that waits, in case its own call was lost."""
    for is_urgent in (True, False):
        for order_id in _first(is_urgent=is_urgent, now=now):
            nudge_order(order_id, is_urgent=is_urgent, expires=expires)


def _first(*, is_urgent: bool, now: datetime) -> Collection[uuid.UUID]:
    return _waiting(is_urgent=is_urgent, now=now).values_list("pk", flat=True)[:AT_ONCE]


def _waiting(*, is_urgent: bool, now: datetime) -> OrderQuerySet:
    """The waiting orders that are urgent, or the others; cancels, then the longest waiting."""
    again = Q(status=OrderStatus.CANCEL_PENDING, command_sent_at__lt=now - CANCEL_AGAIN_AFTER)
    commands = (OrderStatus.CANCEL_PENDING, OrderStatus.MODIFY_PENDING)
    due = Q(status=OrderStatus.PENDING) | Q(status__in=commands, command_sent_at=None) | again
    is_cancel = When(status=OrderStatus.CANCEL_PENDING, then=Value(0))
    urgency = _URGENT if is_urgent else ~_URGENT
    return Order.objects.filter(due, urgency, account__own_clock=False).order_by(
        Case(is_cancel, default=Value(1)),
        F("command_sent_at").asc(nulls_first=True),
        "created_at",
        "pk",
    )
