"""Run the brokers' streams in one process of the house: the one that holds the lease."""

import logging
import os
import socket
import threading
from datetime import timedelta
from time import monotonic

from django.db import DatabaseError, connections
from django.utils import timezone

from brokers.registry import Clock
from operations.errors import record_error
from operations.leases import LeaseHeld, LeaseLost, claim_lease, release_lease, renew_lease
from trading_site.broker_streams import BrokerStreams

logger = logging.getLogger(__name__)
LEASE = "streams"
LEASE_LENGTH = timedelta(seconds=20)
_RENEWED_EVERY = 5.0  # seconds
_ASK_AGAIN = 1.0
_LOOK = 0.25


def run_broker_streams(
    stopped: threading.Event, *, clock: Clock = timezone.now, streams: BrokerStreams | None = None
) -> None:
    """Keep the streams going until stopped; wait while another process does.

    What fails is written down, and the streams begin again.
    """
    streams = streams or BrokerStreams(clock)
    try:
        while not stopped.is_set():
            try:
                _hold_and_run(streams, stopped, clock)
            except LeaseHeld as error:
                logger.info("the brokers' streams wait: %s", error)
            except Exception as error:
                logger.exception("the brokers' streams failed and begin again")
                _write_down(error)
            stopped.wait(_ASK_AGAIN)
    finally:
        connections.close_all()


def _hold_and_run(streams: BrokerStreams, stopped: threading.Event, clock: Clock) -> None:
    holder = f"{socket.gethostname()}:{os.getpid()}"
    token = claim_lease(LEASE, holder=holder, length=LEASE_LENGTH, now=clock())
    ended = threading.Event()
    keeper = threading.Thread(
        target=_keep, args=(token, stopped, ended, clock), name="streams lease", daemon=True
    )
    keeper.start()
    try:
        streams.run(ended)
    finally:
        ended.set()
        keeper.join()
        release_lease(LEASE, token=token, now=clock())


def _keep(token: int, stopped: threading.Event, ended: threading.Event, clock: Clock) -> None:
    """Renew the lease while the streams run; end them when stopped, or when it is lost."""
    renewed_at = monotonic()
    try:
        while not (stopped.wait(_LOOK) or ended.is_set()):
            if monotonic() - renewed_at >= _RENEWED_EVERY:
                renew_lease(LEASE, token=token, length=LEASE_LENGTH, now=clock())
                renewed_at = monotonic()
    except (LeaseLost, DatabaseError) as error:
        logger.warning("the brokers' streams stop: %s", error)
    finally:
        ended.set()
        connections.close_all()


def _write_down(error: Exception) -> None:
    try:
        record_error(error, context={"stage": "streams"})
    except DatabaseError:
        logger.exception("the error log cannot be written either")
