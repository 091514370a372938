"""Dhan's words and rows, read without a guess."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from brokers.adapters.dhan import rows, words
from brokers.adapters.dhan.answers import read_answer
from brokers.adapters.dhan.words import Unsendable
from brokers.directory import install_directory, installed_directory
from brokers.gateway import BrokerStatus
from brokers.terms import InstrumentType, OrderType, Product, Segment, Side, Validity
from brokers.transport import Exchange
from brokers.values import Unreadable
from tests.brokers.dhan.market import CRUDE, SHARE, DhanStand

ORDER = {
    "dhanClientId": "1100000001",
    "orderId": "112111182198",
    "exchangeOrderId": "0",
    "correlationId": "TAG1",
    "orderStatus": "PENDING",
    "transactionType": "BUY",
    "exchangeSegment": "NSE_EQ",
    "productType": "INTRADAY",
    "orderType": "LIMIT",
    "validity": "DAY",
    "tradingSymbol": "TESTCO",
    "securityId": SHARE,
    "quantity": 10,
    "disclosedQuantity": 0,
    "price": Decimal("100.05"),
    "triggerPrice": Decimal("0.0"),
    "afterMarketOrder": False,
    "createTime": "2026-11-20 10:30:00",
    "updateTime": "2026-11-20 10:30:01",
    "exchangeTime": "0001-01-01 00:00:00",
    "omsErrorCode": "0",
    "omsErrorDescription": "CONFIRMED",
    "remainingQuantity": 10,
    "averageTradedPrice": 0,
    "filledQty": 0,
}


@pytest.fixture
def numbers(dhan: DhanStand) -> rows.Numbers:
    return rows.Numbers()


def read(numbers: rows.Numbers, **changes: object):
    return rows.order_report({**ORDER, **changes}, numbers)


class TestAnOrder:
    @pytest.mark.parametrize(
        "changes",
        [
            {"orderStatus": "HALF_DONE"},
            {"orderStatus": None},
            {"productType": "EXOTIC"},
            {"orderType": ""},
            {"validity": "GTD"},
            {"transactionType": "HOLD"},
            {"exchangeSegment": "LSE_EQ"},
            {"securityId": "", "tradingSymbol": None},
            {"orderId": None},
            {"quantity": "ten"},
            {"quantity": Decimal("1.5")},
            {"quantity": True},
            {"price": "NaN"},
            {"updateTime": "yesterday"},
            {"updateTime": "", "createTime": None},
            {"filledQty": None, "remainingQuantity": None},
        ],
        ids=str,
    )
    def test_that_says_something_unknown_is_not_read(
        self, numbers: rows.Numbers, changes: dict[str, object]
    ) -> None:
        with pytest.raises(Unreadable):
            read(numbers, **changes)

    @pytest.mark.parametrize(
        ("told", "status"),
        [
            ({"orderStatus": "TRANSIT"}, BrokerStatus.PLACED),
            ({}, BrokerStatus.OPEN),
            ({"orderStatus": "pending"}, BrokerStatus.OPEN),
            ({"orderType": "STOP_LOSS"}, BrokerStatus.TRIGGER_PENDING),
            ({"orderType": "STOP_LOSS_MARKET"}, BrokerStatus.TRIGGER_PENDING),
            ({"orderType": "STOP_LOSS", "filledQty": 4}, BrokerStatus.PARTIALLY_FILLED),
            ({"filledQty": 4}, BrokerStatus.PARTIALLY_FILLED),
            ({"afterMarketOrder": True}, BrokerStatus.QUEUED_AMO),
            ({"afterMarketOrder": True, "exchangeOrderId": "1200"}, BrokerStatus.OPEN),
            ({"orderStatus": "PART_TRADED", "filledQty": 4}, BrokerStatus.PARTIALLY_FILLED),
            ({"orderStatus": "TRADED", "filledQty": 10}, BrokerStatus.FILLED),
            ({"orderStatus": "TRADED", "filledQty": 4}, BrokerStatus.PARTIALLY_FILLED),
            ({"orderStatus": "CANCELLED", "filledQty": 4}, BrokerStatus.CANCELLED),
            ({"orderStatus": "REJECTED"}, BrokerStatus.REJECTED),
            ({"orderStatus": "EXPIRED"}, BrokerStatus.EXPIRED),
            ({"orderStatus": "CLOSED", "filledQty": 10}, BrokerStatus.FILLED),
        ],
        ids=str,
    )
    def test_has_the_status_its_row_says(
        self, numbers: rows.Numbers, told: dict[str, object], status: BrokerStatus
    ) -> None:
        assert read(numbers, **told).status is status

    def test_is_read_whole(self, numbers: rows.Numbers) -> None:
        report = read(numbers)
        assert (report.broker_order_id, report.tag) == ("112111182198", "TAG1")
        assert (report.side, report.product, report.validity) == (
            Side.BUY,
            Product.MIS,
            Validity.DAY,
        )
        assert report.price == Decimal("100.05")

    def test_without_a_price_has_none(self, numbers: rows.Numbers) -> None:
        report = read(numbers, price=0, averageTradedPrice=None, triggerPrice="")
        assert (report.price, report.average_price, report.trigger_price) == (None, None, None)

    def test_tells_its_times_in_india(self, numbers: rows.Numbers) -> None:
        assert read(numbers).updated_at == datetime(2026, 11, 20, 5, 0, 1, tzinfo=UTC)

    def test_tells_why_only_when_it_was_refused(self, numbers: rows.Numbers) -> None:
        assert read(numbers).message == ""
        told = read(numbers, orderStatus="REJECTED", omsErrorDescription="RMS: no margin")
        assert told.message == "RMS: no margin"

    def test_without_a_tag_has_none(self, numbers: rows.Numbers) -> None:
        for told in (None, "NA", "", "null"):
            assert read(numbers, correlationId=told).tag == ""

    @pytest.mark.parametrize(
        "told", ["2026-11-20T10:30:01+05:30", "2026-11-20T05:00:01Z", "20/11/2026 10:30:01"]
    )
    def test_may_tell_the_zone_of_its_times(self, numbers: rows.Numbers, told: str) -> None:
        at = datetime(2026, 11, 20, 5, 0, 1, tzinfo=UTC)
        assert read(numbers, updateTime=told).updated_at == at

    @pytest.mark.parametrize("told", [-2147483648, Decimal("-3.4028234663852886E+38")])
    def test_has_no_price_where_a_number_stands_for_none(
        self, numbers: rows.Numbers, told: object
    ) -> None:
        report = read(numbers, triggerPrice=told, averageTradedPrice=told)
        assert (report.trigger_price, report.average_price) == (None, None)

    @pytest.mark.parametrize("told", [-2147483648, "9999999999"])
    def test_is_not_read_where_one_stands_for_its_quantity(
        self, numbers: rows.Numbers, told: object
    ) -> None:
        with pytest.raises(Unreadable, match="quantity"):
            read(numbers, quantity=told)

    def test_of_a_commodity_is_in_units(self, numbers: rows.Numbers) -> None:
        report = read(numbers, exchangeSegment="MCX_COMM", securityId=CRUDE, quantity=3)
        assert report.quantity == 300


class TestABook:
    @pytest.mark.parametrize("body", [None, {}, "", 0], ids=str)
    def test_that_is_no_list_of_rows_is_not_empty(self, body: object) -> None:
        with pytest.raises(Unreadable):
            rows.read_each(body, rows.order_report)

    def test_with_one_bad_row_is_the_others(self, dhan: DhanStand) -> None:
        bad = {**ORDER, "orderId": "7", "orderStatus": "?"}
        told = rows.read_each([ORDER, bad], rows.order_report)
        assert [each.broker_order_id for each in told] == [ORDER["orderId"]]
        assert [(each.order_id, each.tag) for each in told.unreadable] == [("7", "TAG1")]


class TestAPosition:
    ROW = {
        "securityId": SHARE,
        "exchangeSegment": "NSE_EQ",
        "productType": "CNC",
        "buyAvg": Decimal("100.10"),
        "sellAvg": Decimal("101.10"),
        "buyQty": 10,
        "sellQty": 4,
        "netQty": 6,
        "realizedProfit": Decimal("4.0"),
    }

    def test_costs_what_its_open_side_did(self, numbers: rows.Numbers) -> None:
        long = rows.position_report(self.ROW, numbers)
        short = rows.position_report({**self.ROW, "netQty": -6}, numbers)
        flat = rows.position_report({**self.ROW, "netQty": 0}, numbers)
        averages = [each.average_price for each in (long, short, flat)]
        assert averages == [Decimal("100.10"), Decimal("101.10"), 0]

    def test_without_a_net_quantity_is_not_flat(self, numbers: rows.Numbers) -> None:
        with pytest.raises(Unreadable):
            rows.position_report({**self.ROW, "netQty": None}, numbers)


class TestAHolding:
    ROW = {
        "exchange": "ALL",
        "tradingSymbol": "TESTCO",
        "securityId": SHARE,
        "totalQty": 12,
        "dpQty": 10,
        "t1Qty": 2,
        "avgCostPrice": Decimal("90.5"),
    }

    def test_adds_up_to_the_day_s_start(self, numbers: rows.Numbers) -> None:
        holding = rows.holding_report(self.ROW, numbers)
        assert (holding.quantity, holding.t1_quantity) == (10, 2)
        assert holding.instrument_key == "NSE:TESTCO"

    def test_of_the_same_number_on_the_other_exchange_is_not_it(
        self, numbers: rows.Numbers
    ) -> None:
        holding = rows.holding_report({**self.ROW, "tradingSymbol": "OTHER"}, numbers)
        assert holding.instrument_key == f"DHAN?ALL:{SHARE}"

    def test_of_one_exchange_needs_no_symbol(self, numbers: rows.Numbers) -> None:
        row = {**self.ROW, "exchange": "NSE", "tradingSymbol": None}
        assert rows.holding_report(row, numbers).instrument_key == "NSE:TESTCO"


class TestMoney:
    def test_is_never_a_float(self) -> None:
        exchange = Exchange("GET", "", "", 200, 1, b'{"price": 100.10, "odd": 0.1}')
        assert read_answer(exchange).body == {"price": Decimal("100.10"), "odd": Decimal("0.1")}

    def test_that_is_no_number_spoils_the_answer(self) -> None:
        assert not read_answer(Exchange("GET", "", "", 200, 1, b'{"price": NaN}')).is_json


class TestSending:
    def test_needs_dhans_own_number(self, dhan: DhanStand) -> None:
        share = dhan.ref(SHARE)
        with pytest.raises(Unsendable, match="instrument list"):
            words.number_of(replace(share, token=""))

    def test_needs_a_market_dhan_has(self, dhan: DhanStand) -> None:
        abroad = replace(dhan.ref(SHARE), segment=Segment.US_EQ, broker_exchange="")
        with pytest.raises(Unsendable):
            words.segment_of(abroad)

    @pytest.mark.parametrize(
        ("segment", "kind", "symbol", "word"),
        [
            (Segment.NSE_EQ, InstrumentType.EQ, "INFY", "EQUITY"),
            (Segment.IDX, InstrumentType.INDEX, "NIFTY", "INDEX"),
            (Segment.NSE_FNO, InstrumentType.FUT, "NIFTY-Nov2026-FUT", "FUTIDX"),
            (Segment.NSE_FNO, InstrumentType.CE, "BANKNIFTY-Nov2026-56000-CE", "OPTIDX"),
            (Segment.BSE_FNO, InstrumentType.PE, "SENSEX-Nov2026-80000-PE", "OPTIDX"),
            (Segment.NSE_FNO, InstrumentType.FUT, "INFY-Nov2026-FUT", "FUTSTK"),
            (Segment.NSE_FNO, InstrumentType.PE, "INFY-Nov2026-1500-PE", "OPTSTK"),
            (Segment.MCX_COMM, InstrumentType.FUT, "CRUDEOIL-Dec2026-FUT", "FUTCOM"),
            (Segment.MCX_COMM, InstrumentType.CE, "CRUDEOIL-Dec2026-5000-CE", "OPTFUT"),
        ],
    )
    def test_names_the_kind(
        self,
        dhan: DhanStand,
        segment: Segment,
        kind: InstrumentType,
        symbol: str,
        word: str,
    ) -> None:
        ref = replace(
            dhan.ref(SHARE),
            segment=segment,
            instrument_type=kind,
            broker_symbol=symbol,
            broker_exchange="",
        )
        assert words.instrument_word(ref) == word

    @pytest.mark.parametrize("ours", list(OrderType))
    def test_of_every_order_type_comes_back(self, ours: OrderType) -> None:
        assert words.order_type_told(words.ORDER_TYPES[ours]) is ours

    @pytest.mark.parametrize("ours", list(words.PRODUCTS))
    def test_of_every_product_comes_back(self, ours: Product) -> None:
        assert words.product_told(words.PRODUCTS[ours]) is ours


class TestTimes:
    @pytest.mark.parametrize(
        "told", ["", None, "NA", "0001-01-01 00:00:00", "01/01/1980 00:00:00", "0"]
    )
    def test_that_are_none_are_none(self, told: object) -> None:
        assert words.time_told(told) is None

    @pytest.mark.parametrize(
        "told",
        [
            "2026-11-20 10:30:00",
            "20/11/2026 10:30:00",
            "20/11/2026 10:30",
            "2026-11-20T10:30:00.000",
        ],
    )
    def test_are_indias(self, told: str) -> None:
        assert words.time_told(told) == datetime(2026, 11, 20, 5, 0, tzinfo=UTC)

    def test_of_the_feed_are_shifted(self) -> None:
        stamp = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
        assert words.time_of_feed(stamp) == datetime(2026, 11, 20, 5, 0, tzinfo=UTC)


def test_an_unknown_lot_leaves_the_number_as_told(dhan: DhanStand) -> None:
    """Its key belongs to no instrument here, so that nobody adopts it."""
    before = installed_directory()
    install_directory(dhan.listing(without=CRUDE))
    report = rows.order_report(
        {**ORDER, "exchangeSegment": "MCX_COMM", "securityId": CRUDE, "quantity": 3},
        rows.Numbers(),
    )
    install_directory(before)
    assert (report.instrument_key, report.quantity) == (f"DHAN?MCX_COMM:{CRUDE}", 3)
