"""What the official SDK does by itself, and what it does in our hands."""

import json
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from brokers.adapters.alpaca.client import FAILURES, AlpacaClient, APIError, Fields, TradingClient
from brokers.adapters.alpaca.outcomes import words_in
from brokers.transport import Manners, NoAnswer
from tests.brokers.alpaca.canned import Canned, canned_server
from tests.brokers.alpaca.market import KEYS

ORDER = Fields({"symbol": "AAPL", "qty": "1", "client_order_id": "TAG1", "limit_price": "100.10"})


@pytest.fixture
def canned(settings: Settings) -> Iterator[Canned]:
    with canned_server() as canned:
        settings.BROKER_ENDPOINTS = {"alpaca": canned.url}
        yield canned


@pytest.fixture
def bare(canned: Canned) -> Iterator[Any]:
    """The SDK as it comes, only in less of a hurry to wait."""
    client = TradingClient("key", "secret", raw_data=True, url_override=canned.url)
    client._retry_wait = 0
    yield client
    client._session.close()


@pytest.fixture
def ours(canned: Canned) -> Iterator[AlpacaClient]:
    client = AlpacaClient(KEYS, manners=Manners(read_timeout=0.3))
    yield client
    client.close()


class TestSendingAgain:
    @pytest.mark.parametrize("status", [504, 429])
    def test_the_bare_sdk_sends_an_order_four_times(
        self, canned: Canned, bare: Any, status: int
    ) -> None:
        canned.answer((status, b"{}"))
        with pytest.raises(APIError):
            bare.submit_order(ORDER)
        assert [method for method, _, _ in canned.asked] == ["POST"] * 4

    @pytest.mark.parametrize("status", [504, 429])
    def test_ours_sends_it_once(self, canned: Canned, ours: AlpacaClient, status: int) -> None:
        canned.answer((status, b"{}"))
        with pytest.raises(APIError):
            ours.submit_order(ORDER)
        assert [method for method, _, _ in canned.asked] == ["POST"]

    def test_the_bare_sdk_tells_a_second_answer_as_the_first(
        self, canned: Canned, bare: Any
    ) -> None:
        canned.answer((504, b""), (200, b'{"id": "the second order"}'))
        assert bare.submit_order(ORDER) == {"id": "the second order"}


class TestWaiting:
    def test_the_bare_sdk_waits_as_long_as_it_takes(self, canned: Canned, bare: Any) -> None:
        canned.hang = threading.Event()
        waiting = threading.Thread(target=bare.get_account)
        waiting.start()
        waiting.join(0.8)
        assert waiting.is_alive()
        canned.hang.set()
        waiting.join()

    def test_ours_gives_up(self, canned: Canned, ours: AlpacaClient) -> None:
        canned.hang = threading.Event()
        began = time.monotonic()
        with pytest.raises(NoAnswer):
            ours.get_account()
        assert time.monotonic() - began < 5
        canned.hang.set()


class TestUnknownWords:
    STRANGE = json.dumps([{"id": "x", "status": "brand_new_word"}]).encode()

    def test_the_bare_sdk_drops_the_whole_book(self, canned: Canned) -> None:
        canned.answer((200, self.STRANGE))
        bare = TradingClient("key", "secret", url_override=canned.url)
        with pytest.raises(ValueError, match="validation error"):
            bare.get_orders()
        bare._session.close()

    def test_ours_keeps_it_as_it_was_written(self, canned: Canned, ours: AlpacaClient) -> None:
        canned.answer((200, self.STRANGE))
        assert ours.get_orders()[0]["status"] == "brand_new_word"


class TestNumbers:
    def test_the_bare_sdk_reads_floats(self, canned: Canned, bare: Any) -> None:
        canned.answer((200, b'{"p": 100.10}'))
        assert type(bare.get_account()["p"]) is float

    def test_ours_reads_what_was_written(self, canned: Canned, ours: AlpacaClient) -> None:
        canned.answer((200, b'{"p": 100.10}'))
        assert str(ours.get_account()["p"]) == "100.10"

    def test_ours_writes_prices_as_they_are(self, canned: Canned, ours: AlpacaClient) -> None:
        ours.submit_order(ORDER)
        assert json.loads(canned.asked[0][2])["limit_price"] == "100.10"

    def test_what_is_no_number_is_no_answer(self, canned: Canned, ours: AlpacaClient) -> None:
        canned.answer((200, b'{"p": NaN}'))
        with pytest.raises(FAILURES):
            ours.get_account()


class TestErrors:
    def test_the_sdk_stumbles_over_an_error_without_a_code(self, canned: Canned, bare: Any) -> None:
        canned.answer((401, b'{"message": "unauthorized."}'))
        with pytest.raises(APIError) as caught:
            bare.get_account()
        with pytest.raises(KeyError):
            _ = caught.value.code

    def test_the_sdk_stumbles_over_a_page(self, canned: Canned, bare: Any) -> None:
        canned.answer((502, b"<html></html>"))
        with pytest.raises(APIError) as caught:
            bare.get_account()
        with pytest.raises(json.JSONDecodeError):
            _ = caught.value.message

    def test_ours_has_words_for_it(self, canned: Canned, ours: AlpacaClient) -> None:
        canned.answer((502, b"<html></html>"))
        with pytest.raises(FAILURES):
            ours.get_account()
        assert ours.last is not None
        assert words_in(ours.last) == "HTTP 502: <html></html>"

    def test_ours_leaves_the_true_answer(self, canned: Canned, ours: AlpacaClient) -> None:
        canned.answer((401, b'{"message": "unauthorized."}'))
        with pytest.raises(APIError):
            ours.get_account()
        assert ours.last is not None
        assert ours.last.status == 401


class TestImporting:
    BARE = "import alpaca.trading.client"
    OURS = (
        "import django; from django.conf import settings;"
        "settings.configure(BROKER_ENDPOINTS={}); "
        "import brokers.adapters.alpaca.client"
    )

    def _import(self, code: str) -> subprocess.CompletedProcess[str]:
        # A machine of no network: an attempt to reach it would be an error.
        offline = "import socket; socket.create_connection = socket.getaddrinfo = None; "
        command = [sys.executable, "-W", "error", "-c", offline + code]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_the_bare_sdk_warns_of_a_deprecated_library(self) -> None:
        assert "websockets.legacy is deprecated" in self._import(self.BARE).stderr

    def test_ours_is_silent_and_offline(self) -> None:
        done = self._import(self.OURS)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_warnings_of_others_are_heard_as_before(self) -> None:
        with pytest.raises(DeprecationWarning):
            warnings.warn("of somebody else", DeprecationWarning, stacklevel=1)

    def test_keys_are_not_shown(self) -> None:
        assert KEYS.secret not in repr(KEYS)
