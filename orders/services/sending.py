"""Send an order: claim, commit, one send, and write down what came of it. Never a blind retry."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from brokers.answers import NOT_SENT
from brokers.directory import installed_directory
from brokers.gateway import Accepted, InstrumentRef, Outcome, PlaceRequest, Refused
from brokers.models import TradingAccount
from brokers.registry import Clock, gateway_for
from brokers.services import PAPER
from brokers.terms import OrderType, Product, Side, Validity
from market.rules.freeze import freeze_quantity
from operations.errors import contained
from operations.figures import IST
from operations.installation import keep_pulse
from orders.lifecycle import Move
from orders.models import EventSource, Order
from orders.permitted import may_be_sent
from orders.services.transitions import Note, add_event, make_move
from orders.states import OrderStatus
from portfolio.services import hold_account
from risk.restored import restored_refusal
from risk.services import hand_over
from risk.services.confirming import note_pulse

# A send that has said nothing for this long has lost its worker.
SEND_LEASE = timedelta(seconds=60)
FIRST_LOOK = timedelta(seconds=1)
STOPPED = "Trading was stopped, or is not allowed to this person or account any more"


def submit_order(order: Order, *, clock: Clock) -> Order:
    """Send an order that has just been loaded, once; whoever loses the claim does nothing.

    :raises UnknownBroker: while it is in time; one that is late ends, whatever its broker.
    """
    if order.expires_at <= clock():
        return _expire_unsent(order.pk, now=clock())
    restored = restored_refusal(order.account, is_exit=order.is_exit)
    if restored:
        note_pulse(now=clock())
        return _deny_restored(order.pk, restored, now=clock())
    gateway = gateway_for(order.account, clock=clock)
    request = place_request(order)
    if not _claim(order, now=clock()):
        return loaded_order(order.pk)
    outcome = gateway.place(request)
    return record_outcome(order.pk, outcome, now=clock())


def find_lost_sends(*, now: datetime) -> int:
    """Call unknown what has been SUBMITTING beyond its lease: its worker died at the send."""
    lost = Order.objects.filter(
        status=OrderStatus.SUBMITTING,
        submitted_at__lt=now - SEND_LEASE,
        account__own_clock=False,
    )
    order_ids = list(lost.values_list("pk", flat=True))
    for order_id in order_ids:
        with contained("finding a lost send", order_id=order_id):
            _lose(order_id, evidence="The worker died between the claim and the answer", now=now)
    return len(order_ids)


def place_request(order: Order) -> PlaceRequest:
    """Return the message that sends this order."""
    return PlaceRequest(
        tag=order.tag,
        instrument=ref_for(order),
        side=Side(order.side),
        quantity=order.quantity,
        order_type=OrderType(order.order_type),
        product=Product(order.product),
        validity=Validity(order.validity),
        price=order.price,
        trigger_price=order.trigger_price,
        disclosed_quantity=order.disclosed_quantity,
        is_amo=order.is_amo,
        is_exit=order.is_exit,
    )


def ref_for(order: Order) -> InstrumentRef:
    """Return the order's instrument as its broker numbers it; a real broker needs its number.

    The paper broker refuses what the exchange would, by the freeze quantity of the order's day.
    """
    connection = order.account.connection
    if connection.broker_type == PAPER:
        day = order.created_at.astimezone(IST).date()
        freeze = freeze_quantity(order.instrument, on=day)
        return replace(order.instrument.ref(), freeze_quantity=freeze)
    known = installed_directory().ref_of(connection.broker_type, order.instrument.key)
    return known or order.instrument.ref()


def loaded_order(order_id: uuid.UUID) -> Order:
    """Load an order with all that sending it asks for; nothing is locked."""
    related = ("account__connection", "instrument", "user", "workspace")
    return Order.objects.select_related(*related).get(pk=order_id)


def locked_order(order_id: uuid.UUID) -> Order:
    """Load an order and hold its account's row, then its own, until the transaction ends.

    The account always comes first: booking a fill, judging a change and cancelling the exits
    that a fill leaves without purpose take it too, and would else wait for one another.
    """
    accounts = TradingAccount.objects.select_for_update(of=("self",), no_key=True)
    accounts.only("pk").get(orders__pk=order_id)
    return held_order(order_id)


def held_order(order_id: uuid.UUID) -> Order:
    """Load an order and hold its row; the caller holds its account's row already."""
    return (
        Order.objects.select_for_update(of=("self",))
        .select_related("account__connection", "instrument", "user", "workspace")
        .get(pk=order_id)
    )


@transaction.atomic(durable=True)
def _claim(order: Order, *, now: datetime) -> bool:
    """Take the order for sending, or say why nobody may; committed before the socket opens.

    The row is locked first: a claim that waited for it would read the switches as they were.
    """
    hold_account(order.account)
    row = Order.objects.filter(pk=order.pk)
    events = row.select_for_update().values_list("event_count", flat=True).get()
    claimed = (
        row.filter(status=OrderStatus.PENDING, expires_at__gt=now)
        .filter(may_be_sent(now))
        .update(status=OrderStatus.SUBMITTING, submitted_at=now, event_count=events + 1)
    )
    if claimed:  # and so locked
        if not order.account.is_paper:
            keep_pulse(now=now)
        order.status, order.submitted_at = OrderStatus.SUBMITTING, now
        order.event_count = events
        note = Note(Move.SUBMIT, EventSource.SYSTEM, now, "Taken by a worker to send")
        add_event(order, note=note, from_status=OrderStatus.PENDING, now=now)
        return True
    held = locked_order(order.pk)
    if held.state is OrderStatus.PENDING:
        _end_unsent(held, now=now)
    return False


@transaction.atomic(durable=True)
def _expire_unsent(order_id: uuid.UUID, *, now: datetime) -> Order:
    order = locked_order(order_id)
    if order.state is OrderStatus.PENDING:
        _end_unsent(order, now=now)
    return order


@transaction.atomic(durable=True)
def _deny_restored(order_id: uuid.UUID, words: str, *, now: datetime) -> Order:
    order = locked_order(order_id)
    if order.state is OrderStatus.PENDING:
        deny_unsent(order, words, now=now)
    return order


def _end_unsent(order: Order, *, now: datetime) -> None:
    if order.expires_at <= now:
        seconds = round((order.expires_at - order.created_at).total_seconds())
        words = (
            f"It did not leave within {seconds} seconds: no worker was free for it, or its broker "
            "did not answer. Nothing has reached the broker"
        )
        make_move(
            order, Move.EXPIRE, note=Note(Move.EXPIRE, EventSource.SYSTEM, now, words), now=now
        )
        return
    deny_unsent(order, STOPPED, now=now)


def deny_unsent(order: Order, words: str, *, now: datetime) -> None:
    """End an order that may not leave any more; the caller has locked it."""
    make_move(order, Move.DENY, note=Note(Move.DENY, EventSource.SYSTEM, now, words), now=now)


@transaction.atomic
def record_outcome(order_id: uuid.UUID, outcome: Outcome, *, now: datetime) -> Order:
    """Write what the broker answered. Anything but a proof is UNKNOWN and will be looked up."""
    order = locked_order(order_id)
    if isinstance(outcome, Accepted) and not _is_ours(order, outcome.broker_order_id):
        evidence = f"The broker answered with no number of its own: “{outcome.broker_order_id}”"
        _mark_unknown(order, evidence=evidence, now=now)
    elif isinstance(outcome, Accepted):
        order.broker_order_id = order.broker_order_id or outcome.broker_order_id
        hand_over(order.pk, now=now)
        note = Note(
            Move.ACCEPT,
            EventSource.REST_API,
            outcome.at,
            f"The broker took it as {outcome.broker_order_id}",
            {"broker_order_id": outcome.broker_order_id},
        )
        make_move(order, Move.ACCEPT, note=note, now=now)
    elif isinstance(outcome, Refused):
        unsent = outcome.proof == NOT_SENT
        words = f"It could not be sent: {outcome.reason}" if unsent else outcome.reason
        data = {"proof": outcome.proof}
        note = Note(Move.REFUSE, EventSource.REST_API, now, words, data)
        make_move(order, Move.REFUSE, note=note, now=now)
    else:
        _mark_unknown(order, evidence=outcome.evidence, now=now)
    return order


def _is_ours(order: Order, broker_order_id: str) -> bool:
    others = Order.objects.filter(account=order.account, broker_order_id=broker_order_id)
    return bool(broker_order_id) and not others.exclude(pk=order.pk).exists()


@transaction.atomic
def _lose(order_id: uuid.UUID, *, evidence: str, now: datetime) -> None:
    order = locked_order(order_id)
    if order.state is OrderStatus.SUBMITTING:
        _mark_unknown(order, evidence=evidence, now=now)


def _mark_unknown(order: Order, *, evidence: str, now: datetime) -> None:
    order.settle_after = now + FIRST_LOOK
    note = Note(Move.LOSE, EventSource.SYSTEM, now, evidence)
    make_move(order, Move.LOSE, note=note, now=now)
