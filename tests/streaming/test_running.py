"""All of it at once, in threads: logging in opens streams, logging out and stopping end them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import connection, connections
from pytest_django import Settings

from brokers.models import StreamConnection, StreamStatus
from brokers.sessions import expire_session
from brokers.simulator.exchange import SimOrderRequest
from brokers.simulator.kite.sessions import CLIENT
from brokers.simulator.records import SimOrder
from brokers.terms import OrderType, Product, Side, Validity
from operations.leases import claim_lease
from operations.models import ErrorLog, Lease
from orders.models import Order
from tests.brokers.kite import market as kite
from tests.builders import make_instrument
from tests.streaming.house import QUICK, until
from trading_site.broker_streams import BrokerStreams
from trading_site.stream_runner import LEASE, LEASE_LENGTH, run_broker_streams

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor == "sqlite",
        reason="SQLite's test database lives in one connection, and this is about many threads",
    ),
]


@pytest.fixture
def market(transactional_db: None, settings: Settings) -> Iterator[kite.KiteMarket]:
    make_instrument(kite.share_ref().key)
    with kite.KiteStand() as stand, stand.in_place(settings):
        yield kite.KiteMarket.connected(stand)


@contextmanager
def running(market: kite.KiteMarket) -> Iterator[threading.Event]:
    stopped, clock = threading.Event(), market.stand.clock
    streams = BrokerStreams(clock, QUICK, look_every=0.1)
    threads = threading.active_count()
    thread = threading.Thread(
        target=run_broker_streams, args=(stopped,), kwargs={"clock": clock, "streams": streams}
    )
    thread.start()
    try:
        yield stopped
    finally:
        began = time.monotonic()
        stopped.set()
        thread.join(10)
        took = time.monotonic() - began
        connections.close_all()
    assert not thread.is_alive()
    assert took < 4
    until(lambda: threading.active_count() <= threads)


def connected() -> int:
    return StreamConnection.objects.filter(status=StreamStatus.CONNECTED).count()


class TestStreams:
    def test_wait_while_another_process_runs_them(self, market: kite.KiteMarket) -> None:
        claim_lease(LEASE, holder="another", length=LEASE_LENGTH, now=market.now())
        with running(market):
            time.sleep(0.3)
            assert not StreamConnection.objects.exists()

    def test_open_for_who_is_logged_in_and_end_without_a_trace(
        self, market: kite.KiteMarket
    ) -> None:
        with running(market):
            until(lambda: connected() == 2)
        rows = StreamConnection.objects.values_list("status", flat=True)
        assert list(rows) == [StreamStatus.DISCONNECTED] * 2
        assert Lease.objects.get(name=LEASE).expires_at <= market.now()
        assert not ErrorLog.objects.exists()

    def test_bring_an_order_in(self, market: kite.KiteMarket) -> None:
        with running(market):
            until(lambda: connected() == 2)
            # The order's own app: nobody here placed it.
            from_outside = market.stand.broker.place(CLIENT, _an_order())
            assert isinstance(from_outside, SimOrder)
            market.wait()
            until(lambda: Order.objects.filter(broker_order_id=from_outside.order_id).exists())

    def test_come_back_after_the_next_login(self, market: kite.KiteMarket) -> None:
        with running(market):
            until(lambda: connected() == 2)
            market.stand.desk.sessions.expire()
            expire_session(market.account.connection, words="It is over", now=market.now())
            until(lambda: connected() == 0)
            market.stand.log_in(market.account)
            until(lambda: connected() == 2)


def _an_order() -> SimOrderRequest:
    return SimOrderRequest(
        tag="",
        instrument_token="1594",
        side=Side.BUY,
        quantity=10,
        order_type=OrderType.LIMIT,
        product=Product.MIS,
        validity=Validity.DAY,
        price=Decimal(95),
    )
