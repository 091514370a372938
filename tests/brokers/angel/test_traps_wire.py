"""What smartapi-python does on the wire by itself, and what this house does there."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from brokers.adapters.angel import login as angel_login
from brokers.adapters.angel.client import AngelClient
from brokers.adapters.angel.streams import open_stream
from brokers.gateway import GatewayUnavailable
from brokers.models import ConnectionStatus
from brokers.streaming.protocol import StreamKind
from brokers.streaming.socket import Ears, Socket, SocketEnded
from brokers.transport import Transport
from tests.brokers.angel.canned import Canned, CannedServer
from tests.brokers.angel.market import CLIENT, CREDENTIALS, AngelMarket
from tests.brokers.doors import Door, hang_up, hold
from tests.brokers.streamed import LoggedIn
from tests.builders import NOW
from tests.streaming.house import Running, until

HOUSE = Path(__file__).parents[3]
BARE = Path(__file__).with_name("bare_wire.py")
FOUND = '{"exchange":"NFO","tradingsymbol":"NIFTY26JUN2625000CE","symboltoken":"41"}'
MONEY = '{"net":"100.0000","availablecash":"100.0000"}'
OVER = '{"success":false,"message":"Invalid Token","errorCode":"AG8001","data":""}'
BOTH = (StreamKind.MARKET, StreamKind.ORDERS)
SECRETS = {"jwt": "jwt-secret", "feed": "feed-secret"}


def told(data: str) -> Canned:
    return Canned(f'{{"status":true,"message":"SUCCESS","errorcode":"","data":{data}}}')


def books() -> dict[str, Canned]:
    return {"searchScrip": told(f"[{FOUND}]"), "getRMS": told(MONEY), "": told("null")}


@dataclass
class Bare:
    """What the SDK did, alone in a process and a directory of its own."""

    found: dict[str, Any]
    printed: str
    calls: CannedServer
    door: Door
    strange: Door


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    with (
        CannedServer(books(), keeps_open=True) as calls,
        CannedServer({"": Canned(OVER)}) as refusing,
        Door(hang_up) as door,
        Door(hold, is_strange=True) as strange,
    ):
        addresses = (calls.url, refusing.url, door.ws_url, strange.ws_url)
        run = subprocess.run(
            [sys.executable, str(BARE), *addresses],
            cwd=tmp_path_factory.mktemp("bare"),
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        line = next(each for each in run.stdout.splitlines() if each.startswith("RESULT "))
        yield Bare(json.loads(line.removeprefix("RESULT ")), run.stderr, calls, door, strange)


@pytest.fixture
def canned(settings: Settings) -> Iterator[CannedServer]:
    with CannedServer(books(), keeps_open=True) as server:
        settings.BROKER_ENDPOINTS = {"angel": server.url}
        yield server


def protocol(kind: StreamKind) -> Any:
    return open_stream(kind, secrets=SECRETS, credentials=dict(CREDENTIALS))


def end_of(kind: StreamKind) -> SocketEnded:
    """Run one of our sockets until it ends, and return how it did."""
    opened = protocol(kind)
    ears = Ears(lambda frame, news: None, lambda: None, lambda spoken, frame: spoken.parse(frame))
    with pytest.raises(SocketEnded) as ended:
        asyncio.run(Socket(opened, ears).run())
    return ended.value


class TestAStrangersCertificate:
    """Somebody between us and the broker, whose certificate nobody has signed."""

    def test_is_good_enough_for_both_sockets_of_the_bare_sdk(self, bare: Bare) -> None:
        assert bare.found["let_in"] == ["prices", "orders"]

    def test_costs_the_bare_sdk_its_tokens(self, bare: Bare) -> None:
        handed_over = [each.headers for each in bare.strange.callers]
        assert [each["Authorization"] for each in handed_over] == ["Bearer jwt-secret"] * 2
        assert {each["x-feed-token"] for each in handed_over} == {"feed-secret"}

    @pytest.mark.parametrize("kind", BOTH)
    def test_ends_our_sockets_before_they_say_a_word(
        self, kind: StreamKind, settings: Settings
    ) -> None:
        with Door(hold, is_strange=True) as door:
            settings.BROKER_ENDPOINTS = {"angel": door.url}
            assert str(end_of(kind)).endswith("its certificate is not good")
        assert door.callers == []


class TestASocketThatEnds:
    def test_is_opened_again_once_by_the_bare_sdk_and_never_after(self, bare: Bare) -> None:
        assert bare.door.calls("/prices") == 2
        assert bare.found["given_up"][-1] == "Max retry attempt reached"

    def test_of_orders_is_opened_again_twice_by_the_bare_sdk(self, bare: Bare) -> None:
        assert bare.door.calls("/orders") == 3

    @pytest.mark.parametrize("kind", BOTH)
    def test_is_opened_again_and_again_here(self, kind: StreamKind, settings: Settings) -> None:
        with Door(hang_up) as door:
            settings.BROKER_ENDPOINTS = {"angel": door.url}
            with Running(LoggedIn(partial(protocol, kind))) as heeding:
                until(lambda: door.calls("/smart-") >= 6)
                until(lambda: heeding.states().count("ERROR") >= 6)


class TestALine:
    def test_is_opened_for_every_call_of_the_bare_sdk(self, bare: Bare) -> None:
        assert len(bare.calls.asked) == 6
        assert len(bare.calls.lines) == 6

    def test_is_kept_for_a_whole_reading_here(
        self, market: AngelMarket, canned: CannedServer
    ) -> None:
        books = (market.gateway.orders, market.gateway.trades, market.gateway.positions)
        for read in (*books, market.gateway.holdings, market.gateway.funds):
            read()
        assert len(canned.asked) == 5
        assert len(canned.lines) == 1


class TestWhoIsLoggedIn:
    def test_is_a_type_error_to_the_bare_sdk(self, bare: Bare) -> None:
        assert bare.found["user"] == "TypeError"

    def test_is_told_by_the_login_here(self, market: AngelMarket) -> None:
        grant = angel_login.LOGIN.open(CREDENTIALS, answer={}, now=NOW)
        assert grant.client_code == CLIENT


class TestASearch:
    def test_is_printed_whole_by_the_bare_sdk(self, bare: Bare) -> None:
        assert "tradingsymbol: NIFTY26JUN2625000CE, symboltoken: 41" in bare.printed

    def test_says_nothing_here(
        self,
        canned: CannedServer,
        capfd: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with Transport() as transport:
            found = AngelClient("K", transport=transport).searchScrip("NFO", "NIFTY")
        assert found["data"] == [json.loads(FOUND)]
        assert (capfd.readouterr(), caplog.text) == (("", ""), "")

    def test_refused_in_the_second_shape_is_a_key_error_to_the_bare_sdk(self, bare: Bare) -> None:
        assert bare.found["refused_search"] == "KeyError"

    def test_refused_for_want_of_a_login_ends_the_session_here(
        self, market: AngelMarket, canned: CannedServer
    ) -> None:
        canned.answers = {"": Canned(OVER)}
        underlying = replace(market.share, trading_symbol="NIFTY 50")
        with pytest.raises(GatewayUnavailable, match="Invalid Token"):
            market.gateway.option_chain(underlying, NOW.date())
        market.account.connection.refresh_from_db()
        assert market.account.connection.status == ConnectionStatus.EXPIRED


class TestItsLog:
    def test_shows_the_api_key_where_the_bare_sdk_is_refused(self, bare: Bare) -> None:
        assert "'X-PrivateKey': 'key-secret'" in bare.printed

    def test_stays_silent_here_whoever_configures_logging_later(self, tmp_path: Path) -> None:
        script = (
            "import logging.config, sys\n"
            f"sys.path.insert(0, {str(HOUSE)!r})\n"
            "from django.conf import settings; settings.configure(BROKER_ENDPOINTS={})\n"
            "import brokers.adapters.angel.client, logzero\n"
            "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False})\n"
            "logzero.logger.error('Headers: key-secret')\n"
        )
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (run.stdout, run.stderr, run.returncode) == ("", "", 0)
