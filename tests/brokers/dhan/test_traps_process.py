"""What the bare SDK does to the process it runs in, and that it does not happen here."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dhanhq import DhanContext, FullDepth, MarketFeed, OrderUpdate, dhanhq
from pytest_django import Settings
from websockets.asyncio.server import ServerConnection

from brokers.adapters.dhan import master
from brokers.adapters.dhan.streams import open_stream
from brokers.models import ConnectionStatus
from brokers.simulator.dhan.feed import goodbye
from brokers.simulator.dhan.tokens import CLIENT
from brokers.streaming.protocol import StreamKind, StreamProtocol
from brokers.streaming.socket import Ears, Socket, SocketEnded
from market.importing.downloading import Asking, downloaded
from tests.brokers.dhan.market import SHARE, TOKEN, DhanMarket, DhanStand
from tests.brokers.doors import Door, hang_up
from tests.brokers.streamed import LoggedIn, listening
from tests.streaming.house import Running, until

ENOUGH = 5
LAST_RESORT = 20.0  # seconds
CLOSED_PORT = "ws://127.0.0.1:9"
WANTED = [(MarketFeed.NSE, SHARE, MarketFeed.Ticker)]
CONTEXT = DhanContext(CLIENT, TOKEN)
SECRETS = {"client_id": CLIENT, "access_token": TOKEN}


def orders() -> StreamProtocol | None:
    return open_stream(StreamKind.ORDERS, secrets=SECRETS, credentials={})


@pytest.fixture
def own_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The event loop that this thread had before anybody came."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


class TestALoginThatRanOut:
    """Dhan says goodbye with 807, and will say so to whoever comes with the same token."""

    def test_is_tried_for_ever_by_the_bare_sdk(
        self,
        own_loop: object,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr("dhanhq.marketfeed.asyncio", _hurried_asyncio())
        with Door(_say_it_ran_out) as door:
            monkeypatch.setattr(MarketFeed, "market_feed_wss", door.ws_url)

            def on_close(feed: Any) -> None:
                feed._running = len(door.callers) < ENOUGH

            feed = MarketFeed(CONTEXT, WANTED, on_close=on_close)
            feed.loop.call_later(LAST_RESORT, feed.loop.stop)
            try:
                feed.run()
                feed.loop.run_until_complete(feed.ws.close())
            finally:
                feed.loop.close()
        assert capsys.readouterr().out.count("Access Token is expired") == ENOUGH

    # What the house asks closes its connection to the database, and with it any transaction.
    @pytest.mark.django_db(transaction=True)
    def test_ends_the_session_here_and_no_socket_is_opened_with_it_again(
        self, market: DhanMarket
    ) -> None:
        market.stand.house.tokens.expire(None)
        with listening(market, StreamKind.MARKET) as stream:
            stream.until(lambda: stream.complaints.count("Nobody is logged in at Dhan") >= ENOUGH)
        market.account.connection.refresh_from_db()
        assert market.account.connection.status == ConnectionStatus.EXPIRED
        assert 1 <= len([each for each in stream.complaints if "(807)" in each]) <= 2


class TestAnOrderSocketThatEnds:
    def test_is_the_last_one_of_the_bare_sdk(self, own_loop: object) -> None:
        updates = OrderUpdate(CONTEXT)
        with Door(hang_up) as door:
            updates.order_feed_wss = door.ws_url
            updates.connect_to_dhan_websocket_sync()
        assert len(door.callers) == 1

    def test_is_followed_by_others_here(self, settings: Settings) -> None:
        with Door(hang_up) as door:
            settings.BROKER_ENDPOINTS = {"dhan": door.url}
            with Running(LoggedIn(orders)):
                until(lambda: len(door.callers) >= ENOUGH)


class TestTheLoopOfAThread:
    @pytest.mark.parametrize(
        "construct",
        [
            lambda: MarketFeed(CONTEXT, WANTED).loop,
            lambda: FullDepth(CONTEXT, [(1, SHARE)]).loop,
        ],
        ids=["MarketFeed", "FullDepth"],
    )
    def test_is_replaced_by_the_bare_sdk_that_is_merely_constructed(
        self, construct: Callable[[], asyncio.AbstractEventLoop], own_loop: object
    ) -> None:
        theirs = construct()
        assert asyncio.get_event_loop() is theirs is not own_loop
        theirs.close()

    def test_is_a_closed_one_after_the_bare_sdk_has_listened_to_orders(
        self, own_loop: object
    ) -> None:
        updates = OrderUpdate(CONTEXT)
        updates.order_feed_wss = CLOSED_PORT
        updates.connect_to_dhan_websocket_sync()
        assert asyncio.get_event_loop().is_closed()

    @pytest.mark.parametrize("kind", list(StreamKind))
    def test_is_its_own_here(
        self, kind: StreamKind, own_loop: asyncio.AbstractEventLoop, settings: Settings
    ) -> None:
        settings.BROKER_ENDPOINTS = {"dhan": CLOSED_PORT}
        opened = open_stream(kind, secrets=SECRETS, credentials={})
        assert opened is not None
        ears = Ears(lambda frame, news: None, lambda: None, lambda spoken, frame: ())
        with pytest.raises(SocketEnded):
            own_loop.run_until_complete(Socket(opened, ears).run())
        assert asyncio.get_event_loop() is own_loop


class TestTheInstrumentList:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        return tmp_path

    def test_is_left_where_the_bare_sdk_happens_to_stand(
        self, dhan: DhanStand, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("dhanhq.Security.COMPACT_CSV_URL", master.address({}))
        assert len(dhanhq.fetch_security_list()) > 0
        assert [each.name for each in folder.iterdir()] == ["security_id_list.csv"]

    def test_leaves_nothing_here(self, dhan: DhanStand, folder: Path) -> None:
        with downloaded(master, Asking()) as file:
            assert file.readline().startswith(b"SEM_EXM_EXCH_ID")
        assert list(folder.iterdir()) == []

    def test_is_nothing_to_the_bare_sdk_where_it_cannot_be_had(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("dhanhq.Security.COMPACT_CSV_URL", "http://127.0.0.1:9/list.csv")
        assert dhanhq.fetch_security_list() is None


async def _say_it_ran_out(line: ServerConnection) -> None:
    await line.recv()
    await line.send(goodbye(807))
    await line.close()


def _hurried_asyncio() -> SimpleNamespace:
    """Return asyncio as the SDK's feed uses it, whose pauses of a second are short ones."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / 100)

    return SimpleNamespace(**{**vars(asyncio), "sleep": sleep})
