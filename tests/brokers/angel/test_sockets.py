"""Both of Angel One's sockets over a real connection, and the SDK's own."""

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from brokers.adapters.angel.streams import open_stream
from brokers.gateway import BrokerStatus, QuoteTick
from brokers.sessions import session_secrets
from brokers.simulator.angel.sockets import MOST_SUBSCRIPTIONS
from brokers.simulator.faults import FaultName
from brokers.streaming.protocol import (
    Heartbeat,
    News,
    OrderNews,
    Ready,
    StreamError,
    StreamKind,
    Ticks,
)
from tests.brokers.angel.market import CLIENT, CREDENTIALS, DEMO, AngelMarket
from tests.brokers.contract import buy, cancel_of, placed

BARE_SOCKET = Path(__file__).with_name("bare_socket.py")


@pytest.fixture
def secrets(market: AngelMarket) -> dict[str, str]:
    return dict(session_secrets(market.account.connection, now=market.now()))


def opened(kind: StreamKind, secrets: dict[str, str]) -> tuple[Any, ClientConnection]:
    protocol = open_stream(kind, secrets=secrets, credentials=dict(CREDENTIALS))
    assert protocol is not None
    line = connect(protocol.url(), additional_headers=protocol.headers(), proxy=None)
    return protocol, line


def next_news(protocol: Any, line: ClientConnection, within: float = 3.0) -> News:
    told: News
    (told,) = protocol.parse(line.recv(timeout=within))
    return told


def tick_of(news: Any) -> QuoteTick:
    (told,) = news
    assert isinstance(told, Ticks), told
    return told.ticks[0]


class TestPriceSocket:
    def test_refuses_a_token_that_is_over(
        self, market: AngelMarket, secrets: dict[str, str]
    ) -> None:
        with pytest.raises(InvalidStatus) as refused:
            opened(StreamKind.MARKET, {**secrets, "jwt": "jwt-of-nobody"})
        response = refused.value.response
        assert response.status_code == 401
        assert response.headers["x-error-message"] == "Invalid Header - Invalid Auth token"

    def test_tells_prices_as_they_move(self, market: AngelMarket, secrets: dict[str, str]) -> None:
        market.trade("101.00", volume=100)
        protocol, line = opened(StreamKind.MARKET, secrets)
        with line:
            for frame in protocol.subscribe([DEMO]):
                line.send(frame)
            assert tick_of([next_news(protocol, line)]).ltp == Decimal("101")
            market.trade("102.00", volume=40)
            tick = tick_of([next_news(protocol, line)])
        assert (tick.ltp, tick.volume) == (Decimal("102"), 40)
        assert tick.bid is not None
        assert tick.bid < tick.ltp

    def test_answers_a_heartbeat(self, market: AngelMarket, secrets: dict[str, str]) -> None:
        protocol, line = opened(StreamKind.MARKET, secrets)
        with line:
            line.send(protocol.heartbeat())
            assert next_news(protocol, line) == Heartbeat()

    def test_refuses_more_than_it_carries(
        self, market: AngelMarket, secrets: dict[str, str]
    ) -> None:
        many = [replace(DEMO, key=f"N{n}", token=str(n)) for n in range(MOST_SUBSCRIPTIONS + 1)]
        protocol, line = opened(StreamKind.MARKET, secrets)
        with line:
            for frame in protocol.subscribe(many):
                line.send(frame)
            told = next_news(protocol, line)
            while not isinstance(told, StreamError):
                told = next_news(protocol, line)
        assert "E1002" in told.words

    def test_tells_a_price_once_though_frames_come_twice(
        self, market: AngelMarket, secrets: dict[str, str]
    ) -> None:
        protocol, line = opened(StreamKind.MARKET, secrets)
        with line:
            for frame in protocol.subscribe([DEMO]):
                line.send(frame)
            next_news(protocol, line)
            market.stand.faults.arm(FaultName.DUPLICATE_FRAMES)
            market.trade("102.00", volume=40)
            volumes = [tick_of([next_news(protocol, line)]).volume for _ in range(2)]
        assert sum(volumes) == 40

    def test_says_nothing_when_silent_but_still_answers(
        self, market: AngelMarket, secrets: dict[str, str]
    ) -> None:
        market.stand.faults.arm(FaultName.SILENT_STREAM)
        protocol, line = opened(StreamKind.MARKET, secrets)
        with line:
            for frame in protocol.subscribe([DEMO]):
                line.send(frame)
            market.trade("102.00")
            line.send(protocol.heartbeat())
            assert next_news(protocol, line) == Heartbeat()

    def test_answers_nothing_when_half_open(
        self, market: AngelMarket, secrets: dict[str, str]
    ) -> None:
        protocol, line = opened(StreamKind.MARKET, secrets)
        with pytest.raises(TimeoutError), line:
            market.stand.faults.arm(FaultName.HALF_OPEN)
            line.send(protocol.heartbeat())
            try:
                next_news(protocol, line, within=0.5)
            finally:
                market.stand.server.app.state.faults.clear()
                line.close_timeout = 0.1

    def test_leaves_out_a_price_that_was_overtaken(
        self, market: AngelMarket, secrets: dict[str, str]
    ) -> None:
        protocol, line = opened(StreamKind.MARKET, secrets)
        with line:
            for frame in protocol.subscribe([DEMO]):
                line.send(frame)
            next_news(protocol, line)
            line.send(protocol.heartbeat())
            assert next_news(protocol, line) == Heartbeat()
            market.stand.faults.arm(FaultName.REORDERED_FRAMES)
            market.trade("102.00", volume=40)
            market.trade("103.00", volume=5)
            newer, older = (next_news(protocol, line) for _ in range(2))
        assert tick_of([newer]).ltp == Decimal("103")
        assert older == Heartbeat()

    def test_is_understood_by_the_sdk_s_own_socket(
        self, market: AngelMarket, secrets: dict[str, str], tmp_path: Path
    ) -> None:
        market.trade("101.00", volume=100)
        url = market.stand.server.ws_url + "/smart-stream"
        login = (secrets["jwt"], CREDENTIALS["api_key"], CLIENT, secrets["feed"])
        run = subprocess.run(
            [sys.executable, str(BARE_SOCKET), url, *login, DEMO.token],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        line = next(each for each in run.stdout.splitlines() if each.startswith("RESULT "))
        told = json.loads(line.removeprefix("RESULT "))
        assert (told["token"], told["last_traded_price"]) == (DEMO.token, 10_100)
        assert told["best_5_buy_data"][0]["price"] < told["best_5_sell_data"][0]["price"]


class TestOrderSocket:
    def test_refuses_a_session_that_expired(
        self, market: AngelMarket, secrets: dict[str, str]
    ) -> None:
        market.stand.clock.move(hours=24)
        with pytest.raises(InvalidStatus) as refused:
            opened(StreamKind.ORDERS, secrets)
        assert refused.value.response.status_code == 403

    def test_refuses_a_fourth_connection(
        self, market: AngelMarket, secrets: dict[str, str]
    ) -> None:
        with ExitStack() as stack:
            for _ in range(3):
                line = stack.enter_context(opened(StreamKind.ORDERS, secrets)[1])
                line.recv(timeout=3)
            with pytest.raises(InvalidStatus) as refused:
                opened(StreamKind.ORDERS, secrets)
        assert refused.value.response.status_code == 429

    def test_tells_an_order_from_its_beginning_to_its_end(
        self, market: AngelMarket, secrets: dict[str, str]
    ) -> None:
        market.trade("101.00")
        protocol, line = opened(StreamKind.ORDERS, secrets)
        with line:
            assert next_news(protocol, line) == Ready()
            order_id = placed(market.gateway.place(buy(market.share)))
            market.wait()
            market.gateway.cancel(cancel_of(order_id, market.share))
            market.wait()
            statuses = _statuses(protocol, line)
        assert statuses[0] is BrokerStatus.PLACED
        assert BrokerStatus.OPEN in statuses
        assert statuses[-1] is BrokerStatus.CANCELLED


def _statuses(protocol: Any, line: ClientConnection) -> list[BrokerStatus]:
    found: list[BrokerStatus] = []
    while not found or found[-1] is not BrokerStatus.CANCELLED:
        told = next_news(protocol, line)
        assert isinstance(told, OrderNews), told
        found += [report.status for report in told.orders]
    return found
