"""What the workers do for orders: ids in, one service call, safe to run twice."""

import uuid

from celery import shared_task
from django.utils import timezone

from operations.errors import contained
from orders.nudging import nudge_postback
from orders.services import (
    advancing,
    ending,
    ex_dates,
    expiring,
    postbacks,
    reading,
    reconciling,
    replacing,
    sending,
    settling,
    stopping,
    surplus,
)

SWEEP_SECONDS = 2.0
ROUND_SECONDS = 30
LOOK_SECONDS = 5


@shared_task
def advance_order(*, order_id: str) -> None:
    advancing.advance_in_turn(uuid.UUID(order_id), clock=timezone.now)


@shared_task
def sweep_orders() -> None:
    """Find what a lost nudge left behind, and what a dead worker left half done.

    Each step stands on its own: one that fails must not stop the cancels behind it. None talks to
    a broker, so that one which does not answer holds up no sweep.
    """
    with contained("nudging what waits"):
        advancing.nudge_waiting(now=timezone.now(), expires=SWEEP_SECONDS)
    with contained("finding lost sends"):
        sending.find_lost_sends(now=timezone.now())
    with contained("cancelling stopped entries"):
        stopping.sweep_stopped_entries(now=timezone.now())
    with contained("placing unsent exits again"):
        replacing.replace_unsent_exits(clock=timezone.now)
    with contained("calling off surplus exits"):
        surplus.sweep_surplus_exits(now=timezone.now())


@shared_task
def settle_unknown_orders() -> None:
    """Hand each account with orders to look up to a worker of its own."""
    for account_id in settling.accounts_to_settle(now=timezone.now()):
        settle_one.apply_async(
            kwargs={"account_id": str(account_id)}, expires=LOOK_SECONDS, retry=False
        )


@shared_task
def settle_one(*, account_id: str) -> None:
    reading.settle_in_turn(uuid.UUID(account_id), clock=timezone.now)


@shared_task
def reconcile_accounts() -> None:
    """Hand each account that is due to a worker of its own; one not begun by the next is void."""
    for account_id in reconciling.accounts_due(now=timezone.now()):
        reconcile_one.apply_async(
            kwargs={"account_id": str(account_id)}, expires=ROUND_SECONDS, retry=False
        )


@shared_task
def reconcile_one(*, account_id: str) -> None:
    reading.reconcile_in_turn(uuid.UUID(account_id), clock=timezone.now)


@shared_task
def process_postback(*, event_id: int) -> None:
    reading.process_in_turn(event_id, clock=timezone.now)


@shared_task
def sweep_postbacks() -> None:
    """Look at the postbacks whose nudge was lost, or whose broker could not be read."""
    for event_id in postbacks.left_behind(now=timezone.now()):
        nudge_postback(event_id)


@shared_task
def end_order_day() -> None:
    """Leave no order of a day that has ended unknown in silence."""
    ending.end_order_day(timezone.now)


@shared_task
def settle_expired_contracts() -> None:
    """End what the exchange has ended, or ask for the price that it takes."""
    expiring.settle_expired(now=timezone.now())


@shared_task
def follow_corporate_actions() -> None:
    """Take splits and bonuses whose ex-date has come into the books."""
    ex_dates.follow_actions(now=timezone.now())
