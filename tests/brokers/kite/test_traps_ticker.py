"""What Kite's own ticker does on the wire, and what this house's socket does there."""

import asyncio
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from pytest_django import Settings
from websockets.asyncio.server import ServerConnection

from brokers.adapters.kite.streams import KiteStream
from brokers.streaming.protocol import StreamKind
from brokers.streaming.socket import Ears, Socket, SocketEnded
from tests.brokers.doors import Door, hold, vanish
from tests.brokers.streamed import LoggedIn
from tests.streaming.house import QUICK, Running, until

LOOKS = 20
SECRETS = {"api_key": "key", "access_token": "sesame"}
# It looks for a ghost every two and a half seconds, and here fifty times a second.
TICKER = """
import json, sys, warnings
warnings.simplefilter("ignore")
from kiteconnect import KiteTicker
from kiteconnect.ticker import KiteTickerClientProtocol as Line

root, most = sys.argv[1], int(sys.argv[2])
ticker = KiteTicker("key", "sesame", root=root)
look, told = Line._loop_pong_check, {"looks": 0}

def counted(line):
    look(line)
    told["looks"] += 1
    if told["looks"] == most:
        told.update(is_connected=ticker.is_connected(), pong=line._last_pong_time)
        ticker.stop()

Line._loop_pong_check, Line.PING_INTERVAL = counted, 0.02
ticker.connect()
print(json.dumps(told))
"""


def bare_ticker(door: Door) -> dict[str, object]:
    """Run the SDK's ticker in a process of its own until it has looked for a ghost so often."""
    run = subprocess.run(
        [sys.executable, "-c", TICKER, door.ws_url, str(LOOKS)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told: dict[str, object] = json.loads(run.stdout)
    return told


def prices() -> KiteStream:
    return KiteStream(StreamKind.MARKET, secrets=SECRETS)


def impatient_prices() -> KiteStream:
    made = prices()
    made.stale_after = 0.2
    return made


class TestAGhost:
    """A connection whose other end has vanished: it stays open, and nobody is there."""

    def test_is_never_found_out_by_the_bare_ticker(self) -> None:
        with Door(vanish) as door:
            told = bare_ticker(door)
        assert told == {"looks": LOOKS, "is_connected": True, "pong": None}

    def test_is_never_asked_after_by_the_bare_ticker(self) -> None:
        """Here somebody would answer every ping, and in twenty looks no pong has come."""
        with Door(hold) as door:
            assert bare_ticker(door)["pong"] is None

    def test_is_found_out_here_and_another_socket_is_opened(self, settings: Settings) -> None:
        async def treat(line: ServerConnection) -> None:
            await (vanish if len(door.callers) == 1 else hold)(line)

        with Door(treat) as door:
            settings.BROKER_ENDPOINTS = {"kite": door.url}
            with Running(LoggedIn(prices), replace(QUICK, ping_every=0.1)) as heeding:
                until(lambda: len(door.callers) >= 2)
                assert "ERROR" in heeding.states()

    def test_that_answers_pings_is_found_out_here_by_its_silence(self, settings: Settings) -> None:
        with Door(hold) as door:
            settings.BROKER_ENDPOINTS = {"kite": door.url}
            with Running(LoggedIn(impatient_prices)) as heeding:
                until(lambda: "ERROR" in heeding.states())
                assert heeding.last("ERROR").words == "Nothing was heard for 0.2 s"


class TestAStrangersCertificate:
    """Somebody between us and Kite, whose certificate nobody has signed."""

    def test_is_good_enough_for_the_bare_ticker_and_costs_it_its_token(self) -> None:
        with Door(hold, is_strange=True) as door:
            assert bare_ticker(door)["is_connected"] is True
        assert "access_token=sesame" in door.callers[0].path

    def test_ends_our_socket_before_it_says_a_word(self, settings: Settings) -> None:
        ears = Ears(lambda frame, news: None, lambda: None, lambda spoken, frame: ())
        with Door(hold, is_strange=True) as door:
            settings.BROKER_ENDPOINTS = {"kite": door.url}
            with pytest.raises(SocketEnded, match="certificate is not good"):
                asyncio.run(Socket(prices(), ears).run())
        assert door.callers == []
