"""The strategies' timed work: rows are the work, each task is one sweep over them."""

from celery import shared_task
from django.utils import timezone

from strategies.evaluation import HOUSE
from strategies.services import place_signal_orders, refresh_results


@shared_task
def evaluate_closed_candles() -> None:
    """Judge candles that closed and that no feed's pipeline has judged."""
    HOUSE.evaluate_latest(now=timezone.now())


@shared_task
def place_recorded_signals() -> None:
    place_signal_orders(timezone.now())


@shared_task
def refresh_strategy_results() -> None:
    refresh_results(timezone.now())
