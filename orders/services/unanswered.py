"""Changes and cancels that the broker's book plainly shows it did not take."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from brokers.gateway import OrderReport
from brokers.models import TradingAccount
from orders.lifecycle import Move
from orders.models import EventSource, Order, OrderEvent
from orders.models.orders import OrderQuerySet
from orders.services.commanding import settle_changes
from orders.services.sending import locked_order
from orders.services.transitions import Note, make_move
from orders.states import OrderStatus

# A change or cancel that the broker's book does not show by then did not take.
COMMAND_GRACE = timedelta(seconds=30)


def settle_commands(account: TradingAccount, book: Sequence[OrderReport], *, now: datetime) -> None:
    """Return orders to their state where the broker plainly did not take the change or cancel."""
    working = {report.broker_order_id: report for report in book}
    for order in _unanswered(account, now=now).select_related("account"):
        if order.broker_order_id not in working:
            continue
        if order.state is OrderStatus.MODIFY_PENDING:
            took = _matches(order, working[order.broker_order_id])
            words = "The broker's book shows the change" if took else "The broker did not take it"
            settle_changes(order.pk, succeeded=took, words=words, now=now)
        else:
            _refuse_cancel(order, now=now)


def _unanswered(account: TradingAccount, *, now: datetime) -> OrderQuerySet:
    """What was asked for longer ago than the grace. A cancel is sent again and again meanwhile."""
    since = now - COMMAND_GRACE
    asked = OrderEvent.objects.filter(
        order=OuterRef("pk"), event_type=Move.ASK_CANCEL, recorded_at__gte=since
    )
    changes = Q(status=OrderStatus.MODIFY_PENDING, command_sent_at__lt=since)
    cancels = Q(~Exists(asked), status=OrderStatus.CANCEL_PENDING, command_sent_at__isnull=False)
    return Order.objects.filter(changes | cancels, account=account)


def _matches(order: Order, report: OrderReport) -> bool:
    held = {
        "QUANTITY": report.quantity,
        "PRICE": report.price,
        "TRIGGER_PRICE": report.trigger_price,
    }
    wanted = order.modifications.filter(succeeded=None)
    return all(held.get(each.modification_type) == Decimal(each.new_value) for each in wanted)


@transaction.atomic
def _refuse_cancel(order: Order, *, now: datetime) -> None:
    held = locked_order(order.pk)
    if held.state is OrderStatus.CANCEL_PENDING:
        words = "The broker still has it working: the cancel did not take"
        note = Note(Move.CANCEL_REFUSED, EventSource.RECONCILE, now, words)
        make_move(held, Move.CANCEL_REFUSED, note=note, now=now)
