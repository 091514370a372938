"""What the bare SDK does to one, and that it does not happen here."""

import logging
import struct
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from brokers.abilities import CandleRequest
from brokers.adapters.kite.client import KiteClient
from brokers.adapters.kite.gateway import KiteGateway
from brokers.adapters.kite.sdk import KiteConnect, KiteException, KiteTicker, PacketParser
from brokers.gateway import Accepted, GatewayUnavailable, PlaceRequest, Refused, Unknown
from brokers.models import BrokerCall
from brokers.terms import OrderType
from tests.brokers.contract import buy
from tests.brokers.kite.canned import Canned, canned_server, in_a_process
from tests.brokers.kite.market import KiteMarket, share_ref

MARGIN = (
    '{"status": "error", "message": "Insufficient funds.", "data": null,'
    ' "error_type": "MarginException"}'
)


@pytest.fixture
def canned() -> Iterator[Canned]:
    with canned_server() as server:
        yield server


@pytest.fixture
def bare(canned: Canned) -> Iterator[Any]:
    """The SDK as it comes, asking the canned server."""
    with warnings.catch_warnings():
        client = KiteConnect(api_key="key", access_token="token", root=canned.url)
    yield client
    client.reqsession.close()


@pytest.fixture
def ours(kite: KiteMarket, canned: Canned, settings: Settings) -> KiteGateway:
    """A gateway that is logged in and now asks the canned server."""
    settings.BROKER_ENDPOINTS = {"kite": canned.url}
    return KiteGateway(kite.account, kite.stand.clock)


class TestImport:
    def test_the_bare_sdk_installs_a_reactor(self) -> None:
        code = "import warnings; warnings.simplefilter('ignore'); import kiteconnect;"
        code += "print('twisted.internet.reactor' in sys.modules)"
        assert in_a_process(code) == "True"

    def test_ours_leaves_twisted_alone_and_says_nothing(self) -> None:
        code = "django.setup(); import brokers.adapters.kite.gateway, brokers.adapters.kite.streams"
        code += "; print([name for name in sys.modules if name.startswith("
        code += "('twisted.internet', 'autobahn', 'kiteconnect.ticker'))])"
        assert in_a_process(code) == "[]"

    def test_another_event_loop_can_still_be_installed(self) -> None:
        code = "django.setup(); import brokers.adapters.kite.streams, warnings;"
        code += "warnings.simplefilter('ignore'); from twisted.internet import asyncioreactor;"
        code += "asyncioreactor.install(); print('installed')"
        assert in_a_process(code) == "installed"

    def test_who_wants_the_whole_sdk_still_gets_it(self) -> None:
        code = "django.setup(); import brokers.adapters.kite.client as ours, warnings;"
        code += "warnings.simplefilter('ignore'); import kiteconnect;"
        code += "print(issubclass(ours.KiteClient, kiteconnect.KiteConnect),"
        code += " kiteconnect.KiteTicker.__module__)"
        assert in_a_process(code) == "True kiteconnect.ticker"

    def test_the_registry_names_kite_without_its_sdk(self) -> None:
        code = "django.setup(); from brokers.registry import brokers;"
        code += "print('kite' in [each.name for each in brokers()],"
        code += " 'brokers.adapters.kite.client' in sys.modules)"
        assert in_a_process(code) == "True False"


class TestConstruction:
    def test_the_bare_sdk_silences_warnings_of_the_whole_process(self, canned: Canned) -> None:
        with warnings.catch_warnings():
            before = list(warnings.filters)
            KiteConnect(api_key="key", root=canned.url)
            assert list(warnings.filters) != before

    def test_ours_does_not(self, canned: Canned) -> None:
        before = list(warnings.filters)
        KiteClient(api_key="key")
        assert list(warnings.filters) == before


class TestErrors:
    def test_the_bare_sdk_has_no_class_for_want_of_money(self, bare: Any, canned: Canned) -> None:
        canned.answer(MARGIN, 400)
        with pytest.raises(KiteException) as caught:
            bare.orders()
        assert type(caught.value).__name__ == "GeneralException"

    def test_ours_is_a_proven_refusal(self, ours: KiteGateway, canned: Canned) -> None:
        canned.answer(MARGIN, 400)
        outcome = ours.place(buy_share())
        assert outcome == Refused("Insufficient funds.", "HTTP 400 MarginException")

    def test_the_bare_sdk_stumbles_over_an_error_without_a_type(
        self, bare: Any, canned: Canned
    ) -> None:
        canned.answer('{"status": "error", "message": "?"}', 400)
        with pytest.raises(TypeError):
            bare.orders()

    def test_ours_calls_a_write_unknown_and_a_read_unavailable(
        self, ours: KiteGateway, canned: Canned
    ) -> None:
        canned.answer('{"status": "error", "message": "?"}', 400)
        assert isinstance(ours.place(buy_share()), Unknown)
        with pytest.raises(GatewayUnavailable):
            ours.orders()

    def test_the_bare_sdk_takes_a_page_of_a_200_for_a_502(self, bare: Any, canned: Canned) -> None:
        canned.answer("<html></html>", 200, "text/html")
        with pytest.raises(KiteException) as caught:
            bare.orders()
        assert caught.value.code == 502

    @pytest.mark.parametrize(
        ("status", "kind"), [(200, "text/html"), (502, "text/html"), (200, "")]
    )
    def test_ours_knows_what_came(
        self, ours: KiteGateway, canned: Canned, status: int, kind: str
    ) -> None:
        canned.answer("<html></html>", status, kind)
        outcome = ours.place(buy_share())
        assert isinstance(outcome, Unknown)
        assert str(status) in outcome.evidence

    def test_the_bare_sdk_stumbles_over_null(self, bare: Any, canned: Canned) -> None:
        canned.answer('{"status": "success", "data": null}')
        with pytest.raises(UnboundLocalError):
            bare.orders()

    @pytest.mark.parametrize("read", ["orders", "trades", "positions", "holdings", "funds"])
    @pytest.mark.parametrize(
        "body", ['{"status": "success", "data": null}', '{"status": "success"}', "[]", "{", ""]
    )
    def test_ours_never_takes_nonsense_for_nothing(
        self, ours: KiteGateway, canned: Canned, read: str, body: str
    ) -> None:
        canned.answer(body)
        with pytest.raises(GatewayUnavailable):
            getattr(ours, read)()


class TestRedirects:
    def test_the_bare_sdk_sends_an_order_wherever_it_is_told_to(
        self, bare: Any, canned: Canned
    ) -> None:
        canned.answer("", 307)
        canned.location = "/elsewhere"
        with pytest.raises(Exception, match="redirects"):
            place_bare(bare)
        assert len(canned.requests) > 1

    def test_ours_sends_it_once(self, ours: KiteGateway, canned: Canned) -> None:
        canned.answer("", 307)
        canned.location = "/elsewhere"
        assert isinstance(ours.place(buy_share()), Unknown)
        assert canned.requests == ["POST /orders/regular"]


class TestNumbersAndTimes:
    ORDERS = (
        '{"status": "success", "data": [{"order_id": "1", "status": "OPEN", "exchange": "NSE",'
        ' "instrument_token": 408065, "order_type": "LIMIT", "transaction_type": "BUY",'
        ' "product": "MIS", "quantity": 1, "price": 100.1, "filled_quantity": 0,'
        ' "order_timestamp": "2026-06-17 10:30:00"}]}'
    )

    def test_the_bare_sdk_makes_floats_and_times_without_a_zone(
        self, bare: Any, canned: Canned
    ) -> None:
        canned.answer(self.ORDERS)
        (row,) = bare.orders()
        assert isinstance(row["price"], float)
        assert row["order_timestamp"].tzinfo is None

    def test_ours_are_exact_and_aware(self, ours: KiteGateway, canned: Canned) -> None:
        canned.answer(self.ORDERS)
        (order,) = ours.orders()
        assert order.price == Decimal("100.1")
        assert order.updated_at == datetime(2026, 6, 17, 5, 0, tzinfo=UTC)

    def test_the_bare_sdk_asks_for_candles_of_another_hour(self, bare: Any, canned: Canned) -> None:
        canned.answer('{"status": "success", "data": {"candles": []}}')
        at = datetime(2026, 6, 17, 5, 0, tzinfo=UTC)
        bare.historical_data(1, at, at, "minute")
        assert "from=2026-06-17+05%3A00%3A00" in canned.requests[0]

    def test_ours_asks_by_india_s_clock(
        self, ours: KiteGateway, kite: KiteMarket, canned: Canned
    ) -> None:
        canned.answer('{"status": "success", "data": {"candles": []}}')
        at = datetime(2026, 6, 17, 5, 0, tzinfo=UTC)
        ours.candles(CandleRequest(kite.share, "1m", at, at + timedelta(minutes=1)))
        assert "from=2026-06-17+10%3A30%3A00" in canned.requests[0]


class TestProtection:
    def test_the_bare_sdk_s_market_order_is_refused(self, kite: KiteMarket) -> None:
        with warnings.catch_warnings():
            client = KiteConnect(api_key="kitedemo", root=kite.stand.server.url)
        client.set_access_token(next(iter(kite.stand.desk.sessions._access)))
        with pytest.raises(KiteException, match="market protection"):
            place_bare(client, order_type="MARKET")
        client.reqsession.close()

    def test_ours_is_taken(self, kite: KiteMarket) -> None:
        request = buy(kite.share, order_type=OrderType.MARKET, price=None)
        assert isinstance(kite.gateway.place(request), Accepted)


class TestSecrets:
    def test_the_bare_sdk_logs_its_token(
        self, canned: Canned, caplog: pytest.LogCaptureFixture
    ) -> None:
        with warnings.catch_warnings():
            client = KiteConnect("key", "sesame", root=canned.url, debug=True)
        with caplog.at_level(logging.DEBUG):
            client.profile()
        client.reqsession.close()
        assert "sesame" in caplog.text

    def test_ours_neither_logs_nor_writes_it(
        self, ours: KiteGateway, kite: KiteMarket, caplog: pytest.LogCaptureFixture
    ) -> None:
        (token,) = kite.stand.desk.sessions._access
        with caplog.at_level(logging.DEBUG):
            ours.place(buy_share())
        assert token not in caplog.text
        assert not [call for call in BrokerCall.objects.all() if token in str(vars(call))]


class TestPacketTrap:
    FULL = bytes(4) + b"\x00\x00\x27\x10" + bytes(176)

    def test_the_bare_parser_takes_a_stump_for_a_packet(self) -> None:
        frame = b"\x00\x01" + b"\x00\xb8" + self.FULL[:8]
        (told,) = KiteTicker._parse_binary(PacketParser(), frame)
        assert told["mode"] == "ltp"

    def test_the_bare_parser_tells_the_time_of_its_machine(self) -> None:
        packet = struct.pack(">8I", 256265, 100, 1, 1, 1, 1, 0, 1_800_000_000)
        frame = b"\x00\x01\x00\x20" + packet
        code = "import warnings; warnings.simplefilter('ignore'); import kiteconnect;"
        code += f"told = object.__new__(kiteconnect.KiteTicker)._parse_binary({frame!r})[0];"
        code += "print(told['exchange_timestamp'].tzinfo)"
        assert in_a_process(code) == "None"
        (ours,) = PacketParser().read(frame)
        assert ours["exchange_timestamp"] == datetime.fromtimestamp(1_800_000_000, UTC)

    def test_the_bare_parser_s_prices_are_floats(self) -> None:
        class Bare(KiteTicker):  # type: ignore[misc]
            def __init__(self) -> None:
                """Open nothing."""

        (told,) = Bare()._parse_binary(b"\x00\x01\x00\x08" + self.FULL[:8])
        assert isinstance(told["last_price"], float)

    def test_ours_are_exact(self) -> None:
        (told,) = PacketParser().read(b"\x00\x01\x00\x08" + self.FULL[:8])
        assert told["last_price"] == Decimal(100)
        assert isinstance(told["last_price"], Decimal)


def buy_share() -> PlaceRequest:
    return buy(share_ref())


def place_bare(client: Any, order_type: str = "LIMIT") -> Any:
    return client.place_order(
        "regular", "NSE", "INFY", "BUY", 1, "MIS", order_type, price=100, tag="T1"
    )
