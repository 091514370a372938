"""What Kite's own recorded answers mean here."""

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pytest_django import Settings

from brokers.abilities import TriggerLeg, TriggerStatus
from brokers.adapters.kite import market, outcomes, postbacks, reports
from brokers.adapters.kite.client import KiteClient
from brokers.adapters.kite.sdk import PacketParser
from brokers.capabilities import TriggerKind
from brokers.gateway import Accepted, BrokerStatus, OrderReport, Refused
from brokers.terms import OrderType, Product, Side, Validity
from brokers.transport import Exchange
from market.importing import kite as kite_master
from market.importing.reading import open_source
from market.importing.rows import Listed
from tests.brokers.kite.canned import canned_server
from tests.brokers.kite.recorded import (
    FOLDER,
    key_of,
    needs_recordings,
    recorded,
    recorded_data,
    recorded_names,
)

pytestmark = needs_recordings
AT = datetime(2026, 6, 17, 5, 0, tzinfo=UTC)
SBIN, INFY = "NSE:779521", "NSE:408065"


def orders() -> dict[str, OrderReport]:
    told = reports.order_reports(recorded_data("orders.json"), key_of=key_of, at=AT)
    return {each.broker_order_id: each for each in told}


def exchange_of(name: str) -> Exchange:
    body = recorded(name).encode()
    return Exchange("POST", "api.kite.trade", "/orders/regular", 200, 5, body, "application/json")


class TestOrders:
    def test_every_order_is_read(self) -> None:
        assert len(orders()) == len(recorded_data("orders.json"))

    def test_a_cancelled_order(self) -> None:
        order = orders()["100000000000000"]
        assert (order.status, order.filled_quantity) == (BrokerStatus.CANCELLED, 0)
        assert (order.price, order.average_price, order.trigger_price) == (72, None, None)
        assert order.updated_at == datetime(2021, 5, 31, 3, 48, 58, tzinfo=UTC)
        assert order.placed_at == datetime(2021, 5, 31, 3, 45, 38, tzinfo=UTC)

    def test_a_filled_order_has_its_exact_price(self) -> None:
        order = orders()["500000000000000"]
        assert (order.status, order.filled_quantity) == (BrokerStatus.FILLED, 1)
        assert (order.side, order.order_type, order.price) == (Side.SELL, OrderType.MARKET, None)
        assert order.average_price == Decimal("109.35")

    def test_a_refusal_by_risk_management_is_told_in_its_words(self) -> None:
        order = orders()["220524001859672"]
        assert order.status is BrokerStatus.REJECTED
        assert order.message.startswith("Insufficient funds. Required margin is 95417.84")
        assert (order.tag, order.validity) == ("icebergord", Validity.DAY)

    def test_marks_of_kite_are_not_tags(self) -> None:
        assert orders()["1953341975595868160"].tag == ""
        assert orders()["1953367517686685697"].tag == ""

    def test_a_margin_traded_order(self) -> None:
        assert orders()["250117800776785"].product is Product.MTF

    def test_a_history_walks_from_the_desk_to_the_exchange_and_through_a_change(self) -> None:
        told = reports.history_reports(recorded_data("order_info.json"), key_of=key_of, at=AT)
        assert [each.status for each in told] == [
            *[BrokerStatus.PLACED] * 3,
            *[BrokerStatus.OPEN] * 5,
        ]
        assert {each.instrument_key for each in told} == {SBIN}

    @pytest.mark.parametrize("name", ["order_response.json", "order_modify.json"])
    def test_an_answer_that_names_the_order(self, name: str) -> None:
        assert outcomes.judge(exchange_of(name), at=AT) == Accepted("151220000000000", AT)

    def test_slices_are_taken_and_refused_one_by_one(self) -> None:
        told = outcomes.judge_slices(exchange_of("autoslice_response.json"), at=AT)
        assert [type(each) for each in told] == [Accepted, Accepted, Refused, Accepted]
        assert told[0] == Accepted("1914227164534824960", AT)

    def test_a_conversion_is_true(self) -> None:
        told = outcomes.judge(exchange_of("convert_position.json"), at=AT, named="")
        assert isinstance(told, Accepted)

    @pytest.mark.parametrize("name", ["place", "modify", "delete"])
    def test_a_trigger_is_named_by_a_number(self, name: str) -> None:
        exchange = exchange_of(f"gtt_{name}_order.json")
        assert outcomes.judge(exchange, at=AT, named="trigger_id") == Accepted("123", AT)


class TestBooks:
    @pytest.mark.parametrize(("name", "count"), [("trades.json", 4), ("order_trades.json", 1)])
    def test_trades(self, name: str, count: int) -> None:
        told = reports.trade_reports(recorded_data(name), key_of=key_of, at=AT)
        assert len({each.trade_id for each in told}) == count

    def test_a_trade_has_its_exact_price_and_time(self) -> None:
        first, second, *_ = reports.trade_reports(
            recorded_data("trades.json"), key_of=key_of, at=AT
        )
        assert (first.price, first.quantity, first.side) == (Decimal("420.65"), 1, Side.BUY)
        assert first.traded_at == datetime(2021, 5, 31, 3, 46, 39, tzinfo=UTC)
        assert first.exchange_trade_id == "10000000"
        assert second.price == Decimal("72.755")

    def test_positions_with_what_closing_brought(self) -> None:
        told = reports.position_reports(recorded_data("positions.json"), key_of=key_of)
        assert [(each.quantity, each.realized_pnl) for each in told] == [(1, 0), (0, 801), (0, -2)]
        assert told[0].average_price == Decimal("161.05")

    def test_holdings_with_four_decimals_of_average(self) -> None:
        told = reports.holding_reports(recorded_data("holdings.json"), key_of=key_of)
        assert [(each.quantity, each.t1_quantity) for each in told] == [(1, 0), (16, 0)]
        assert told[1].average_price == Decimal("801.7812")
        assert told[1].instrument_key == "BSE:128028676"

    @pytest.mark.parametrize("name", ["holdings_compact.json", "auctions_list.json"])
    def test_lists_of_holdings_with_fewer_or_other_fields(self, name: str) -> None:
        data = recorded_data(name)
        assert len(reports.holding_reports(data, key_of=key_of)) == len(data)

    def test_money_of_the_equity_segment(self) -> None:
        funds = reports.funds_report(recorded_data("margins.json"))
        assert funds.cash == Decimal("245431.6")
        assert funds.margin_used == Decimal("145706.55")
        assert funds.available == Decimal("99725.05")

    @pytest.mark.parametrize("name", ["margins_equity.json", "margin_commodity.json"])
    def test_money_of_one_segment(self, name: str) -> None:
        assert reports.funds_report(recorded_data(name)).available > 0

    def test_a_margin(self) -> None:
        margin = reports.margin_report(recorded_data("order_margins.json"))
        assert (margin.total, margin.var, margin.span) == (1498, 1498, 0)

    @pytest.mark.parametrize("name", ["profile.json", "full_profile.json", "generate_session.json"])
    def test_a_profile(self, name: str) -> None:
        profile = market.profile_report(recorded_data(name))
        assert profile.client_code
        assert "NSE" in profile.exchanges


class TestTriggers:
    def test_a_waiting_one_and_a_failed_one(self) -> None:
        waiting, failed = market.trigger_reports(
            recorded_data("gtt_get_orders.json"), key_of=key_of
        )
        assert (waiting.kind, waiting.status) == (TriggerKind.SINGLE, TriggerStatus.ACTIVE)
        assert waiting.legs[0] == TriggerLeg(Decimal(702), Decimal("702.5"), 1)
        assert waiting.instrument_key == INFY
        assert (failed.kind, failed.status) == (TriggerKind.OCO, TriggerStatus.TRIGGERED)
        assert failed.message.startswith("Your order price is lower")
        assert failed.order_ids == ()

    def test_one_alone(self) -> None:
        told = market.trigger_report(recorded_data("gtt_get_order.json"), key_of=key_of)
        assert told.trigger_id == "123"


class TestPrices:
    @pytest.mark.parametrize(
        ("name", "price"),
        [("quote.json", "1412.95"), ("ohlc.json", "1075"), ("ltp.json", "1074.35")],
    )
    def test_each_kind_of_quote(self, name: str, price: str) -> None:
        told = market.quote_reports(recorded_data(name), keys={"NSE:INFY": INFY}, at=AT)
        assert told[INFY].ltp == Decimal(price)

    def test_a_full_quote(self) -> None:
        quotes = market.quote_reports(recorded_data("quote.json"), keys={"NSE:INFY": INFY}, at=AT)
        quote = quotes[INFY]
        assert quote.at == datetime(2021, 6, 8, 10, 15, 56, tzinfo=UTC)
        assert (quote.bids, len(quote.asks)) == ((), 1)
        assert quote.lower_circuit == Decimal("1250.7")

    @pytest.mark.parametrize(
        ("name", "interest"), [("historical_minute.json", None), ("historical_oi.json", 13667775)]
    )
    def test_candles(self, name: str, interest: int | None) -> None:
        told = market.candles(recorded_data(name)["candles"])
        assert len(told) == 6
        assert told[0].open_interest == interest
        assert told[0].at.astimezone(UTC).time().isoformat() == "03:45:00"

    @pytest.mark.parametrize("name", ["instruments_all.csv", "instruments_nse.csv"])
    def test_the_master_is_importable(self, name: str) -> None:
        with (FOLDER / name).open("rb") as file:
            rows = list(kite_master.kite_rows(open_source(file, name=name)))
        left_out = [row.reason for row in rows if not isinstance(row, Listed)]
        # The list is of 2017, when Kite left the underlying of some contracts empty.
        assert set(left_out) <= {"The underlying is missing"}
        assert len(left_out) < len(rows) / 3


class TestPostback:
    def test_it_names_the_order(self) -> None:
        news = postbacks.read(recorded("postback.json").encode())
        assert (news.broker_order_id, news.event_type) == ("220303000308932", "COMPLETE")

    def test_its_checksum_is_not_that_of_another_secret(self) -> None:
        body = recorded("postback.json").encode()
        assert postbacks.verify(body, {}, {"api_secret": "another"}) is False

    def test_it_is_an_order_report_too(self) -> None:
        row = recorded_data("postback.json")
        report = reports.order_report(row, key_of=key_of, at=AT)
        assert (report.status, report.average_price) == (BrokerStatus.FILLED, 470)


class TestEveryAnswer:
    """Whatever the vendor recorded goes through the SDK over our transport."""

    @pytest.mark.parametrize("name", recorded_names(".json"))
    def test_it_is_read_without_loss(self, name: str, settings: Settings) -> None:
        told = json.loads(recorded(name), parse_float=Decimal)
        if "data" not in told:
            pytest.skip("not an answer of the REST interface")
        with canned_server() as canned:
            settings.BROKER_ENDPOINTS = {"kite": canned.url}
            canned.answer(recorded(name))
            client = KiteClient(api_key="key", access_token="token")
            assert client.mf_orders() == told["data"]
            client.reqsession.close()


class TestEveryFile:
    @pytest.mark.parametrize("name", recorded_names(".csv"))
    def test_the_sdk_reads_it_over_our_transport(self, name: str, settings: Settings) -> None:
        with canned_server() as canned:
            settings.BROKER_ENDPOINTS = {"kite": canned.url}
            canned.answer(recorded(name), content_type="text/csv")
            client = KiteClient(api_key="key", access_token="token")
            told = client.mf_instruments() if name.startswith("mf") else client.instruments()
            assert len(told) == len(recorded(name).strip().splitlines()) - 1
            client.reqsession.close()


class TestPackets:
    @pytest.mark.parametrize("mode", ["full", "quote"])
    def test_a_packet_says_what_the_vendor_says_it_does(self, mode: str) -> None:
        packet = base64.b64decode(recorded(f"ticker_{mode}.packet"))
        expected = json.loads(recorded(f"ticker_{mode}.json"), parse_float=Decimal)
        told = read_packet(packet)
        assert told["last_price"] == expected["last_price"]
        assert told["volume_traded"] == expected["volume"]
        assert told["ohlc"] == expected["ohlc"]
        assert told.get("depth") == expected.get("depth")
        if mode == "full":
            assert told["exchange_timestamp"] == datetime.fromisoformat(expected["timestamp"])


def read_packet(packet: bytes) -> dict[str, object]:
    frame = b"\x00\x01" + len(packet).to_bytes(2, "big") + packet
    (told,) = PacketParser().read(frame)
    return told
