"""What the workers do for market data: ids in, one service call, safe to run twice."""

import uuid

from celery import shared_task
from django.utils import timezone

from market import answering, refreshing, services


@shared_task
def run_import(*, run_id: str) -> None:
    services.run_import(uuid.UUID(run_id), clock=timezone.now)


@shared_task
def sweep_imports() -> None:
    """Run what a lost nudge left queued, and give up what a dead worker left running."""
    services.fail_abandoned_imports(now=timezone.now())
    answering.give_up_unanswered(now=timezone.now())
    services.run_queued_imports(clock=timezone.now)


@shared_task
def refresh_master(*, broker: str) -> None:
    """Fetch one broker's instrument list now, because somebody asked."""
    refreshing.refresh_if_possible(broker, clock=timezone.now)


@shared_task
def refresh_masters() -> None:
    """Fetch the instrument lists that are due; a cheap question when none is."""
    refreshing.refresh_due_masters(clock=timezone.now)
