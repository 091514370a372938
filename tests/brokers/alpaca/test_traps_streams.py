"""What the SDK's own streams do when nobody wants anything, and when their keys are refused."""

import asyncio
import logging
import selectors
import warnings
from collections.abc import Awaitable, Callable
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from pytest_django import Settings

from brokers.adapters.alpaca.price_stream import PriceStream
from brokers.models import ConnectionStatus
from brokers.streaming.inbox import Inbox
from brokers.streaming.protocol import StreamKind
from brokers.streaming.supervisor import Supervisor
from tests.brokers.alpaca.market import KEYS, AlpacaMarket, AlpacaStand
from tests.brokers.doors import Door, hold
from tests.brokers.streamed import LoggedIn, listening
from tests.streaming.house import QUICK

with warnings.catch_warnings():
    # They stand on a part of websockets that is deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    live: Any = import_module("alpaca.data.live")
    trading: Any = import_module("alpaca.trading.stream")

ENOUGH = 5
NAPS = 5
LOOKS = 10
PATIENCE = 30.0
Bare = Callable[[AlpacaStand], Any]


class CountedTurns(selectors.DefaultSelector):
    """Counts how often a loop has gone round."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = 0

    def select(self, timeout: float | None = None) -> Any:
        self.turns += 1
        return super().select(timeout)


def turns_of(run: Callable[[], Awaitable[object]]) -> int:
    """Run something in a loop of its own and return how often that has gone round."""
    counted = CountedTurns()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(counted)) as runner:
        runner.run(asyncio.wait_for(run(), PATIENCE))
    return counted.turns


async def _noted(told: object) -> None:
    """Take what a stream tells."""


def bare_prices(stand: AlpacaStand) -> Any:
    stream = live.StockDataStream("key", "wrong", url_override=f"{stand.server.ws_url}/v2/iex")
    stream.subscribe_trades(_noted, "AAPL")
    return stream


def bare_orders(stand: AlpacaStand) -> Any:
    stream = trading.TradingStream("key", "wrong", url_override=f"{stand.server.ws_url}/stream")
    stream.subscribe_trade_updates(_noted)
    return stream


class TestWantingNothing:
    def test_is_a_busy_loop_of_the_bare_sdk(self) -> None:
        """It goes round as fast as it can before it has so much as opened a socket."""

        async def wait() -> None:
            stream = live.StockDataStream("key", "secret", url_override="ws://127.0.0.1:9")
            spinning = asyncio.create_task(stream._run_forever())
            for _ in range(NAPS):
                await asyncio.sleep(0.05)
            await stream.stop_ws()
            await spinning

        assert turns_of(wait) > 50 * NAPS

    def test_is_a_quiet_socket_here(self, settings: Settings) -> None:
        house = LoggedIn(partial(PriceStream, KEYS))

        async def wait() -> None:
            supervising = asyncio.create_task(Supervisor(house, Inbox(), QUICK).run())
            while house.looks < LOOKS:
                await asyncio.sleep(0.05)
            supervising.cancel()
            await asyncio.gather(supervising, return_exceptions=True)

        with Door(hold) as door:
            settings.BROKER_ENDPOINTS = {"alpaca": door.url}
            turns = turns_of(wait)
        assert len(door.callers) == 1
        assert turns < 20 * house.looks


class TestRefusedKeys:
    @pytest.mark.parametrize("bare", [bare_prices, bare_orders])
    def test_are_tried_for_ever_by_the_bare_sdk(
        self, stand: AlpacaStand, bare: Bare, caplog: pytest.LogCaptureFixture
    ) -> None:
        stream = bare(stand)
        # It waits half a minute in the end, and never gives up.
        stream._reconnect_max_backoff = stream._reconnect_min_backoff = 0.02

        async def keep_trying() -> None:
            trying = asyncio.create_task(stream._run_forever())
            while len(_refusals(caplog)) < ENOUGH:
                await asyncio.sleep(0.01)
            assert not trying.done()
            await stream.stop_ws()
            await trying

        asyncio.run(asyncio.wait_for(keep_trying(), PATIENCE))

    # What the house asks closes its connection to the database, and with it any transaction.
    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("kind", list(StreamKind))
    def test_end_the_session_here_and_open_no_other_socket(
        self, alpaca: AlpacaMarket, kind: StreamKind
    ) -> None:
        alpaca.stand.desk.is_keyed = False
        with listening(alpaca, kind) as stream:
            stream.until(lambda: stream.complaints.count("Nobody is logged in at Alpaca") >= ENOUGH)
        alpaca.account.connection.refresh_from_db()
        assert alpaca.account.connection.status == ConnectionStatus.EXPIRED
        refused = [each for each in stream.complaints if not each.startswith("Nobody")]
        assert 1 <= len(refused) <= 2


def _refusals(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [each for each in caplog.records if "auth" in each.getMessage()]
