"""What the workers do for orders: ids in, one service call, safe to run twice."""

import uuid

from celery import shared_task
from django.utils import timezone

from operations.errors import contained
from orders.services import (
    cancelling,
    commanding,
    ending,
    postbacks,
    reconciling,
    sending,
    settling,
)

ROUND_SECONDS = 30


@shared_task
def advance_order(*, order_id: str) -> None:
    commanding.advance_order(uuid.UUID(order_id), clock=timezone.now)


@shared_task
def sweep_orders() -> None:
    """Find what a lost nudge left behind, and what a dead worker left half done.

    Each step stands on its own: one that fails must not stop the cancels behind it.
    """
    with contained("sending pending orders"):
        sending.submit_pending(timezone.now)
    with contained("sending changes and cancels"):
        commanding.send_commands(timezone.now)
    with contained("finding lost sends"):
        sending.find_lost_sends(now=timezone.now())
    with contained("cancelling halted entries"):
        cancelling.cancel_halted_entries(now=timezone.now())


@shared_task
def settle_unknown_orders() -> None:
    settling.settle_unknown_orders(timezone.now)


@shared_task
def reconcile_accounts() -> None:
    """Hand each account that is due to a worker of its own; one not begun by the next is void."""
    for account_id in reconciling.accounts_due(now=timezone.now()):
        reconcile_one.apply_async(
            kwargs={"account_id": str(account_id)}, expires=ROUND_SECONDS, retry=False
        )


@shared_task
def reconcile_one(*, account_id: str) -> None:
    reconciling.reconcile_due(uuid.UUID(account_id), clock=timezone.now)


@shared_task
def process_postback(*, event_id: int) -> None:
    postbacks.process_postback(event_id, clock=timezone.now)


@shared_task
def sweep_postbacks() -> None:
    """Look at the postbacks whose nudge was lost, or whose broker could not be read."""
    postbacks.sweep_postbacks(timezone.now)


@shared_task
def end_order_day() -> None:
    """Leave no order of a day that has ended unknown in silence."""
    ending.end_order_day(timezone.now)
