"""Order alerts: an order's report from either spelling, and words where it cannot be read."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from brokers.adapters.dhan.streams import OrderStream
from brokers.gateway import BrokerStatus
from brokers.streaming.protocol import OrderNews, StreamError
from brokers.terms import OrderType, Product, Side
from tests.brokers.dhan.market import CRUDE, SHARE

AT = datetime(2026, 11, 20, 5, 0, 5, tzinfo=UTC)
ALERT = {
    "Exchange": "NSE",
    "Segment": "E",
    "SecurityId": SHARE,
    "OrderNo": "112111182198",
    "ExchOrderNo": "1400000000404591",
    "Product": "I",
    "TxnType": "B",
    "OrderType": "LMT",
    "Validity": "DAY",
    "Quantity": 10,
    "TradedQty": 4,
    "Price": 100.0,
    "TriggerPrice": 0.0,
    "AvgTradedPrice": 99.5,
    "OffMktFlag": "0",
    "OrderDateTime": "2026-11-20 10:30:00",
    "LastUpdatedTime": "2026-11-20 10:30:05",
    "ReasonDescription": "CONFIRMED",
    "Status": "Pending",
    "CorrelationId": "TAG1",
}


def alert(**changes: object) -> str:
    return json.dumps({"Type": "order_alert", "Data": {**ALERT, **changes}})


@pytest.mark.usefixtures("dhan")
class TestAnOrderAlert:
    def read(self, frame: str | bytes):
        return OrderStream("1", "t").parse(frame)

    @pytest.mark.parametrize(
        "frame",
        [
            "", "{", "[]", "null", b"\xff\xfe", '{"Type": "hello"}', '{"Type": "order_alert"}',
            '{"Type": "order_alert", "Data": []}',
            alert(Status="Halfway"), alert(Segment="X"), alert(Product="Q"), alert(OrderNo=""),
            alert(Quantity="many"), alert(LastUpdatedTime="", OrderDateTime=""),
        ],
    )  # fmt: skip
    def test_that_cannot_be_read_is_told(self, frame: str | bytes) -> None:
        (news,) = self.read(frame)
        assert isinstance(news, StreamError)
        assert not news.is_fatal

    def test_is_an_order_s_report(self) -> None:
        (news,) = self.read(alert())
        assert isinstance(news, OrderNews)
        (report,) = news.orders
        assert (report.broker_order_id, report.tag) == ("112111182198", "TAG1")
        assert report.status is BrokerStatus.PARTIALLY_FILLED
        assert (report.product, report.side, report.order_type) == (
            Product.MIS, Side.BUY, OrderType.LIMIT
        )  # fmt: skip
        assert (report.filled_quantity, report.average_price) == (4, Decimal("99.5"))
        assert report.updated_at == AT

    def test_is_the_same_in_either_spelling(self) -> None:
        lower = {name[0].lower() + name[1:]: value for name, value in ALERT.items()}
        frame = json.dumps({"type": "order_alert", "data": lower})
        assert self.read(frame) == self.read(alert())

    @pytest.mark.parametrize(
        ("word", "traded", "status"),
        [
            ("Transit", 0, BrokerStatus.PLACED),
            ("Pending", 0, BrokerStatus.OPEN),
            ("Traded", 10, BrokerStatus.FILLED),
            ("Traded", 4, BrokerStatus.PARTIALLY_FILLED),
            ("Cancelled", 4, BrokerStatus.CANCELLED),
            ("Rejected", 0, BrokerStatus.REJECTED),
            ("Expired", 0, BrokerStatus.EXPIRED),
        ],
    )
    def test_has_its_status(self, word: str, traded: int, status: BrokerStatus) -> None:
        (news,) = self.read(alert(Status=word, TradedQty=traded))
        assert isinstance(news, OrderNews)
        assert news.orders[0].status is status

    def test_of_a_commodity_is_in_units(self) -> None:
        (news,) = self.read(
            alert(Exchange="MCX", Segment="M", SecurityId=CRUDE, Quantity=3, TradedQty=1)
        )
        assert isinstance(news, OrderNews)
        assert (news.orders[0].quantity, news.orders[0].filled_quantity) == (300, 100)

    @pytest.mark.parametrize(
        ("changes", "filled"),
        [
            ({"Status": "Traded"}, 10),
            ({"Status": "Transit"}, 0),
            ({"Status": "Pending", "RemainingQuantity": 6}, 4),
            ({"Status": "Cancelled", "RemainingQuantity": 7}, 3),
        ],
    )
    def test_without_what_has_traded_says_it_otherwise(
        self, changes: dict[str, object], filled: int
    ) -> None:
        (news,) = self.read(alert(TradedQty=None, **changes))
        assert isinstance(news, OrderNews)
        assert news.orders[0].filled_quantity == filled

    def test_that_does_not_say_it_at_all_is_named(self) -> None:
        (news,) = self.read(alert(TradedQty=None))
        assert isinstance(news, StreamError)
        assert "order 112111182198" in news.words
