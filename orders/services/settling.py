"""Settle an order of which nobody knows whether it arrived: look its tag up, never send again."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from brokers.gateway import GatewayUnavailable, OrderReport, TradeReport
from brokers.registry import Clock, gateway_for
from brokers.rows import unreadable_in
from operations.errors import contained
from orders.days import can_be_in_book, sent_at
from orders.lifecycle import Move
from orders.models import EventSource, MissingOrder, Order
from orders.services.reporting import apply_updates
from orders.services.sending import locked_order
from orders.services.transitions import Note, make_move
from orders.states import OrderStatus

# Orders have surfaced in an Indian broker's book 83 seconds late, so five minutes are waited out.
LOOK_AFTER_SECONDS = (1, 2, 4, 8, 15, 30, 60, 120, 240)
GIVE_UP_AFTER = timedelta(seconds=300)
GOOD_READINGS = 2
FAILED_AGAIN_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Books:
    """What a broker lists of one account's day."""

    orders: Sequence[OrderReport]
    trades: Sequence[TradeReport]


def accounts_to_settle(*, now: datetime) -> list[uuid.UUID]:
    """Name the accounts on the house's clock with unknown orders that are due to be looked up."""
    due = _due(now=now).filter(account__own_clock=False)
    return list(due.order_by("account_id").values_list("account_id", flat=True).distinct())


def settle_account(account_id: uuid.UUID, *, clock: Clock) -> None:
    """Look up every unknown order of an account that is due, in one reading of its books.

    All are put off before the books are read: what always fails is not tried again at once.
    """
    due = _due(now=clock()).filter(account_id=account_id)
    orders = {order.pk: order for order in due.select_related("account__connection", "instrument")}
    Order.objects.filter(pk__in=orders).update(settle_after=clock() + FAILED_AGAIN_AFTER)
    if not orders:
        return
    with contained("reading what settles unknown orders", account_id=account_id):
        books = _read_books(next(iter(orders.values())), clock=clock)
        for order_id, order in orders.items():
            with contained("settling an unknown order", order_id=order_id):
                _look_up(order, books, clock=clock)


def settle_unknown(order_id: uuid.UUID, *, clock: Clock) -> None:
    """Look one unknown order up in the broker's book: adopt it, wait, or conclude it never came.

    It is given up only after five minutes and two full readings of its own day's book without it;
    even then a report that comes later revives it. What outlasts its day stays unknown, for a
    person: no book can tell any more. What the broker has once had is never given up.
    """
    order = Order.objects.select_related("account__connection", "instrument").get(pk=order_id)
    _look_up(order, _read_books(order, clock=clock), clock=clock)


def _due(*, now: datetime) -> QuerySet[Order]:
    return Order.objects.filter(status=OrderStatus.UNKNOWN, settle_after__lte=now)


def _read_books(order: Order, *, clock: Clock) -> Books | None:
    """Read the books of the order's account; None when the broker does not give them."""
    gateway = gateway_for(order.account, clock=clock)
    try:
        return Books(gateway.orders(), gateway.trades())
    except GatewayUnavailable:
        return None


def _look_up(order: Order, books: Books | None, *, clock: Clock) -> None:
    """Look an order up in books that were read after it was; see :func:`settle_unknown`."""
    if books is None:
        _look_again(order.pk, was_read=False, now=clock())
        return
    found = _find(order, books.orders)
    if found is None:
        now = clock()
        is_awaited = not order.broker_order_id and can_be_in_book(order, now=now)
        proves = is_awaited and _is_whole(order, books.orders)
        _look_again(order.pk, was_read=proves, now=now)
        return
    number = found.broker_order_id
    apply_updates(
        order.account,
        orders=[found],
        trades=[trade for trade in books.trades if trade.broker_order_id == number],
        source=EventSource.RECONCILE,
        now=clock(),
    )


def _is_whole(order: Order, book: Sequence[OrderReport]) -> bool:
    """A book that lacks another order known to be working there proves nothing of this one.

    Nor does one with a row that cannot be read and may be this one's.
    """
    if any(row.tag in (order.tag, "") for row in unreadable_in(book)):
        return False
    listed = {report.broker_order_id for report in book}
    expected = Order.objects.filter(account=order.account).expected_in_book()
    awaited = expected.exclude(pk__in=MissingOrder.objects.told().values("pk"))
    return not awaited.exclude(broker_order_id__in=listed).exists()


def _find(order: Order, book: Sequence[OrderReport]) -> OrderReport | None:
    number = order.broker_order_id
    return next(
        (
            report
            for report in book
            if report.tag == order.tag or (number and report.broker_order_id == number)
        ),
        None,
    )


@transaction.atomic
def _look_again(order_id: uuid.UUID, *, was_read: bool, now: datetime) -> None:
    order = locked_order(order_id)
    if order.state is not OrderStatus.UNKNOWN:
        return
    readings = order.retry_count + was_read
    sent = sent_at(order)
    if was_read and readings >= GOOD_READINGS and now - sent >= GIVE_UP_AFTER:
        words = f"It never reached the broker: not in {readings} full readings of its book"
        note = Note(Move.GIVE_UP, EventSource.RECONCILE, now, words)
        make_move(order, Move.GIVE_UP, note=note, now=now)
        return
    order.retry_count = readings
    order.settle_after = next_look(sent, now=now)
    order.save(update_fields=["retry_count", "settle_after"])


def next_look(sent: datetime, *, now: datetime) -> datetime:
    """Return the next moment of the schedule after ``now``: 1, 2, 4 … 240 s after the send."""
    moments = (sent + timedelta(seconds=seconds) for seconds in LOOK_AFTER_SECONDS)
    later = (moment for moment in moments if moment > now)
    return next(later, max(now + timedelta(seconds=30), sent + GIVE_UP_AFTER))
