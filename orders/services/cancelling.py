"""Cancel an order: never assumed, only proven. A fill can cross a cancel, and the fill wins."""

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import User
from accounts.permissions import require_trading_role
from operations.installation import doubt_now
from orders.days import has_outlasted
from orders.lifecycle import IllegalTransition, Move
from orders.models import EventSource, Order, OrderEvent
from orders.nudging import nudge_order
from orders.services.sending import locked_order
from orders.services.transitions import Note, make_move
from orders.states import OrderStatus

__all__ = ["DatabaseRestored", "IllegalTransition", "cancel_order"]
ASK_AGAIN_AFTER = timedelta(seconds=10)
_RESTORED = "this database was restored or copied, and its broker's order may be another's"


class DatabaseRestored(IllegalTransition):
    """Of a restored or copied database only a person cancels what is at a real broker."""


@transaction.atomic
def cancel_order(order: Order, *, by: User | None, now: datetime, reason: str = "") -> Order:
    """Ask for an order's end: at once while it has not left, else by a cancel that a worker sends.

    ``by`` is None when a rule of the house asks, which may say why. Asking again while the first
    is on its way changes nothing.

    :raises PermissionDenied: when the person may not trade in the order's workspace.
    :raises IllegalTransition: when the order has ended, or nobody knows its number at the broker.
    :raises DatabaseRestored: when no person asks, and another database may be watching the order.
    """
    if by is not None:
        require_trading_role(by, order.workspace)
    held = locked_order(order.pk)
    source = EventSource.SYSTEM if by is None else EventSource.USER
    asker, why = "a rule of the house" if by is None else by.name, f": {reason}" if reason else ""
    if held.state is OrderStatus.PENDING:
        note = Note(Move.WITHDRAW, source, now, f"Withdrawn by {asker} before it was sent{why}")
        make_move(held, Move.WITHDRAW, note=note, now=now)
        return held
    if held.state is OrderStatus.CANCEL_PENDING:
        return held
    _check_reachable(held, now=now)
    if by is None and not held.account.is_paper and doubt_now():
        raise DatabaseRestored(_RESTORED)
    # A change that has not been answered is given up with the order, never sent later.
    held.modifications.filter(succeeded=None).update(
        succeeded=False, settled_at=now, error_message="A cancel was asked for"
    )
    note = Note(Move.ASK_CANCEL, source, now, f"Cancel asked for by {asker}{why}")
    held.command_sent_at = None
    make_move(held, Move.ASK_CANCEL, note=note, now=now)
    nudge_order(held.pk, is_urgent=True)
    return held


def _check_reachable(order: Order, *, now: datetime) -> None:
    """:raises IllegalTransition: when an unknown order cannot be named to the broker any more."""
    is_named = order.broker_order_id and not has_outlasted(order, now=now)
    if order.state is OrderStatus.UNKNOWN and not is_named:
        raise IllegalTransition(f"A cancel is not possible while the order is {order.status}")


def just_refused(now: datetime) -> Exists:
    """Tell of an order whether its cancel was refused a moment ago: a sweep waits a little."""
    refused = OrderEvent.objects.filter(
        order=OuterRef("pk"), event_type=Move.CANCEL_REFUSED, recorded_at__gt=now - ASK_AGAIN_AFTER
    )
    return Exists(refused)


def cancel_orders(orders: list[Order], *, by: User | None, now: datetime) -> tuple[int, list[str]]:
    """Cancel each order on its own; answer how many were taken and why the others were not."""
    taken, complaints = 0, []
    for order in orders:
        try:
            cancel_order(order, by=by, now=now)
            taken += 1
        except (IllegalTransition, PermissionDenied) as error:
            complaints.append(f"{order.instrument.trading_symbol}: {error}")
    return taken, complaints
