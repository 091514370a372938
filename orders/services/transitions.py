"""The one place where an order's row changes: state, event, reservation and news together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from brokers.answers import NOT_SENT
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.events import publish
from operations.figures import rupees
from orders.lifecycle import Move, Snapshot, apply_move
from orders.models import EventSource, ModificationType, Order, OrderEvent, OrderSource
from orders.states import FINAL, WORKING, OrderStatus
from risk.services import hold_remaining


@dataclass(frozen=True, slots=True)
class Note:
    """What to write in the order's history beside a change of state."""

    event_type: str
    source: EventSource
    occurred_at: datetime
    message: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


# What a move, a report or a fill may change. The terms an order was placed with are not among
# them: an object read earlier must not write those back.
_MOVING = (
    "status",
    "previous_status",
    "quantity",
    "filled_quantity",
    "average_price",
    "traded_quantity",
    "traded_value",
    "price",
    "trigger_price",
    "broker_order_id",
    "exchange_order_id",
    "report_sequence",
    "reported_at",
    "placed_at",
    "closed_at",
    "error_message",
    "event_count",
    "settle_after",
    "command_sent_at",
    "updated_at",
)


def snapshot_of(order: Order) -> Snapshot:
    return Snapshot(
        status=order.state,
        quantity=order.quantity,
        filled_quantity=order.filled_quantity,
        previous_status=OrderStatus(order.previous_status) if order.previous_status else None,
        report_key=(order.report_sequence, order.reported_at),
        is_reported=order.reported_at is not None,
    )


def make_move(order: Order, move: Move, *, note: Note, now: datetime) -> None:
    """Make one of our own moves on an order that the caller has locked.

    :raises IllegalTransition: when the order's state does not allow it.
    """
    before = order.state
    write_snapshot(order, apply_move(snapshot_of(order), move), note=note, now=now)
    if (before, move) in _TURNED_DOWN and order.state not in FINAL:
        _tell_turned_down(order, move, note, now=now)


def write_snapshot(order: Order, after: Snapshot, *, note: Note, now: datetime) -> None:
    """Write what the order has become; the caller holds its lock and the transaction."""
    before, was_told = order.state, order.reported_at is not None
    filled_before = order.filled_quantity
    take_snapshot(order, after, at=note.occurred_at, now=now)
    is_refused = after.status in (OrderStatus.REJECTED, OrderStatus.DENIED)
    if note.message and (is_refused or note.event_type == Move.EXPIRE):
        order.error_message = note.message
    write_taken(order, before=before, note=note, now=now)
    is_alive_again = order.state not in FINAL or order.filled_quantity > filled_before
    if before in FINAL and not was_told and is_alive_again:
        _alarm_revived(order, before, now=now)


def take_snapshot(order: Order, after: Snapshot, *, at: datetime, now: datetime) -> None:
    """Take over what the order has become, in memory; :func:`write_taken` writes it."""
    order.status = after.status
    order.previous_status = after.previous_status or ""
    order.quantity = after.quantity
    order.filled_quantity = after.filled_quantity
    order.report_sequence, order.reported_at = after.report_key
    if order.placed_at is None and after.status in WORKING:
        order.placed_at = at
    order.closed_at = (order.closed_at or now) if after.status in FINAL else None


def write_taken(order: Order, *, before: OrderStatus, note: Note, now: datetime) -> None:
    """Write an order that has taken over what it has become, with one event for all of it."""
    add_event(order, note=note, from_status=before, now=now)
    order.save(update_fields=_MOVING)
    _hold_what_remains(order, now=now)
    if order.state is not before:
        tell_owner(order, note=note, now=now)


def add_event(order: Order, *, note: Note, from_status: str, now: datetime) -> None:
    """Number and write one event, and publish it; the order's own row is saved by the caller."""
    order.event_count += 1
    OrderEvent.objects.create(
        order=order,
        sequence=order.event_count,
        event_type=note.event_type,
        event_source=note.source,
        from_status=from_status,
        to_status=order.status,
        message=note.message,
        event_data=dict(note.data),
        occurred_at=note.occurred_at,
        recorded_at=now,
    )
    publish("orders", workspace_id=order.workspace_id, subject_id=order.pk, now=now)


def _hold_what_remains(order: Order, *, now: datetime) -> None:
    """Hold what the order may still add to a position, counting as held what has filled at the
    broker but is not booked here yet."""
    target = order.filled_quantity if order.state in FINAL else order.quantity
    if order.state is OrderStatus.MODIFY_PENDING:
        open_changes = order.modifications.filter(
            succeeded=None, modification_type=ModificationType.QUANTITY
        )
        wanted = open_changes.values_list("new_value", flat=True)
        target = max([target, *(int(value) for value in wanted)])
    hold_remaining(order.pk, remaining=target - order.traded_quantity, now=now)


def tell_owner(order: Order, *, now: datetime, note: Note | None = None) -> None:
    """Notify the order's owner of the ends that matter; a replay tells nobody.

    What was never an order is told of by whoever makes it, in its own words.
    """
    told = _TOLD.get(order.state)
    # An unknown order that has reached the broker is told of by whoever loses sight of it.
    if order.state is OrderStatus.UNKNOWN and order.broker_order_id:
        return
    if told is None or order.account.own_clock or not OrderSource(order.source).is_order:
        return
    kind, level, words = told
    message = order.error_message or f"{order.account.name} · {order.get_product_display()}"
    never_came = _never_came(order, note)
    if order.state is OrderStatus.EXPIRED and not never_came:
        return  # The day of an order at the broker ends as its owner has asked.
    if never_came:
        words = never_came
        if order.is_exit:
            level = AlertLevel.CRITICAL
            message = f"{message.rstrip('.')}. What it was to close is still open."
    at = f" at {rupees(order.average_price)}" if order.average_price else ""
    notify(
        order.user,
        kind=kind,
        level=level,
        title=f"{_described(order)} {words}{at if order.state is OrderStatus.FILLED else ''}",
        message=message,
        now=now,
        workspace=order.workspace,
        data={"order": str(order.pk)},
    )


def _never_came(order: Order, note: Note | None) -> str:
    """Say how an order that the broker never saw ended; nothing where it did see it."""
    if note is not None and note.event_type == Move.EXPIRE:
        return "was not sent in time"
    if note is None or order.state is not OrderStatus.REJECTED:
        return ""
    if note.data.get("proof") == NOT_SENT:
        return "could not be sent"
    return "never reached the broker" if note.event_type == Move.GIVE_UP else ""


def tell_of(
    order: Order, title: str, message: str, *, now: datetime, level: AlertLevel = AlertLevel.ERROR
) -> None:
    """Notify the order's owner of something else than its end; a replay tells nobody."""
    if order.account.own_clock:
        return
    notify(
        order.user,
        kind=NotificationType.RISK_ALERT,
        level=level,
        title=f"{title}: {_described(order)}",
        message=message,
        now=now,
        workspace=order.workspace,
        data={"order": str(order.pk)},
    )


def _described(order: Order) -> str:
    return f"{order.side.title()} {rupees(order.quantity, 0)} {order.instrument.trading_symbol}"


def _tell_turned_down(order: Order, move: Move, note: Note, *, now: datetime) -> None:
    """Tell that an order goes on as it was; once, while the house asks for its end by itself."""
    events = order.events.filter(event_type=move)
    asked = order.events.filter(event_type=Move.ASK_CANCEL).order_by("sequence").last()
    is_ours = asked is not None and asked.event_source == EventSource.SYSTEM
    if move is Move.CANCEL_REFUSED and is_ours and events.count() > 1:
        return
    title = "Not cancelled" if move is Move.CANCEL_REFUSED else "Not changed"
    message = f"{note.message.rstrip('.')}. The order is {order.state.label.lower()} as it was."
    tell_of(order, title, message, now=now)


_TURNED_DOWN = (
    (OrderStatus.CANCEL_PENDING, Move.CANCEL_REFUSED),
    (OrderStatus.MODIFY_PENDING, Move.MODIFY_REFUSED),
)


def _alarm_revived(order: Order, before: OrderStatus, *, now: datetime) -> None:
    """What we concluded without the broker was wrong: the order is there after all."""
    notify(
        order.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=f"The broker has an order that had ended here: {order.instrument.trading_symbol}",
        message=(
            f"It was {before.label.lower()} here and is {order.state.label.lower()} at the broker, "
            f"{rupees(order.filled_quantity, 0)} of {rupees(order.quantity, 0)} filled. "
            "It counts again from now on."
        ),
        now=now,
        workspace=order.workspace,
        data={"order": str(order.pk)},
    )


_TOLD = {
    OrderStatus.FILLED: (NotificationType.ORDER_FILLED, AlertLevel.INFO, "filled"),
    OrderStatus.REJECTED: (
        NotificationType.ORDER_REJECTED,
        AlertLevel.ERROR,
        "refused by the broker",
    ),
    OrderStatus.DENIED: (NotificationType.ORDER_REJECTED, AlertLevel.WARNING, "refused by risk"),
    OrderStatus.EXPIRED: (NotificationType.ORDER_REJECTED, AlertLevel.WARNING, "expired"),
    OrderStatus.UNKNOWN: (
        NotificationType.SYSTEM_ERROR,
        AlertLevel.CRITICAL,
        "may or may not have reached the broker",
    ),
}
