"""Wake the workers. A nudge carries an id; when it is lost, the sweep finds the row."""

import contextlib
import logging
import uuid
from collections.abc import Iterator
from contextvars import ContextVar

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)
_silent: ContextVar[bool] = ContextVar("silent", default=False)


@contextlib.contextmanager
def without_nudges() -> Iterator[None]:
    """Send no nudges: a replay submits its own orders, on its own clock."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def nudge_order(order_id: uuid.UUID) -> None:
    """Ask a worker, once this transaction has committed, to do what the order waits for."""
    if not _silent.get():
        transaction.on_commit(lambda: _send("orders.tasks.advance_order", str(order_id)))


def _send(task: str, order_id: str) -> None:
    try:
        current_app.send_task(task, kwargs={"order_id": order_id}, retry=False)
    except OperationalError:
        logger.warning("nudge lost, the sweep will find it", extra={"order_id": order_id})
