"""Angel One's order messages, and whose instrument they are about."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from brokers.adapters.angel.streams import OrderStream, open_stream
from brokers.gateway import BrokerStatus
from brokers.streaming.protocol import (
    News,
    OrderNews,
    Ready,
    StreamError,
    StreamKind,
)
from tests.brokers.angel.market import DEMO

AT = datetime(2026, 6, 17, 5, 0, 0, 123000, tzinfo=UTC)


class TestOrderMessages:
    def parse(self, **changes: Any) -> News:
        row = {
            "variety": "NORMAL",
            "ordertype": "LIMIT",
            "ordertag": "TAG1",
            "producttype": "INTRADAY",
            "price": 100.0,
            "triggerprice": 0.0,
            "quantity": "10",
            "duration": "DAY",
            "transactiontype": "BUY",
            "exchange": "NSE",
            "symboltoken": "9999",
            "averageprice": 0.0,
            "filledshares": "0",
            "unfilledshares": "10",
            "orderid": "260617000000001",
            "text": "no money",
            "status": "rejected",
            "orderstatus": "rejected",
            "updatetime": "17-Jun-2026 10:30:00",
        }
        message = {"user-id": "D100", "status-code": "200", "order-status": "AB03"}
        message |= {"error-message": "", "orderData": row} | changes
        orders = OrderStream({}, {}, lambda exchange, token: DEMO.key, clock=lambda: AT)
        (told,) = orders.parse(json.dumps(message))
        return told

    def test_tell_the_order(self) -> None:
        told = self.parse()
        assert isinstance(told, OrderNews)
        (report,) = told.orders
        assert (report.status, report.tag, report.message) == (
            BrokerStatus.REJECTED,
            "TAG1",
            "no money",
        )

    def test_begin_with_a_greeting(self) -> None:
        assert self.parse(**{"order-status": "AB00", "orderData": {}}) == Ready()

    def test_that_know_no_session_are_fatal(self) -> None:
        told = self.parse(**{"status-code": "401"})
        assert isinstance(told, StreamError)
        assert (told.is_fatal, told.is_auth) == (True, True)

    @pytest.mark.parametrize("data", [{}, None, [], {"orderid": "1"}])
    def test_that_cannot_be_read_are_told(self, data: object) -> None:
        told = self.parse(orderData=data)
        assert isinstance(told, StreamError)
        assert not told.is_fatal

    @pytest.mark.parametrize("frame", ["", "{", b"\xff\xfe", "[1]"])
    def test_of_nonsense_are_told(self, frame: str | bytes) -> None:
        (told,) = OrderStream({}, {}, lambda exchange, token: "").parse(frame)
        assert isinstance(told, StreamError)


class TestLookingUp:
    def test_finds_the_house_s_key(self, angel: object) -> None:
        orders = open_stream(StreamKind.ORDERS, secrets={}, credentials={})
        assert isinstance(orders, OrderStream)
        assert orders.key_of("NSE", DEMO.token) == DEMO.key

    def test_names_what_is_unknown_here(self, angel: object) -> None:
        orders = open_stream(StreamKind.ORDERS, secrets={}, credentials={})
        assert isinstance(orders, OrderStream)
        assert orders.key_of("MCX", "1") == "ANGEL?MCX:1"
