"""What smartapi-python does by itself, and what it does in this house."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brokers.adapters.angel import login as angel_login
from brokers.adapters.angel.client import AngelClient
from brokers.adapters.angel.envelope import EnvelopeUnreadable
from brokers.adapters.angel.streams import MarketStream
from brokers.gateway import GatewayUnavailable, Refused, Unknown
from brokers.logins import LoginFailed
from brokers.streaming.protocol import StreamError
from brokers.transport import Transport
from tests.brokers.angel.canned import Canned, CannedServer
from tests.brokers.angel.market import CREDENTIALS, DEMO, AngelMarket
from tests.brokers.contract import buy, cancel_of
from tests.builders import NOW

BARE = Path(__file__).with_name("bare_sdk.py")
HOUSE = Path(__file__).parents[3]
REFUSED = '{"status":false,"message":"Symbol Not Found","errorcode":"AB1009","data":null}'
GATEWAY = '{"success":false,"message":"Invalid API Key","errorCode":"AG8004","data":""}'
TAKEN = '{"status":true,"message":"SUCCESS","errorcode":"","data":{"orderid":"1"}}'
RENEWED = TAKEN.replace('"orderid":"1"', '"jwtToken":"NEW","refreshToken":"R","feedToken":"F"')
RATE = "Access denied because of exceeding access rate"
PIN, CODE = "9876", "112233"


def answers() -> dict[str, Canned]:
    return {
        "loginByPassword": Canned(GATEWAY),
        "placeOrder": Canned(REFUSED),
        "createRule": Canned(REFUSED.replace("AB1009", "AB9006")),
        "cancelOrder": Canned("", 307, location="/moved"),
        "/moved": Canned(TAKEN),
        "getOrderBook": Canned(RATE, 403, "text/plain"),
        "details/U1": Canned(TAKEN),
        "generateTokens": Canned(RENEWED),
    }


@pytest.fixture(scope="module")
def canned() -> Iterator[CannedServer]:
    with CannedServer(answers()) as server:
        yield server


@pytest.fixture(scope="module")
def bare(canned: CannedServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The SDK alone, in a process and a directory of its own."""
    run = subprocess.run(
        [sys.executable, str(BARE), canned.url],
        cwd=tmp_path_factory.mktemp("bare"),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    line = next(each for each in run.stdout.splitlines() if each.startswith("RESULT "))
    asked = list(canned.asked)
    canned.asked.clear()
    return {**json.loads(line.removeprefix("RESULT ")), "asked": asked, "stderr": run.stderr}


@pytest.fixture
def ours(canned: CannedServer, settings: Any) -> Iterator[AngelClient]:
    """Our client at the same server."""
    settings.BROKER_ENDPOINTS = {"angel": canned.url}
    canned.asked.clear()
    with Transport() as transport:
        yield AngelClient("KEY-SECRET", transport=transport)


@pytest.fixture
def gateway_at(market: AngelMarket, canned: CannedServer, settings: Any) -> AngelMarket:
    """An account that is logged in, and whose broker answers what was canned."""
    settings.BROKER_ENDPOINTS = {"angel": canned.url}
    canned.asked.clear()
    return market


class TestImporting:
    def test_bare_it_asks_the_outside_for_its_address(self, bare: dict[str, Any]) -> None:
        assert bare["asked_at_import"] == ["https://api.ipify.org"]

    def test_here_it_is_offline_silent_and_leaves_no_file(self, tmp_path: Path) -> None:
        script = (
            "import socket, sys\n"
            f"sys.path.insert(0, {str(HOUSE)!r})\n"
            "def refuse(*a, **k): raise SystemExit('a socket was opened')\n"
            "socket.socket.connect = socket.create_connection = refuse\n"
            "socket.getaddrinfo = socket.gethostbyname = refuse\n"
            "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'trading_site.settings'\n"
            "import django; django.setup()\n"
            "import brokers.adapters.angel.gateway, brokers.adapters.angel.streams\n"
            "print('SmartApi' in sys.modules)\n"
        )
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (run.stdout.strip(), run.stderr, run.returncode) == ("True", "", 0)
        assert list(tmp_path.iterdir()) == []

    def test_the_registry_lists_the_broker_without_the_sdk(self, tmp_path: Path) -> None:
        script = (
            "import os, sys\n"
            f"sys.path.insert(0, {str(HOUSE)!r})\n"
            "os.environ['DJANGO_SETTINGS_MODULE'] = 'trading_site.settings'\n"
            "import django; django.setup()\n"
            "from brokers.registry import broker_choices\n"
            "print(dict(broker_choices())['angel'], 'SmartApi' in sys.modules)\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        assert run.stdout.strip() == "Angel One False"


class TestSecrets:
    def test_bare_a_failed_login_leaves_the_pin_in_a_file(self, bare: dict[str, Any]) -> None:
        assert bare["logs"]
        assert PIN in bare["logged"]
        assert CODE in bare["logged"]
        assert "KEY-SECRET" in bare["logged"]

    def test_here_it_leaves_nothing(
        self,
        ours: AngelClient,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(LoginFailed) as failed:
            angel_login.LOGIN.open({**CREDENTIALS, "pin": PIN}, answer={}, now=NOW)
        told = capfd.readouterr()
        said = f"{failed.value!r}{told.out}{told.err}{caplog.text}"
        assert PIN not in said
        assert CREDENTIALS["totp_secret"] not in said
        assert list(tmp_path.iterdir()) == []

    def test_bare_it_silences_every_warning_about_tls(self, bare: dict[str, Any]) -> None:
        assert bare["filters_added"] > 0

    def test_bare_it_says_to_be_somebody_else(self, bare: dict[str, Any]) -> None:
        assert bare["public_ip"] == "106.193.147.98"

    def test_here_it_says_the_registered_address(self) -> None:
        with Transport() as transport:
            client = AngelClient("K", transport=transport, public_ip="203.0.113.7")
            assert client.requestHeaders()["X-ClientPublicIP"] == "203.0.113.7"


class TestAnswers:
    def test_bare_the_gateway_s_refusal_of_a_login_is_a_key_error(
        self, bare: dict[str, Any]
    ) -> None:
        assert bare["login"] == "KeyError"

    def test_here_it_is_told_in_words(self, ours: AngelClient) -> None:
        with pytest.raises(LoginFailed, match="The API key is wrong"):
            angel_login.LOGIN.open(CREDENTIALS, answer={}, now=NOW)

    def test_bare_an_order_refused_is_nothing(self, bare: dict[str, Any]) -> None:
        assert bare["refused_order"] == "None"

    def test_here_it_is_refused_with_its_code(self, gateway_at: AngelMarket) -> None:
        outcome = gateway_at.gateway.place(buy(gateway_at.share))
        assert outcome == Refused("Symbol Not Found (AB1009)", "AB1009")

    def test_bare_a_rule_refused_is_a_type_error(self, bare: dict[str, Any]) -> None:
        assert bare["rule"] == "TypeError"

    def test_here_the_rule_s_answer_comes_back(self, ours: AngelClient) -> None:
        assert ours.create_rule({"qty": "0"})["errorcode"] == "AB9006"

    def test_bare_too_many_calls_have_lost_their_status(self, bare: dict[str, Any]) -> None:
        assert bare["rate_limited"] == "DataException 502"

    def test_here_the_true_status_is_kept(self, ours: AngelClient) -> None:
        with pytest.raises(EnvelopeUnreadable):
            ours.orderBook()
        assert ours.transport.last is not None
        assert (ours.transport.last.status, ours.transport.last.text) == (403, RATE)


class TestCalls:
    def test_bare_a_write_follows_a_redirect(self, bare: dict[str, Any]) -> None:
        assert [each for each in bare["asked"] if each.endswith("/moved")]
        assert "SUCCESS" in bare["redirected"]

    def test_here_it_does_not(self, gateway_at: AngelMarket, canned: CannedServer) -> None:
        outcome = gateway_at.gateway.cancel(cancel_of("1", gateway_at.share))
        assert isinstance(outcome, Unknown)
        assert [each for each in canned.asked if each.endswith("/moved")] == []

    def test_bare_one_order_is_asked_of_another_address(self, bare: dict[str, Any]) -> None:
        assert [each for each in bare["asked"] if "/elsewhere/" in each]

    def test_here_it_is_asked_where_it_was_told_to(
        self, ours: AngelClient, canned: CannedServer
    ) -> None:
        assert ours.individual_order_details("U1")["status"] is True
        assert canned.asked == ["GET /rest/secure/angelbroking/order/v1/details/U1"]

    def test_bare_one_socket_s_subscriptions_are_another_s_too(self, bare: dict[str, Any]) -> None:
        assert bare["inherited"] == {"1": {"1": ["3045"]}}

    def test_bare_an_order_s_fields_are_changed_under_one_s_hands(
        self, bare: dict[str, Any]
    ) -> None:
        assert bare["params_after"] == {"variety": "NORMAL"}

    def test_here_they_stay_as_they_were(self, ours: AngelClient) -> None:
        params: dict[str, object] = {"variety": "NORMAL", "squareoff": None}
        ours.place(params)
        assert params == {"variety": "NORMAL", "squareoff": None}


class TestANewToken:
    def test_bare_is_renewed_without_being_kept(self, bare: dict[str, Any]) -> None:
        assert "jwtToken" not in bare["renewed"]
        assert bare["token_after"] == "the old one"

    def test_here_comes_from_a_new_login_and_is_used(self, market: AngelMarket) -> None:
        market.stand.app.state.dialect.expire_tokens(None)
        with pytest.raises(GatewayUnavailable):
            market.gateway.funds()
        market.stand.log_in(market.account)
        assert market.gateway.funds().available > 0


class TestThePriceSocket:
    COMPLAINT = '{"errorCode": "E1002", "errorMessage": "Limit Exceeded"}'

    def test_bare_a_complaint_is_heard_by_nobody(self, bare: dict[str, Any]) -> None:
        assert bare["complaints_heard"] == []

    def test_here_it_is_told_in_words(self) -> None:
        (told,) = MarketStream({}, {}).parse(self.COMPLAINT)
        assert isinstance(told, StreamError)
        assert "1,000" in told.words

    def test_bare_its_end_is_a_type_error(self, bare: dict[str, Any]) -> None:
        assert bare["closed"] == "TypeError"

    def test_bare_who_has_unsubscribed_once_cannot_come_back(self, bare: dict[str, Any]) -> None:
        assert bare["resubscribed"] == "AttributeError"

    def test_here_one_can(self) -> None:
        stream = MarketStream({}, {})
        (first,) = stream.subscribe([DEMO])
        stream.unsubscribe([DEMO])
        (again,) = stream.subscribe([DEMO])
        asked = [json.loads(frame) for frame in (first, again)]
        assert asked[0]["params"] == asked[1]["params"]
        assert asked[0]["action"] == asked[1]["action"] == 1
