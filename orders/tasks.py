"""What the workers do for orders: ids in, one service call, safe to run twice."""

import uuid

from celery import shared_task
from django.utils import timezone

from orders.services import cancelling, commanding, reconciling, sending, settling


@shared_task
def advance_order(*, order_id: str) -> None:
    commanding.advance_order(uuid.UUID(order_id), clock=timezone.now)


@shared_task
def sweep_orders() -> None:
    """Find what a lost nudge left behind, and what a dead worker left half done."""
    sending.submit_pending(timezone.now)
    commanding.send_commands(timezone.now)
    sending.find_lost_sends(now=timezone.now())
    cancelling.cancel_halted_entries(now=timezone.now())


@shared_task
def settle_unknown_orders() -> None:
    settling.settle_unknown_orders(timezone.now)


@shared_task
def reconcile_accounts() -> None:
    reconciling.reconcile_accounts(timezone.now)
