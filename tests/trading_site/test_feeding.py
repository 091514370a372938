"""The feed's runner: alone by its lease, and going again after a fault."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from brokers.gateway import QuoteTick
from market.feeds import TickBatch
from market.models import Candle
from market.quotes import quote_of
from operations.leases import claim_lease
from operations.models import ErrorLog, Lease
from tests.builders import NOW
from trading_site.feeding import LEASE_LENGTH, FeedRunner, simulated_feed

KEY = "SIM:TCS"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class ListedFeed:
    """Gives each price once, a second apart, and stops the runner when it has no more."""

    def __init__(self, prices: list[int], *, clock: Clock, stopped: threading.Event) -> None:
        self.prices = prices
        self.clock = clock
        self.stopped = stopped

    def batches(self) -> Iterator[TickBatch]:
        while self.prices:
            price = self.prices.pop(0)
            if price == 0:
                raise ConnectionError("the line is down")
            self.clock.now += timedelta(seconds=1)
            yield TickBatch(self.clock.now, (QuoteTick(KEY, Decimal(price), self.clock.now),))
        self.stopped.set()


def run(prices: list[int], *, clock: Clock, stopped: threading.Event) -> None:
    FeedRunner("listed", lambda end: ListedFeed(prices, clock=clock, stopped=end), clock=clock).run(
        stopped
    )


@pytest.mark.django_db
class TestFeedRunner:
    def test_waits_while_another_process_feeds(self) -> None:
        clock, stopped = Clock(), threading.Event()
        claim_lease("feed:listed", holder="another", length=LEASE_LENGTH, now=clock())
        threading.Timer(0.05, stopped.set).start()
        run([100], clock=clock, stopped=stopped)
        assert quote_of(KEY) is None

    def test_processes_every_batch(self) -> None:
        run([100, 101, 102], clock=Clock(), stopped=threading.Event())
        quote = quote_of(KEY)
        assert quote is not None
        assert [quote.open, quote.ltp] == [Decimal(100), Decimal(102)]

    def test_keeps_its_lease_while_it_feeds_and_gives_it_back(self) -> None:
        clock = Clock()
        run([100] * 40, clock=clock, stopped=threading.Event())
        assert Lease.objects.get(name="feed:listed").expires_at <= clock()

    def test_writes_a_fault_down_and_begins_again(self) -> None:
        run([100, 0, 105], clock=Clock(), stopped=threading.Event())
        quote = quote_of(KEY)
        assert ErrorLog.objects.get().error_type == "ConnectionError"
        assert quote is not None
        assert quote.ltp == 105

    def test_stops_when_it_has_lost_its_lease(self) -> None:
        clock, stopped = Clock(), threading.Event()

        def steal(end: threading.Event) -> ListedFeed:
            feed = ListedFeed([100] * 30, clock=clock, stopped=end)
            Lease.objects.filter(name="feed:listed").update(token=99)
            return feed

        threading.Timer(0.3, stopped.set).start()
        FeedRunner("listed", steal, clock=clock).run(stopped)
        quote = quote_of(KEY)
        assert quote is not None
        assert quote.volume == 0
        assert not ErrorLog.objects.exists()


@pytest.mark.django_db
class TestSimulatedFeed:
    def test_fills_the_gap_that_a_pause_has_left(self) -> None:
        clock, stopped = Clock(), threading.Event()
        simulated_feed(stopped, clock=clock)
        before = Candle.objects.count()
        clock.now += timedelta(minutes=7)
        simulated_feed(stopped, clock=clock)
        assert Candle.objects.count() - before == 7 * 16
        times = Candle.objects.filter(instrument__key=KEY).values_list("timestamp", flat=True)
        ordered = sorted(times)
        assert {after - at for at, after in pairwise(ordered)} == {timedelta(minutes=1)}

    def test_gives_the_quotes_yesterdays_close(self) -> None:
        simulated_feed(threading.Event(), clock=Clock())
        quote = quote_of(KEY)
        assert quote is not None
        assert quote.previous_close is not None
