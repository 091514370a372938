"""Both sockets of Alpaca: where they are, and the simulated ones over real sockets."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from pytest_django import Settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from brokers.adapters.alpaca.order_stream import OrderStream
from brokers.adapters.alpaca.price_stream import PriceStream
from brokers.adapters.alpaca.streams import open_stream
from brokers.gateway import BrokerStatus, OrderReport
from brokers.streaming.protocol import (
    Frame,
    Heartbeat,
    News,
    OrderNews,
    Ready,
    StreamError,
    StreamKind,
    StreamProtocol,
    Ticks,
)
from tests.brokers.alpaca.market import CREDENTIALS, KEYS, AlpacaMarket, share_ref
from tests.brokers.contract import buy, change_of, placed


class TestOpening:
    def test_addresses_follow_the_environment(self, settings: Settings) -> None:
        settings.BROKER_ENDPOINTS = {}
        live = {**CREDENTIALS, "environment": "live", "feed": "sip"}
        kinds = (StreamKind.ORDERS, StreamKind.MARKET)
        streams = [open_stream(kind, secrets=live, credentials={}) for kind in kinds]
        assert [stream.url() for stream in streams if stream] == [
            "wss://api.alpaca.markets/stream",
            "wss://stream.data.alpaca.markets/v2/sip",
        ]


async def _send(line: ClientConnection, frames: Sequence[Frame]) -> None:
    for frame in frames:
        await line.send(frame)


async def _soon(then: Callable[[], object]) -> object:
    await asyncio.sleep(0.1)  # the subscription is on its way
    return await asyncio.to_thread(then)


@pytest.mark.django_db(transaction=True)
class TestOverRealSockets:
    """A socket to the simulated Alpaca, from authentication to the news."""

    @pytest.fixture
    def heard(self) -> list[News]:
        return []

    def listen(
        self,
        stream: StreamProtocol,
        heard: list[News],
        *,
        until: Callable[[], bool],
        then: Callable[[], object] | None = None,
    ) -> None:
        """Speak on a socket until enough was heard; ``then`` happens once it is subscribed."""

        async def run() -> None:
            asked = [share_ref()] if stream.kind is StreamKind.MARKET else []
            doing: list[asyncio.Task[object]] = []
            async with connect(
                stream.url(), additional_headers=stream.headers(), compression=None, proxy=None
            ) as line:
                await _send(line, stream.greeting())
                while not until():
                    news = stream.parse(await line.recv())
                    heard.extend(news)
                    if Ready() in news and then is not None:
                        await _send(line, stream.subscribe(asked))
                        doing.append(asyncio.create_task(_soon(then)))
                await asyncio.gather(*doing)

        with contextlib.suppress(ConnectionClosed):
            asyncio.run(asyncio.wait_for(run(), 10))

    def test_refused_keys_are_told(self, alpaca: AlpacaMarket, heard: list[News]) -> None:
        alpaca.stand.desk.is_keyed = False
        for stream in (OrderStream(KEYS), PriceStream(KEYS)):
            self.listen(stream, heard, until=lambda: False)
        errors = [each for each in heard if isinstance(each, StreamError)]
        assert [each.is_auth for each in errors] == [True, True]

    @pytest.mark.parametrize("kind", [StreamKind.ORDERS, StreamKind.MARKET])
    def test_a_heartbeat_is_answered(self, alpaca: AlpacaMarket, kind: StreamKind) -> None:
        stream = open_stream(kind, secrets=CREDENTIALS, credentials={})
        assert stream is not None

        async def run() -> Sequence[News]:
            async with connect(
                stream.url(), additional_headers=stream.headers(), compression=None, proxy=None
            ) as line:
                for frame in (*stream.greeting(), *stream.subscribe([share_ref()])):
                    await line.send(frame)
                for _ in range(3 if kind is StreamKind.MARKET else 2):
                    stream.parse(await line.recv())
                await line.send(stream.heartbeat() or "")
                return stream.parse(await line.recv())

        assert list(asyncio.run(asyncio.wait_for(run(), 10))) == [Heartbeat()]

    def test_prices_come(self, alpaca: AlpacaMarket, heard: list[News]) -> None:
        self.listen(
            PriceStream(KEYS),
            heard,
            until=lambda: any(isinstance(each, Ticks) for each in heard),
            then=lambda: alpaca.trade("101.00", volume=5),
        )
        ticks = [tick for each in heard if isinstance(each, Ticks) for tick in each.ticks]
        assert (ticks[-1].ltp, ticks[-1].volume) == (Decimal(101), 5)

    def test_orders_and_their_changes_come(self, alpaca: AlpacaMarket, heard: list[News]) -> None:
        def trade_a_little() -> None:
            order_id = placed(alpaca.gateway.place(buy(alpaca.share)))
            alpaca.wait()
            change = change_of(order_id, buy(alpaca.share), price=Decimal("99.50"))
            alpaca.gateway.modify(change)
            alpaca.wait()
            alpaca.trade("99.00", volume=1000)

        def reports() -> list[OrderReport]:
            return [r for each in heard if isinstance(each, OrderNews) for r in each.orders]

        self.listen(
            OrderStream(KEYS, key_of=lambda symbol: symbol),
            heard,
            until=lambda: any(each.status is BrokerStatus.FILLED for each in reports()),
            then=trade_a_little,
        )
        assert len({each.broker_order_id for each in reports()}) == 1
        assert (reports()[-1].status, reports()[-1].price) == (
            BrokerStatus.FILLED, Decimal("99.5"),
        )  # fmt: skip
        assert not [each for each in heard if isinstance(each, StreamError)]
