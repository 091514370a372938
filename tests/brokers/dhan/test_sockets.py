"""Both sockets over the wire: our protocols and the SDK's own client at the simulated Dhan."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal

import pytest
from dhanhq import DhanContext, MarketFeed
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from brokers.adapters.dhan.streams import MarketStream, OrderStream
from brokers.gateway import BrokerStatus, OrderReport, QuoteTick
from brokers.simulator.dhan.tokens import CLIENT
from brokers.streaming.protocol import OrderNews, StreamError, StreamProtocol, Ticks
from tests.brokers.contract import buy, placed
from tests.brokers.dhan.market import NIFTY, SHARE, TOKEN, DhanMarket, DhanStand


@contextmanager
def opened(protocol: StreamProtocol) -> Iterator[ClientConnection]:
    with connect(protocol.url(), proxy=None) as line:
        for frame in protocol.greeting():
            line.send(frame)
        yield line


def next_tick(line: ClientConnection, protocol: MarketStream, key: str) -> QuoteTick:
    while True:
        news = protocol.parse(line.recv(timeout=5))
        ticks = [tick for each in news if isinstance(each, Ticks) for tick in each.ticks]
        if wanted := [tick for tick in ticks if tick.key == key]:
            return wanted[0]


def next_orders(line: ClientConnection, protocol: OrderStream, count: int) -> list[OrderReport]:
    told: list[OrderReport] = []
    while len(told) < count:
        for news in protocol.parse(line.recv(timeout=5)):
            assert isinstance(news, OrderNews), news
            told += news.orders
    return told


class TestTheMarketFeed:
    def test_tells_prices_of_what_was_asked(self, market: DhanMarket) -> None:
        stream = MarketStream(CLIENT, TOKEN)
        with opened(stream) as line:
            for frame in stream.subscribe([market.share, market.ref(NIFTY)]):
                line.send(frame)
            first = next_tick(line, stream, market.share.key)
            market.trade("101.05", volume=300)
            second = next_tick(line, stream, market.share.key)
            assert next_tick_of_index(line, stream, market) == Decimal("25001.05")
        assert (first.ltp, second.ltp, second.volume) == (100, Decimal("101.05"), 300)

    def test_says_goodbye_to_a_token_that_ran_out(self, dhan: DhanStand) -> None:
        stream = MarketStream(CLIENT, "stale")
        with opened(stream) as line:
            (news,) = stream.parse(line.recv(timeout=5))
        assert isinstance(news, StreamError)
        assert (news.is_fatal, news.is_auth) == (True, True)

    def test_says_goodbye_to_a_sixth_connection(self, dhan: DhanStand) -> None:
        streams = [MarketStream(CLIENT, TOKEN) for _ in range(6)]
        with ExitStack() as lines:
            opened_lines = [lines.enter_context(opened(each)) for each in streams]
            (news,) = streams[5].parse(opened_lines[5].recv(timeout=5))
        assert isinstance(news, StreamError)
        assert (news.is_fatal, news.is_auth) == (True, False)

    def test_is_understood_by_the_sdks_own_client(
        self, dhan: DhanStand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(MarketFeed, "market_feed_wss", dhan.server.ws_url)
        feed = MarketFeed(DhanContext(CLIENT, TOKEN), [(MarketFeed.NSE, SHARE, MarketFeed.Full)])
        try:
            told = feed.loop.run_until_complete(_two_messages(feed))
        finally:
            feed.loop.close()
            asyncio.set_event_loop(None)
        assert [each["type"] for each in told] == ["Previous Close", "Full Data"]
        assert told[1]["LTP"] == "100.00"


class TestTheOrderFeed:
    def test_closes_on_a_stranger(self, dhan: DhanStand) -> None:
        stream = OrderStream(CLIENT, "stale")
        with opened(stream) as line, pytest.raises(ConnectionClosed):
            line.recv(timeout=5)

    def test_tells_every_step_of_an_order(self, market: DhanMarket) -> None:
        stream = OrderStream(CLIENT, TOKEN)
        with opened(stream) as line:
            self._wait_until_let_in(market)
            order_id = placed(market.own.place(buy(market.share, tag="MINE")))
            market.trade("99.00", volume=16)
            market.trade("99.00", volume=1000)
            told = next_orders(line, stream, self._steps(market, order_id))
        statuses = [each.status for each in told]
        assert statuses[0] is BrokerStatus.PLACED
        assert statuses[-1] is BrokerStatus.FILLED
        assert BrokerStatus.PARTIALLY_FILLED in statuses
        assert {(each.broker_order_id, each.tag) for each in told} == {(order_id, "MINE")}

    def test_may_overtake_the_answer(self, market: DhanMarket) -> None:
        stream = OrderStream(CLIENT, TOKEN)
        with opened(stream) as line:
            self._wait_until_let_in(market)
            market.stand.faults.arm("fill_before_order", match="place")
            order_id = placed(market.own.place(buy(market.share)))
            told = next_orders(line, stream, self._steps(market, order_id))
        assert told[-1].status is BrokerStatus.FILLED

    def _wait_until_let_in(self, market: DhanMarket) -> None:
        hub = market.stand.house.feeds.orders
        while not any(each.state.get("client") for each in hub.connections()):
            market.own.funds()

    def _steps(self, market: DhanMarket, order_id: str) -> int:
        return len(market.stand.broker.history(CLIENT, order_id))


def next_tick_of_index(line: ClientConnection, stream: MarketStream, market: DhanMarket) -> Decimal:
    market.trade("25001.05", token=NIFTY)
    index = market.ref(NIFTY).key
    while (tick := next_tick(line, stream, index)).ltp == 25000:
        continue
    return tick.ltp


async def _two_messages(feed: MarketFeed) -> list[dict[str, object]]:
    await feed.connect()
    told = [await feed.get_instrument_data() for _ in range(2)]
    await feed.ws.close()
    return told
