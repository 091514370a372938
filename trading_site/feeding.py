"""Run a feed through the pipeline, alone: a lease sees to it that no second one runs beside it."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from datetime import timedelta

from django.db import DatabaseError

from brokers.registry import Clock
from market.demo import backfill_history, ensure_demo_instruments
from market.feeds import Feed, LiveSimulation, SimulatedExchange
from operations.errors import record_error
from operations.leases import LeaseHeld, LeaseLost, claim_lease, release_lease, renew_lease
from trading_site.live import MarketPipeline

logger = logging.getLogger(__name__)
LEASE_LENGTH = timedelta(seconds=10)
_RENEWED_EVERY = timedelta(seconds=3)
_ASK_AGAIN = 1.0  # seconds
_HISTORY_DAYS = 3

MakeFeed = Callable[[threading.Event], Feed]


def simulated_feed(stopped: threading.Event, *, clock: Clock) -> Feed:
    """Return the simulated exchange, with the candles that were missed while nothing ran."""
    exchange = SimulatedExchange()
    ensure_demo_instruments()
    backfill_history(exchange, days=_HISTORY_DAYS, now=clock())
    return LiveSimulation(exchange, clock=clock, stopped=stopped)


class FeedRunner:
    """Keeps one named feed going until it is stopped; waits while another process runs it."""

    def __init__(self, name: str, make_feed: MakeFeed, *, clock: Clock) -> None:
        self._lease = f"feed:{name}"
        self._make_feed = make_feed
        self._clock = clock
        self._holder = f"{socket.gethostname()}:{os.getpid()}"

    def run(self, stopped: threading.Event) -> None:
        """Run until stopped. What fails is written down, and the feed begins again."""
        while not stopped.is_set():
            try:
                self._hold_and_run(stopped)
            except LeaseHeld as error:
                logger.info("the feed waits: %s", error)
            except LeaseLost as error:
                logger.warning("the feed stops: %s", error)
            except Exception as error:
                logger.exception("the feed failed and begins again")
                _write_down(error)
            stopped.wait(_ASK_AGAIN)

    def _hold_and_run(self, stopped: threading.Event) -> None:
        token = claim_lease(
            self._lease, holder=self._holder, length=LEASE_LENGTH, now=self._clock()
        )
        try:
            self._pump(token, stopped)
        finally:
            release_lease(self._lease, token=token, now=self._clock())

    def _pump(self, token: int, stopped: threading.Event) -> None:
        pipeline = MarketPipeline()
        renewed_at = self._clock()
        for batch in self._make_feed(stopped).batches():
            now = self._clock()
            if now - renewed_at >= _RENEWED_EVERY:
                renew_lease(self._lease, token=token, length=LEASE_LENGTH, now=now)
                renewed_at = now
            pipeline.process(batch)
            if stopped.is_set():
                return


def _write_down(error: Exception) -> None:
    try:
        record_error(error, context={"stage": "feed"})
    except DatabaseError:
        logger.exception("the error log cannot be written either")
