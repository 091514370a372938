"""The ticker over a real socket: handshake, prices, orders, and a stream's bad days."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from brokers.adapters.kite.streams import KiteStream, open_stream
from brokers.gateway import BrokerStatus, OrderReport, QuoteTick
from brokers.sessions import session_secrets
from brokers.simulator.kite.sessions import CLIENT
from brokers.simulator.records import SimOrderRequest
from brokers.streaming.protocol import Heartbeat, News, OrderNews, StreamError, StreamKind, Ticks
from brokers.terms import OrderType, Product, Side
from tests.brokers.contract import buy, cancel_of, placed
from tests.brokers.kite.market import KiteMarket, instruments, ref_of

PATIENCE = 3.0


class Socket:
    """One socket that is read until it has said what a test waits for."""

    def __init__(self, protocol: KiteStream, connection: ClientConnection) -> None:
        self.protocol = protocol
        self.connection = connection
        self.heard: list[News] = []

    def subscribe(self, *refs: object) -> None:
        for frame in self.protocol.subscribe(refs):  # type: ignore[arg-type]
            self.connection.send(frame)

    def listen(self, until: Callable[[list[News]], bool], patience: float = PATIENCE) -> None:
        end = time.monotonic() + patience
        while not until(self.heard) and time.monotonic() < end:
            try:
                frame = self.connection.recv(timeout=max(end - time.monotonic(), 0.01))
            except TimeoutError:
                return
            self.heard += self.protocol.parse(frame)

    @property
    def ticks(self) -> list[QuoteTick]:
        return [tick for news in self.heard if isinstance(news, Ticks) for tick in news.ticks]

    @property
    def orders(self) -> list[OrderReport]:
        return [each for news in self.heard if isinstance(news, OrderNews) for each in news.orders]


@contextmanager
def opened(kite: KiteMarket, kind: StreamKind) -> Iterator[Socket]:
    secrets = dict(session_secrets(kite.account.connection, now=kite.now()))
    protocol = open_stream(kind, secrets=secrets, credentials={})
    headers = protocol.headers()
    with connect(protocol.url(), additional_headers=headers, proxy=None) as connection:
        yield Socket(protocol, connection)


@pytest.fixture
def prices(kite: KiteMarket) -> Iterator[Socket]:
    """A socket that has the first price of the share."""
    kite.trade("100.00", volume=40)
    with opened(kite, StreamKind.MARKET) as socket:
        socket.subscribe(kite.share)
        socket.listen(lambda heard: sum(isinstance(each, Ticks) for each in heard) == 2)
        socket.heard.clear()
        yield socket


@pytest.fixture
def orders(kite: KiteMarket) -> Iterator[Socket]:
    with opened(kite, StreamKind.ORDERS) as socket:
        socket.listen(lambda heard: Heartbeat() in heard)
        socket.heard.clear()
        yield socket


def place(kite: KiteMarket) -> str:
    kite.trade("101.00")
    broker_order_id = placed(kite.gateway.place(buy(kite.share)))
    kite.wait()
    return broker_order_id


class TestHandshake:
    def test_a_token_that_is_over_is_refused_with_403(self, kite: KiteMarket) -> None:
        secrets = dict(session_secrets(kite.account.connection, now=kite.now()))
        kite.stand.desk.sessions.expire()
        protocol = open_stream(StreamKind.MARKET, secrets=secrets, credentials={})
        with pytest.raises(InvalidStatus) as caught, connect(protocol.url(), proxy=None):
            pass
        assert caught.value.response.status_code == 403

    def test_a_session_that_ends_closes_the_socket(self, kite: KiteMarket, orders: Socket) -> None:
        kite.stand.app.state.dialect.expire_tokens(CLIENT)
        with pytest.raises(ConnectionClosed):
            orders.listen(lambda _: False)

    def test_a_byte_comes_without_asking(self, kite: KiteMarket) -> None:
        with opened(kite, StreamKind.ORDERS) as socket:
            socket.listen(lambda heard: Heartbeat() in heard)
            assert Heartbeat() in socket.heard

    def test_a_request_that_makes_no_sense_is_told(self, prices: Socket) -> None:
        prices.connection.send('{"a": "dance", "v": []}')
        prices.listen(lambda heard: any(isinstance(each, StreamError) for each in heard))
        assert StreamError("Kite: Invalid request") in prices.heard


class TestPrices:
    def test_a_trade_is_told_with_what_traded(self, kite: KiteMarket, prices: Socket) -> None:
        kite.trade("101.55", volume=60)
        prices.listen(lambda _: bool(prices.ticks))
        (tick,) = prices.ticks
        assert (tick.key, tick.ltp, tick.volume) == (kite.share.key, Decimal("101.55"), 60)
        assert tick.at == kite.now()

    def test_every_kind_of_instrument_is_told(self, kite: KiteMarket, prices: Socket) -> None:
        refs = [ref_of(each) for each in instruments()]
        prices.subscribe(*refs)
        prices.listen(lambda _: {each.key for each in prices.ticks} == {ref.key for ref in refs})
        quotes = kite.gateway.quotes(refs)
        told = {each.key: each.ltp for each in prices.ticks}
        assert told == {key: quote.ltp for key, quote in quotes.items()}

    def test_the_same_frame_twice_counts_its_volume_once(
        self, kite: KiteMarket, prices: Socket
    ) -> None:
        kite.stand.faults.arm("duplicate_frames", match="ticker")
        kite.trade("101.00", volume=60)
        prices.listen(lambda _: len(prices.ticks) == 2)
        assert [each.volume for each in prices.ticks] == [60, 0]

    def test_frames_out_of_order_count_no_volume_twice(
        self, kite: KiteMarket, prices: Socket
    ) -> None:
        kite.stand.faults.arm("reordered_frames", match="ticker")
        kite.trade("101.00", volume=60)
        kite.trade("102.00", volume=10)
        kite.trade("103.00", volume=5)
        prices.listen(lambda _: len(prices.ticks) == 3)
        assert [each.ltp for each in prices.ticks] == [102, 101, 103]
        assert sum(each.volume for each in prices.ticks) == 75

    def test_a_silent_stream_sends_not_even_its_byte(
        self, kite: KiteMarket, prices: Socket
    ) -> None:
        kite.stand.faults.arm("silent_stream", match="ticker")
        prices.listen(lambda _: False, patience=0.2)
        prices.heard.clear()
        kite.trade("101.00")
        prices.listen(lambda _: False, patience=1.5)
        assert prices.heard == []

    def test_a_stale_feed_says_how_old_it_is(self, kite: KiteMarket, prices: Socket) -> None:
        kite.stand.faults.arm("stale_feed", match="tick")
        before = kite.now()
        kite.trade("150.00")
        prices.listen(lambda _: bool(prices.ticks))
        assert (prices.ticks[0].ltp, prices.ticks[0].at) == (100, before)


class TestOrders:
    def test_an_order_is_told_from_the_exchange_to_its_end(
        self, kite: KiteMarket, orders: Socket
    ) -> None:
        broker_order_id = place(kite)
        kite.trade("99.00", volume=16)
        kite.gateway.cancel(cancel_of(broker_order_id, kite.share))
        kite.wait()
        orders.listen(lambda _: BrokerStatus.CANCELLED in [each.status for each in orders.orders])
        assert [each.status for each in orders.orders] == [
            BrokerStatus.OPEN,
            BrokerStatus.PARTIALLY_FILLED,
            BrokerStatus.CANCELLED,
        ]
        assert {each.tag for each in orders.orders} == {"TAG1"}

    def test_a_fill_may_be_told_before_the_answer(self, kite: KiteMarket, orders: Socket) -> None:
        kite.trade("100.00")
        kite.stand.faults.arm("fill_before_order")
        broker_order_id = placed(kite.gateway.place(buy(kite.share)))
        orders.listen(lambda _: BrokerStatus.FILLED in [each.status for each in orders.orders])
        assert orders.orders[-1].broker_order_id == broker_order_id

    def test_an_order_of_kite_s_own_app_is_told_too(self, kite: KiteMarket, orders: Socket) -> None:
        kite.trade("101.00")
        request = SimOrderRequest(
            tag="",
            instrument_token="1594",
            side=Side.BUY,
            quantity=1,
            order_type=OrderType.LIMIT,
            product=Product.MIS,
            price=Decimal(100),
        )
        kite.stand.broker.place_external("SOMEBODY", request)
        kite.stand.broker.place_external(CLIENT, request)
        kite.wait()
        orders.listen(lambda _: bool(orders.orders))
        assert [(each.tag, each.quantity) for each in orders.orders] == [("", 1)]
