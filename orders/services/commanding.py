"""Send the changes and cancels that people have asked for."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Min, Q

from brokers.answers import NOT_SENT
from brokers.gateway import Accepted, CancelRequest, ModifyRequest, Outcome, Refused
from brokers.registry import Clock, gateway_for
from brokers.terms import OrderType, Validity
from orders.lifecycle import Move
from orders.models import EventSource, ModificationType, Order, OrderModification
from orders.permitted import may_be_sent
from orders.services.placing import SEND_WITHIN
from orders.services.replacing import replace_unsent_exit
from orders.services.sending import (
    STOPPED,
    loaded_order,
    locked_order,
    ref_for,
    submit_order,
)
from orders.services.transitions import Note, add_event, make_move, tell_of
from orders.states import OrderStatus
from portfolio.services import hold_account
from risk.restored import restored_refusal

# A cancel may be sent again, for it does no harm twice; a change may not.
CANCEL_AGAIN_AFTER = timedelta(seconds=10)
NOT_LEFT = "CANCEL_NOT_SENT"


def advance_order(order_id: uuid.UUID, *, clock: Clock) -> None:
    """Do what the order waits for: be sent, be changed or be cancelled."""
    advance(loaded_order(order_id), clock=clock)


def advance(order: Order, *, clock: Clock) -> None:
    """Do what an order that has just been loaded waits for.

    An exit that was too late to be sent is placed again at once.
    """
    if order.state is OrderStatus.PENDING:
        sent = submit_order(order, clock=clock)
        if sent.is_exit and sent.state is OrderStatus.EXPIRED:
            replace_unsent_exit(sent.pk, now=clock())
    elif order.state is OrderStatus.CANCEL_PENDING:
        send_cancel(order.pk, clock=clock)
    elif order.state is OrderStatus.MODIFY_PENDING:
        send_change(order.pk, clock=clock)


def send_cancel(order_id: uuid.UUID, *, clock: Clock) -> None:
    """Send one cancel. Accepted means asked: the order ends when a report says so.

    One that never left the house is still wanted, and left to the next sweep.
    """
    now = clock()
    due = Q(command_sent_at=None) | Q(command_sent_at__lt=now - CANCEL_AGAIN_AFTER)
    if not _claim(order_id, OrderStatus.CANCEL_PENDING, due, now=now):
        return
    order = Order.objects.select_related("account__connection", "instrument").get(pk=order_id)
    outcome = gateway_for(order.account, clock=clock).cancel(_cancel_request(order))
    if isinstance(outcome, Refused) and outcome.proof == NOT_SENT:
        _await_next_sweep(order_id, outcome, now=clock())
    elif isinstance(outcome, Refused):
        _settle_refused(order_id, outcome, now=clock())


def send_change(order_id: uuid.UUID, *, clock: Clock) -> None:
    """Send one change, once; what it came to is settled by its answer or by the next report.

    What would keep an order from being sent keeps a change of it back. One that never left the
    house is refused: by the next sweep its price would be stale.
    """
    order = loaded_order(order_id)
    words = _reason_against_change(order, now=clock())
    if words:
        _drop_change(order_id, words, now=clock())
        return
    if not _claim_change(order, now=clock()):
        return
    outcome = gateway_for(order.account, clock=clock).modify(_modify_request(order))
    _settle_change(order_id, outcome, now=clock())


def _reason_against_change(order: Order, *, now: datetime) -> str:
    asked = order.modifications.filter(succeeded=None).aggregate(at=Min("requested_at"))["at"]
    if asked is not None and now - asked > SEND_WITHIN:
        return "It could not be sent in time"
    return restored_refusal(order.account, is_exit=order.is_exit)


@transaction.atomic(durable=True)
def _claim_change(order: Order, *, now: datetime) -> bool:
    """Take a change for sending, or say why nobody may; as a claim to send takes an order."""
    hold_account(order.account)
    row = Order.objects.filter(pk=order.pk)
    row.select_for_update().values_list("pk").get()
    waiting = row.filter(status=OrderStatus.MODIFY_PENDING, command_sent_at=None)
    if waiting.filter(may_be_sent(now)).update(command_sent_at=now):
        return True
    if waiting.exists():
        settle_changes(order.pk, succeeded=False, words=STOPPED, now=now)
    return False


@transaction.atomic
def _drop_change(order_id: uuid.UUID, words: str, *, now: datetime) -> None:
    """Give up a change that has not left; one that has is settled by its answer."""
    order = locked_order(order_id)
    if order.state is OrderStatus.MODIFY_PENDING and order.command_sent_at is None:
        settle_changes(order_id, succeeded=False, words=words, now=now)
        tell_of(
            order, "Change not sent", f"{words.rstrip('.')}. The order stays as it was.", now=now
        )


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
        is_exit=order.is_exit,
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
def _settle_refused(order_id: uuid.UUID, refusal: Refused, *, now: datetime) -> None:
    order, move = locked_order(order_id), Move.CANCEL_REFUSED
    note = Note(move, EventSource.REST_API, now, refusal.reason, {"proof": refusal.proof})
    make_move(order, move, note=note, now=now)


@transaction.atomic
def _await_next_sweep(order_id: uuid.UUID, refusal: Refused, *, now: datetime) -> None:
    """Note that a cancel has not left, and tell its owner; once, however often it is tried."""
    order = locked_order(order_id)
    if order.state is not OrderStatus.CANCEL_PENDING:
        return
    order.command_sent_at = None
    asked = order.events.filter(event_type__in=(Move.ASK_CANCEL, NOT_LEFT)).order_by("sequence")
    last = asked.last()
    if last is None or last.event_type != NOT_LEFT:
        words = f"The cancel could not be sent: {refusal.reason.rstrip('.')}. It is tried again"
        note = Note(NOT_LEFT, EventSource.SYSTEM, now, words, {"proof": refusal.proof})
        add_event(order, note=note, from_status=order.status, now=now)
        tell_of(order, "Cancel not sent yet", f"{words} until it leaves.", now=now)
    order.save(update_fields=["command_sent_at", "event_count", "updated_at"])


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
