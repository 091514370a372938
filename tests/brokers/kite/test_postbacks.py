"""Kite's postbacks: whose they are, and what they are about."""

import json
from decimal import Decimal

import pytest

from brokers.adapters.kite.postbacks import read, verify
from brokers.postbacks import PostbackNews
from brokers.registry import postbacks_of
from brokers.simulator.kite.answers import plain
from brokers.simulator.kite.rows import postback_row
from brokers.simulator.kite.sessions import API_SECRET, CLIENT
from brokers.simulator.records import SimOrder
from tests.brokers.contract import buy, placed
from tests.brokers.kite.market import CREDENTIALS, KiteMarket


@pytest.fixture
def body(kite: KiteMarket) -> bytes:
    """What Kite posts of an order that has filled."""
    kite.trade("99.00", volume=1000)
    broker_order_id = placed(kite.gateway.place(buy(kite.share, price=Decimal(100))))
    kite.wait()
    order = kite.stand.broker.order(CLIENT, broker_order_id)
    assert isinstance(order, SimOrder)
    return json.dumps(plain(postback_row(order, secret=API_SECRET))).encode()


def changed(body: bytes, **fields: object) -> bytes:
    return json.dumps({**json.loads(body), **fields}).encode()


class TestForgeries:
    @pytest.mark.parametrize(
        "fields",
        [{"checksum": ""}, {"checksum": None}, {"order_id": "2"}, {"order_timestamp": "2026"}],
    )
    def test_a_checksum_that_does_not_fit_is_false(
        self, body: bytes, fields: dict[str, object]
    ) -> None:
        assert verify(changed(body, **fields), {}, CREDENTIALS) is False

    @pytest.mark.parametrize("credentials", [{}, {"api_secret": ""}, {"api_secret": "another"}])
    def test_without_the_right_secret_nothing_is_believed(
        self, body: bytes, credentials: dict[str, str]
    ) -> None:
        assert verify(body, {}, credentials) is False

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000])
    def test_what_is_no_order_is_refused(self, body: bytes) -> None:
        with pytest.raises(ValueError):
            read(body)

    def test_the_checksum_does_not_cover_what_became_of_the_order(self, body: bytes) -> None:
        """That is why a postback is only a reason to fetch the order."""
        assert verify(changed(body, status="REJECTED"), {}, CREDENTIALS) is True


class TestPostback:
    def test_kite_s_own_is_believed(self, body: bytes) -> None:
        assert verify(body, {}, CREDENTIALS) is True

    def test_it_names_the_order_and_our_tag(self, kite: KiteMarket, body: bytes) -> None:
        (order,) = kite.gateway.orders()
        news = PostbackNews(order.broker_order_id, json.loads(body)["status"], "TAG1")
        assert read(body) == news

    def test_the_registry_finds_it(self) -> None:
        assert postbacks_of("kite").read.__module__ == "brokers.adapters.kite.postbacks"
