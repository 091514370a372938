"""Wake the worker that places signals' orders. When the nudge is lost, the sweep finds them."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def nudge_signals() -> None:
    """Ask a worker, once this transaction has committed, to place what signals ask for."""
    transaction.on_commit(_send)


def _send() -> None:
    try:
        current_app.send_task("strategies.tasks.place_recorded_signals", retry=False)
    except OperationalError:
        logger.warning("nudge lost, the sweep will find the signals")
