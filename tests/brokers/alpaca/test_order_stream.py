"""Alpaca's order frames: JSON in binary; cut, strange, late and replaced ones too."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from brokers.adapters.alpaca.chains import replacement_name
from brokers.adapters.alpaca.order_stream import OrderStream
from brokers.gateway import BrokerStatus, OrderReport
from brokers.streaming.protocol import (
    Frame,
    Heartbeat,
    OrderNews,
    Ready,
    StreamError,
)
from tests.brokers.alpaca.market import KEYS
from tests.brokers.alpaca.test_words import ORDER

FIRST, SECOND = str(ORDER["id"]), "0f0f0f0f-0000-4000-8000-000000000002"
AT = datetime(2026, 6, 17, 14, 30, tzinfo=UTC)


def orders() -> OrderStream:
    return OrderStream(KEYS, key_of=lambda symbol: f"NASDAQ:{symbol}", clock=lambda: AT)


def update(event: str = "new", **changes: object) -> bytes:
    data = {"event": event, "order": {**ORDER, **changes}}
    return json.dumps({"stream": "trade_updates", "data": data}).encode()


def told(stream: OrderStream, frame: Frame) -> OrderReport:
    (news,) = stream.parse(frame)
    assert isinstance(news, OrderNews), news
    return news.orders[0]


def authorization(status: str, action: str) -> bytes:
    data = {"status": status, "action": action}
    return json.dumps({"stream": "authorization", "data": data}).encode()


class TestOrderFrames:
    @pytest.mark.parametrize(
        "frame",
        [b"", b"{", b"[]", b"null", "text", b"\xff\xfe", b'{"stream": "trade_updates"}',
         b'{"stream": "trade_updates", "data": {"event": "new"}}',
         b'{"stream": "weather", "data": {}}', update(status="brand_new"), update(qty="0.5"),
         b"[" * 100_000, b" " * 2_000_000],
    )  # fmt: skip
    def test_a_strange_one_is_an_error_in_words(self, frame: Frame) -> None:
        (news,) = orders().parse(frame)
        assert isinstance(news, StreamError)
        assert news.words
        assert not news.is_fatal

    def test_every_cut_of_one_is_survived(self) -> None:
        frame = update()
        for length in range(len(frame)):
            assert all(isinstance(each, StreamError) for each in orders().parse(frame[:length]))

    def test_refused_keys_end_the_socket(self) -> None:
        frame = authorization("unauthorized", "authenticate")
        (news,) = orders().parse(frame)
        assert isinstance(news, StreamError)
        assert (news.is_fatal, news.is_auth) == (True, True)

    def test_a_listening_that_came_too_early_ends_nothing(self) -> None:
        (news,) = orders().parse(authorization("unauthorized", "listen"))
        assert isinstance(news, StreamError)
        assert (news.is_fatal, news.is_auth) == (False, False)

    def test_it_is_ready_when_it_listens(self) -> None:
        stream = orders()
        authorized = authorization("authorized", "authenticate")
        listening = b'{"stream": "listening", "data": {"streams": ["trade_updates"]}}'
        heard = [stream.parse(frame)[0] for frame in (authorized, listening, listening)]
        assert heard == [Heartbeat(), Ready(), Heartbeat()]

    def test_listening_to_nothing_is_not_ready(self) -> None:
        (news,) = orders().parse(b'{"stream": "listening", "data": {"streams": []}}')
        assert isinstance(news, StreamError)

    def test_an_order_in_text_or_binary(self) -> None:
        assert told(orders(), update()) == told(orders(), update().decode())

    def test_a_fill_is_what_it_makes_of_the_order(self) -> None:
        frame = update("fill", status="filled", filled_qty="10", filled_avg_price="99.5")
        report = told(orders(), frame)
        assert (report.status, report.filled_quantity) == (BrokerStatus.FILLED, 10)
        assert report.average_price == Decimal("99.5")


class TestReplacedOrders:
    REPLACED: dict[str, object] = {
        "status": "replaced",
        "replaced_by": SECOND,
        "updated_at": "2026-06-17T14:31:00Z",
    }
    NEW: dict[str, object] = {"id": SECOND, "replaces": FIRST, "limit_price": "99"}

    def test_the_new_one_is_told_under_the_first_id(self) -> None:
        stream = orders()
        stream.parse(update())
        assert isinstance(stream.parse(update("replaced", **self.REPLACED))[0], Heartbeat)
        report = told(stream, update("new", **self.NEW, client_order_id="x"))
        assert (report.broker_order_id, report.tag) == (FIRST, "TAG1")
        assert report.price == Decimal(99)

    def test_until_the_old_one_is_replaced_it_counts(self) -> None:
        stream = orders()
        stream.parse(update())
        report = told(stream, update("pending_new", **self.NEW, status="pending_new"))
        assert (report.broker_order_id, report.price) == (FIRST, Decimal(100))

    def test_a_late_frame_of_the_old_one_changes_nothing(self) -> None:
        stream = orders()
        for frame in (update(), update("replaced", **self.REPLACED), update("new", **self.NEW)):
            stream.parse(frame)
        assert told(stream, update("new")).price == Decimal(99)

    @pytest.mark.parametrize("name", ["somebody", replacement_name(FIRST, 1)])
    def test_a_change_of_an_order_not_heard_of_is_left_to_the_book(self, name: str) -> None:
        """What filled before the change is not known here, and is not told as nothing."""
        (news,) = orders().parse(update("fill", **self.NEW, client_order_id=name))
        assert isinstance(news, StreamError)
        assert not news.is_fatal

    def test_what_filled_before_the_change_is_told_with_the_rest(self) -> None:
        stream = orders()
        stream.parse(update(filled_qty="4", filled_avg_price="100"))
        stream.parse(update("replaced", **self.REPLACED, filled_qty="4", filled_avg_price="100"))
        report = told(stream, update("new", **self.NEW, qty="6", client_order_id="x"))
        assert (report.quantity, report.filled_quantity) == (10, 4)
