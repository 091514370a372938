"""Call off our own exits beyond what is left to close: filled, they would open a position."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from brokers.terms import Product, Side
from notifications.models import AlertLevel
from operations.errors import contained
from operations.figures import rupees
from orders.lifecycle import Move
from orders.models import EventSource, Order, OrderQuerySet
from orders.services.cancelling import DatabaseRestored, cancel_order, just_refused
from orders.services.sending import locked_order
from orders.services.transitions import Note, add_event, tell_of
from orders.states import CANCELLABLE, OrderStatus
from portfolio.models import Position
from portfolio.services import lock_account
from risk.models import Reservation
from risk.rules import Exposure
from risk.selectors import Book, exposure

LEFT = "LEFT_AT_BROKER"
_REASON = "it is more than its position has left to close"
# By whom: None stands for the whole account.
_Left = dict[uuid.UUID | None, int]


class _Held(NamedTuple):
    """What one exit may still take away, and from whose book."""

    order_id: uuid.UUID
    strategy: uuid.UUID | None
    quantity: int


def cancel_surplus_exits(book: Book, side: Side, *, now: datetime, but: Order | None = None) -> int:
    """Call off the exits of one side that no longer fit the position; answer how many.

    The caller holds the account's lock; ``but`` is an order that it is writing, left alone. Each
    exit is kept that fits beside the older ones: those have their place in the exchange's queue,
    and a newer one was placed for what they left. What is called off already counts against none,
    else two stops of which one fits would both go and leave the position without any.
    """
    ours = our_orders(book, side).filter(is_exit=True, status__in=CANCELLABLE)
    related = ours.select_related("workspace").order_by("created_at", "pk")
    exits = [each for each in related if each != but]
    surplus = beyond_what_is_open(book, side, exits) if exits else []
    return sum(_call_off(each, fitting, now=now) for each, fitting in surplus)


def beyond_what_is_open(book: Book, side: Side, orders: Sequence[Order]) -> list[tuple[Order, int]]:
    """Name those of our orders, in their order, that would do more than close what is open beside
    the ones before them; each with how much would fit.
    """
    called_off = our_orders(book, side).filter(status=OrderStatus.CANCEL_PENDING)
    asked = [each.pk for each in orders]
    held = _held(Q(order_id__in=asked) | Q(order_id__in=called_off.values("pk")))
    left, beyond = _left(book, side, orders, held), []
    quantities = {each.order_id: each.quantity for each in held}
    for each in orders:
        whose = {None, each.user_strategy_id}
        fitting = min(left[one] for one in whose)
        if each.remaining_quantity > fitting:
            beyond.append((each, fitting))
            continue
        left |= {one: left[one] - quantities.get(each.pk, 0) for one in whose}
    return beyond


def sweep_surplus_exits(*, now: datetime) -> int:
    """Call off the exits that came to work, or back, after their position had become smaller.

    A fill calls off what it leaves without purpose; an exit whose answer was lost then, or whose
    cancel was refused, is found here. What the broker has just refused waits a little.
    """
    taken = 0
    for each in _crowded(now=now):
        with contained("calling off surplus exits", order_id=each.pk):
            taken += _cancel_beside(each, now=now)
    return taken


@transaction.atomic
def _cancel_beside(order: Order, *, now: datetime) -> int:
    account = lock_account(order.account)
    book = Book(account, order.instrument, Product(order.product))
    return cancel_surplus_exits(book, Side(order.side), now=now)


def our_orders(book: Book, side: Side) -> OrderQuerySet:
    """Ours alone: what was placed elsewhere is left to whoever placed it."""
    return Order.objects.placed_here().filter(
        account=book.account, instrument=book.instrument, product=book.product, side=side
    )


def _crowded(*, now: datetime) -> list[Order]:
    """Return one exit of each book that holds less than its exits together would close."""
    here = Position.objects.open().filter(
        account=OuterRef("account"), instrument=OuterRef("instrument"), product=OuterRef("product")
    )
    own = here.filter(user_strategy=OuterRef("user_strategy"))
    waiting: QuerySet[Order] = Order.objects.placed_here().filter(
        ~just_refused(now),
        is_exit=True,
        status__in=CANCELLABLE,
        account__own_clock=False,
    )
    exits = waiting.annotate(net_held=_sum(here), own_held=_sum(own)).select_related(
        "account", "instrument"
    )
    asked: dict[tuple[object, ...], int] = {}
    crowded = {}
    for each in exits.order_by("created_at", "pk"):
        sign, book = Side(each.side).sign, (each.account_id, each.instrument_id, each.product)
        held: dict[uuid.UUID | None, int] = {None: each.net_held}
        if each.user_strategy_id is not None:
            held[each.user_strategy_id] = each.own_held
        for whose, quantity in held.items():
            key = (*book, each.side, whose)
            asked[key] = asked.get(key, 0) + each.remaining_quantity
            if asked[key] > max(-quantity * sign, 0):
                crowded[(*book, each.side)] = each
    return list(crowded.values())


def _sum(positions: QuerySet[Position]) -> Coalesce:
    total = positions.order_by().values("account").annotate(total=Sum(F("quantity")))
    return Coalesce(Subquery(total.values("total"), output_field=IntegerField()), 0)


def _held(orders: Q) -> list[_Held]:
    rows = Reservation.objects.filter(orders, released_at=None)
    return [_Held(*row) for row in rows.values_list("order_id", "user_strategy_id", "quantity")]


def _left(book: Book, side: Side, orders: Iterable[Order], held: Sequence[_Held]) -> _Left:
    """What is open and nobody but the orders in question, or called off, is closing yet."""
    left: _Left = {}
    for whose in {None, *(each.user_strategy_id for each in orders)}:
        found = exposure(book, strategy=whose, own=whose is not None)
        theirs = sum(each.quantity for each in held if whose in (None, each.strategy))
        left[whose] = _without(found, side, theirs).exitable(side.sign)
    return left


def _without(found: Exposure, side: Side, quantity: int) -> Exposure:
    if side is Side.BUY:
        return replace(found, pending_buys=found.pending_buys - quantity)
    return replace(found, pending_sells=found.pending_sells - quantity)


def _call_off(order: Order, fitting: int, *, now: datetime) -> bool:
    """Cancel one exit and tell its owner, once however often the broker refuses the cancel."""
    left = f"Only {rupees(fitting, 0)} are left" if fitting else "Nothing is left"
    asked = order.events.filter(event_type=Move.ASK_CANCEL, event_source=EventSource.SYSTEM)
    is_told = asked.exists()
    try:
        held = cancel_order(order, by=None, now=now, reason=_REASON)
    except DatabaseRestored as error:
        _tell_left(order, f"{left} for it to close by the books here, but {error}", now=now)
        return False
    if is_told:
        return True
    tell_of(
        held,
        "Exit called off",
        f"{left} for it to close: filled, it would open a position. Look whether what is open is "
        "guarded as you want it.",
        level=AlertLevel.WARNING,
        now=now,
    )
    return True


def _tell_left(order: Order, words: str, *, now: datetime) -> None:
    """Note and tell once that an exit is left at the broker, for a person to look."""
    if order.events.filter(event_type=LEFT).exists():
        return
    held = locked_order(order.pk)
    note = Note(LEFT, EventSource.SYSTEM, now, words)
    add_event(held, note=note, from_status=held.status, now=now)
    held.save(update_fields=["event_count", "updated_at"])
    tell_of(
        held,
        "Exit not called off",
        f"{words}. Filled, it might open a position: look, and cancel it if it is yours.",
        level=AlertLevel.CRITICAL,
        now=now,
    )
