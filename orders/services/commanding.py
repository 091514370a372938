"""Send the changes and cancels that people have asked for."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Q

from brokers.gateway import Accepted, CancelRequest, ModifyRequest, Outcome, Refused
from brokers.registry import Clock, gateway_for
from brokers.terms import OrderType, Validity
from operations.errors import contained
from orders.lifecycle import Move
from orders.models import EventSource, ModificationType, Order, OrderModification
from orders.services.sending import loaded_order, locked_order, ref_for, submit
from orders.services.transitions import Note, make_move
from orders.states import OrderStatus

# A cancel may be sent again, for it does no harm twice; a change may not.
CANCEL_AGAIN_AFTER = timedelta(seconds=10)


def advance_order(order_id: uuid.UUID, *, clock: Clock) -> None:
    """Do what the order waits for: be sent, be changed or be cancelled."""
    order = loaded_order(order_id)
    if order.state is OrderStatus.PENDING:
        submit(order, clock=clock)
    elif order.state is OrderStatus.CANCEL_PENDING:
        send_cancel(order_id, clock=clock)
    elif order.state is OrderStatus.MODIFY_PENDING:
        send_change(order_id, clock=clock)


def send_commands(clock: Clock) -> None:
    """Send every change and cancel that still waits, on the house's clock."""
    again = Q(status=OrderStatus.CANCEL_PENDING, command_sent_at__lt=clock() - CANCEL_AGAIN_AFTER)
    changing = (OrderStatus.CANCEL_PENDING, OrderStatus.MODIFY_PENDING)
    waiting = Order.objects.filter(status__in=changing, account__own_clock=False)
    unsent = waiting.filter(Q(command_sent_at=None) | again)
    oldest = unsent.order_by(F("command_sent_at").asc(nulls_first=True))
    for order_id in list(oldest.values_list("pk", flat=True)[:500]):
        with contained("sending a change or cancel", order_id=order_id):
            advance_order(order_id, clock=clock)


def send_cancel(order_id: uuid.UUID, *, clock: Clock) -> None:
    """Send one cancel. Accepted means asked: the order ends when a report says so."""
    now = clock()
    due = Q(command_sent_at=None) | Q(command_sent_at__lt=now - CANCEL_AGAIN_AFTER)
    if not _claim(order_id, OrderStatus.CANCEL_PENDING, due, now=now):
        return
    order = Order.objects.select_related("account__connection", "instrument").get(pk=order_id)
    outcome = gateway_for(order.account, clock=clock).cancel(_cancel_request(order))
    if isinstance(outcome, Refused):
        _settle_refused(order_id, Move.CANCEL_REFUSED, outcome, now=clock())


def send_change(order_id: uuid.UUID, *, clock: Clock) -> None:
    """Send one change, once; what it came to is settled by its answer or by the next report."""
    if not _claim(order_id, OrderStatus.MODIFY_PENDING, Q(command_sent_at=None), now=clock()):
        return
    order = Order.objects.select_related("account__connection", "instrument").get(pk=order_id)
    outcome = gateway_for(order.account, clock=clock).modify(_modify_request(order))
    _settle_change(order_id, outcome, now=clock())


def _claim(order_id: uuid.UUID, status: OrderStatus, due: Q, *, now: datetime) -> bool:
    waiting = Order.objects.filter(due, pk=order_id, status=status)
    return bool(waiting.update(command_sent_at=now))


def _cancel_request(order: Order) -> CancelRequest:
    return CancelRequest(
        broker_order_id=order.broker_order_id,
        instrument=ref_for(order),
        order_type=OrderType(order.order_type),
        is_amo=order.is_amo,
    )


def _modify_request(order: Order) -> ModifyRequest:
    request = ModifyRequest(
        broker_order_id=order.broker_order_id,
        instrument=ref_for(order),
        order_type=OrderType(order.order_type),
        validity=Validity(order.validity),
        quantity=order.quantity,
        price=order.price,
        trigger_price=order.trigger_price,
        is_amo=order.is_amo,
    )
    for change in _open_changes(order):
        if change.modification_type == ModificationType.QUANTITY:
            request = replace(request, quantity=int(change.new_value))
        elif change.modification_type == ModificationType.PRICE:
            request = replace(request, price=Decimal(change.new_value))
        elif change.modification_type == ModificationType.TRIGGER_PRICE:
            request = replace(request, trigger_price=Decimal(change.new_value))
    return request


def _open_changes(order: Order) -> list[OrderModification]:
    return list(order.modifications.filter(succeeded=None).order_by("pk"))


@transaction.atomic
def _settle_refused(order_id: uuid.UUID, move: Move, refusal: Refused, *, now: datetime) -> None:
    order = locked_order(order_id)
    note = Note(move, EventSource.REST_API, now, refusal.reason, {"proof": refusal.proof})
    make_move(order, move, note=note, now=now)


@transaction.atomic
def _settle_change(order_id: uuid.UUID, outcome: Outcome, *, now: datetime) -> None:
    if isinstance(outcome, Refused):
        settle_changes(order_id, succeeded=False, words=outcome.reason, now=now)
    elif isinstance(outcome, Accepted):
        settle_changes(order_id, succeeded=True, words="The broker took the change", now=now)


@transaction.atomic
def settle_changes(order_id: uuid.UUID, *, succeeded: bool, words: str, now: datetime) -> None:
    """Close the changes that wait for an answer, and give the order what they made of it."""
    order = locked_order(order_id)
    changes = _open_changes(order)
    if order.state.is_final and changes:
        succeeded, words = False, "The order had ended before the change was answered"
    for change in changes:
        change.succeeded, change.settled_at = succeeded, now
        change.error_message = "" if succeeded else words
        change.save(update_fields=["succeeded", "settled_at", "error_message"])
    if not changes or order.state.is_final:
        return
    move = Move.MODIFY_DONE if succeeded else Move.MODIFY_REFUSED
    if succeeded:
        _take_over(order, changes)
    make_move(order, move, note=Note(move, EventSource.REST_API, now, words), now=now)


def _take_over(order: Order, changes: list[OrderModification]) -> None:
    for change in changes:
        if change.modification_type == ModificationType.QUANTITY:
            order.quantity = max(int(change.new_value), order.filled_quantity)
        elif change.modification_type == ModificationType.PRICE:
            order.price = Decimal(change.new_value)
        elif change.modification_type == ModificationType.TRIGGER_PRICE:
            order.trigger_price = Decimal(change.new_value)
