"""Wake the workers. A nudge carries an id; when it is lost, the sweep finds the row."""

import contextlib
import logging
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

ENTRIES, EXITS = "orders", "exits"
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


def nudge_order(
    order_id: uuid.UUID, *, is_urgent: bool = False, expires: float | None = None
) -> None:
    """Ask a worker, once this transaction has committed, to do what the order waits for.

    What is urgent, an exit or a cancel, goes to workers that entries cannot occupy. A nudge that
    ``expires`` in so many seconds unread is dropped, as a sweep's whose next round asks again.
    """
    if _silent.get():
        return
    queue = EXITS if is_urgent else ENTRIES
    send = partial(_send, "orders.tasks.advance_order", queue=queue, expires=expires)
    transaction.on_commit(partial(send, order_id=str(order_id)))


def nudge_reconciling(account_id: uuid.UUID) -> None:
    """Ask a worker to reconcile one account now; the next round does it otherwise."""
    _send("orders.tasks.reconcile_one", account_id=str(account_id))


def nudge_settling(account_id: uuid.UUID) -> None:
    """Ask a worker to look an account's unknown orders up now; a later round does it otherwise."""
    _send("orders.tasks.settle_one", account_id=str(account_id))


def nudge_postback(event_id: int) -> None:
    """Ask a worker, once this transaction has committed, to look at what a postback hints at."""
    name = "orders.tasks.process_postback"
    transaction.on_commit(lambda: _send(name, event_id=event_id))


def _send(
    task: str, *, queue: str | None = None, expires: float | None = None, **ids: str | int
) -> None:
    try:
        current_app.send_task(task, kwargs=ids, retry=False, queue=queue, expires=expires)
    except OperationalError:
        logger.warning("nudge lost, the sweep will find it", extra=ids)
