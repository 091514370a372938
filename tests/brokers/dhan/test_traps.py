"""What the bare SDK does, and what ours does in its place: each trap shown both ways."""

import asyncio
import contextlib
import json
import logging
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from dhanhq import DhanContext, DhanLogin, OrderUpdate, dhanhq
from django.conf import settings as house_settings
from pytest_django.fixtures import Settings
from websockets.exceptions import ConnectionClosed

from brokers.abilities import BracketRequest, ConvertRequest
from brokers.adapters.dhan.client import DhanClient
from brokers.adapters.dhan.login import LOGIN
from brokers.gateway import Accepted, GatewayUnavailable, Refused, Unknown
from brokers.logins import LoginFailed
from brokers.models import ConnectionStatus
from brokers.simulator.dhan.tokens import CLIENT, PIN
from brokers.terms import OrderType, Product, Side
from brokers.transport import Transport
from tests.brokers.contract import buy, placed
from tests.brokers.dhan.market import CREDENTIALS, SHARE, TOKEN, DhanMarket, DhanStand

CLOSED_PORT = "http://127.0.0.1:9"


def bare_sdk(dhan: DhanStand, token: str = TOKEN):
    context = DhanContext(CLIENT, token)
    context.get_dhan_http().base_url = f"{dhan.server.url}/v2"
    return dhanhq(context)


def bare_order(sdk, **changes: object):
    asked = {
        "security_id": SHARE,
        "exchange_segment": "NSE_EQ",
        "transaction_type": "BUY",
        "quantity": 10,
        "order_type": "LIMIT",
        "product_type": "INTRADAY",
        "price": 100,
    }
    return sdk.place_order(**{**asked, **changes})


class TestALostAnswer:
    """An order that was taken, and whose answer never came."""

    def test_looks_like_a_refusal_to_the_bare_sdk(self, dhan: DhanStand) -> None:
        dhan.faults.arm("drop_reply", match="POST /v2/orders")
        lost = bare_order(bare_sdk(dhan))
        refused = bare_order(bare_sdk(dhan), quantity=0)
        assert lost["status"] == refused["status"] == "failure"
        assert len(dhan.broker.orders(CLIENT)) == 1

    def test_is_unknown_here(self, market: DhanMarket) -> None:
        market.stand.faults.arm("drop_reply", match="POST /v2/orders")
        assert isinstance(market.gateway.place(buy(market.share)), Unknown)
        assert len(market.stand.broker.orders(CLIENT)) == 1

    def test_is_not_waited_for_a_minute(self, market: DhanMarket) -> None:
        assert bare_sdk(market.stand).dhan_http.timeout == 60
        assert market.own._transport.manners.read_timeout <= 10


class TestTheStatus:
    def test_is_lost_in_the_bare_sdk(self, dhan: DhanStand) -> None:
        dhan.faults.arm("server_error_after", match="POST /v2/orders")
        told = bare_order(bare_sdk(dhan))
        assert told["status"] == "failure"
        assert "502" not in str(told)

    def test_is_told_here(self, market: DhanMarket) -> None:
        market.stand.faults.arm("server_error_after", match="POST /v2/orders")
        outcome = market.gateway.place(buy(market.share))
        assert isinstance(outcome, Unknown)
        assert "502" in outcome.evidence


class TestAnEmptyAnswer:
    def test_is_a_failure_to_the_bare_sdk(self, market: DhanMarket) -> None:
        self._hold(market)
        told = bare_sdk(market.stand).convert_position(
            "INTRADAY", "NSE_EQ", "LONG", SHARE, 10, "CNC"
        )
        assert told["status"] == "failure"
        assert "Expecting value" in told["remarks"]

    def test_of_the_depository_breaks_the_bare_sdk(self, dhan: DhanStand) -> None:
        with pytest.raises(TypeError):
            bare_sdk(dhan).generate_tpin()

    def test_takes_a_conversion_here(self, market: DhanMarket) -> None:
        self._hold(market)
        asked = ConvertRequest(market.share, Side.BUY, 10, Product.MIS, Product.CNC)
        assert isinstance(market.own.convert(asked), Accepted)

    def test_of_the_depository_is_fine_here(self, market: DhanMarket) -> None:
        market.own.ask_for_tpin()
        assert market.stand.requests("*tpin") == ["GET /v2/edis/tpin"]

    def _hold(self, market: DhanMarket) -> None:
        market.trade("101.00")
        placed(market.gateway.place(buy(market.share)))
        market.trade("99.00", volume=1000)


class TestADataError:
    """The data API words its errors otherwise: {"data": {"807": "..."}, "status": "failed"}."""

    def test_loses_its_code_in_the_bare_sdk(self, dhan: DhanStand) -> None:
        told = bare_sdk(dhan, "stale").quote_data({"NSE_EQ": [int(SHARE)]})
        assert told["status"] == "failure"
        assert told["remarks"]["error_code"] is None
        assert "807" not in str(told)

    def test_of_a_missing_subscription_is_told_here(self, market: DhanMarket) -> None:
        market.stand.house.without_data.add(CLIENT)
        with pytest.raises(GatewayUnavailable, match="no subscription to the data API"):
            market.own.quotes([market.share])
        assert market.own.orders() == []

    def test_is_told_here_and_ends_the_session(self, market: DhanMarket) -> None:
        market.stand.house.tokens.expire(None)
        with pytest.raises(GatewayUnavailable, match="807"):
            market.own.quotes([market.share])
        market.account.connection.refresh_from_db()
        assert market.account.connection.status == ConnectionStatus.EXPIRED


class TestNoHoldings:
    def test_is_a_failure_to_the_bare_sdk(self, dhan: DhanStand) -> None:
        told = bare_sdk(dhan).get_holdings()
        assert (told["status"], told["remarks"]["error_code"]) == ("failure", "DH-1111")

    def test_is_none_here(self, market: DhanMarket) -> None:
        assert list(market.gateway.holdings()) == []


class TestTheContext:
    def test_swallows_its_own_failure_in_the_bare_sdk(self) -> None:
        context = DhanContext(CLIENT, TOKEN, pool={"nonsense": 1})
        with pytest.raises(AttributeError):
            context.get_dhan_login()

    def test_is_not_used_here(self) -> None:
        wrong: Any = {"pool": {"nonsense": 1}}
        with pytest.raises(TypeError):
            DhanClient(CLIENT, TOKEN, transport=Transport(), **wrong)


class TestThePayload:
    def test_of_the_bare_sdk_holds_nulls(self, dhan: DhanStand) -> None:
        bare_order(bare_sdk(dhan))
        assert json.loads(dhan.body("POST /v2/orders"))["boProfitValue"] is None

    def test_is_changed_under_one_s_hands_by_the_bare_sdk(self, dhan: DhanStand) -> None:
        payload = {"quantity": 1}
        bare_sdk(dhan).dhan_http.post("/orders", payload)
        assert payload == {"quantity": 1, "dhanClientId": CLIENT}

    def test_stays_as_it_was_here(self, dhan: DhanStand) -> None:
        payload = {"quantity": 1}
        with Transport() as transport:
            DhanClient(CLIENT, TOKEN, transport=transport).place_super(payload)
        assert payload == {"quantity": 1}

    def test_holds_none_here_and_exact_prices(self, market: DhanMarket) -> None:
        market.gateway.place(buy(market.share, price=Decimal("100.05")))
        sent = market.stand.body("POST /v2/orders")
        assert b"null" not in sent
        assert b'"price": 100.05' in sent

    def test_with_more_digits_than_a_float_has_is_not_sent(self, market: DhanMarket) -> None:
        exact = buy(market.share, price=Decimal("100.0500000000000000001"))
        outcome = market.gateway.place(exact)
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"
        assert market.stand.requests("POST /v2/orders") == []


class TestASuperOrderAtTheMarket:
    def test_needs_a_price_in_the_bare_sdk(self, dhan: DhanStand) -> None:
        with pytest.raises(ValueError, match="required"):
            bare_sdk(dhan).place_super_order(
                SHARE, "NSE_EQ", "BUY", 10, "MARKET", "INTRADAY", 0, 110, 95
            )

    def test_needs_none_here(self, market: DhanMarket) -> None:
        entry = buy(market.share, order_type=OrderType.MARKET, price=None)
        bracket = BracketRequest(entry, stop_loss=Decimal(95), target=Decimal(110))
        assert isinstance(market.own.place_bracket(bracket), Accepted)


class TestTheLogin:
    def test_of_the_bare_sdk_writes_the_pin_into_the_log(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        login = DhanLogin(CLIENT)
        login.AUTH_BASE_URL = CLOSED_PORT
        with caplog.at_level(logging.DEBUG), pytest.raises(OSError, match=PIN):
            login.generate_token(PIN, "123456")
        assert PIN in caplog.text

    def test_shows_no_secret_here(
        self, caplog: pytest.LogCaptureFixture, dhan: DhanStand, settings: Settings
    ) -> None:
        settings.BROKER_ENDPOINTS = {"dhan": CLOSED_PORT}
        with caplog.at_level(logging.DEBUG), pytest.raises(LoginFailed) as failed:
            LOGIN.open(CREDENTIALS, answer={}, now=dhan.clock())
        told = caplog.text + str(failed.value) + repr(failed.value.__cause__)
        assert PIN not in told
        assert "totp" not in told


class TestTheDepositorySForm:
    def test_is_a_file_and_a_browser_to_the_bare_sdk(
        self, dhan: DhanStand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened: list[str] = []
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("dhanhq._security.web_open", opened.append)
        bare_sdk(dhan).open_browser_for_tpin("INE000A01001", 5, "NSE")
        assert [each.name for each in tmp_path.iterdir()] == ["temp_form.html"]
        assert len(opened) == 1

    def test_is_a_page_here(
        self, market: DhanMarket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert "<form" in market.own.authorisation_page("INE000A01001", 5)
        assert list(tmp_path.iterdir()) == []


class TestTheOrderSocket:
    def test_of_the_bare_sdk_prints_the_token(
        self, dhan: DhanStand, capsys: pytest.CaptureFixture[str]
    ) -> None:
        updates = OrderUpdate(DhanContext(CLIENT, "a-secret-token"))
        updates.order_feed_wss = dhan.server.ws_url
        with contextlib.suppress(ConnectionClosed):
            asyncio.run(updates.connect_order_update())
        assert "a-secret-token" in capsys.readouterr().out


class TestImporting:
    def test_is_silent_and_offline(self, tmp_path: Path) -> None:
        """In a process of its own, where every connection would fail."""
        script = (
            "import socket\n"
            "def refuse(*_, **__): raise OSError('no network here')\n"
            "socket.socket.connect = refuse\n"
            "socket.getaddrinfo = refuse\n"
            "import brokers.adapters.dhan.client\n"
        )
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script],
            cwd=tmp_path,
            env={"PYTHONPATH": str(house_settings.BASE_DIR), "PATH": ""},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert list(tmp_path.iterdir()) == []

    def test_of_the_package_loads_no_sdk(self) -> None:
        script = "import brokers.adapters.dhan, sys; print('dhanhq' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=house_settings.BASE_DIR,
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.strip() == b"False"
