"""Kite on its bad days: what each fault means, and that an order is there once at most."""

from dataclasses import replace

import pytest
from django.db import DatabaseError

from brokers.directory import install_directory
from brokers.gateway import (
    Accepted,
    BrokerStatus,
    GatewayUnavailable,
    Outcome,
    Refused,
    Unknown,
)
from brokers.simulator.faults import FaultName
from tests.brokers.contract import buy, cancel_of, change_of, placed, report_of
from tests.brokers.kite.market import KiteMarket
from tests.brokers.stands import Listing

BEFORE = ("rate_limited", "server_error_before", "wrong_ip")
AFTER = ("drop_reply", "server_error_after", "truncated_json", "html_200")
SPOILT = ("rate_limited", "server_error_before", "expired_token", *AFTER)
READS = ("orders", "trades", "positions", "holdings", "funds", "profile", "triggers")


def place(kite: KiteMarket) -> Outcome:
    return kite.gateway.place(buy(kite.share, tag="MYTAG"))


@pytest.fixture
def resting(kite: KiteMarket) -> str:
    kite.trade("101.00")
    broker_order_id = placed(place(kite))
    kite.wait()
    return broker_order_id


class TestPlacing:
    @pytest.mark.parametrize("fault", BEFORE)
    def test_an_error_that_proves_nothing_is_unknown_though_nothing_was_placed(
        self, kite: KiteMarket, fault: str
    ) -> None:
        kite.stand.faults.arm(fault, match="/orders/*")
        assert isinstance(place(kite), Unknown)
        assert kite.orders_at_broker("MYTAG") == 0

    @pytest.mark.parametrize("fault", AFTER)
    def test_a_lost_answer_is_unknown_and_the_order_is_there_once(
        self, kite: KiteMarket, fault: str
    ) -> None:
        kite.stand.faults.arm(fault, match="/orders/*")
        assert isinstance(place(kite), Unknown)
        assert kite.orders_at_broker("MYTAG") == 1
        assert kite.sent("POST /orders/*") == ["POST /orders/regular"]

    @pytest.mark.parametrize("fault", AFTER)
    def test_an_unknown_order_is_found_by_its_tag(self, kite: KiteMarket, fault: str) -> None:
        kite.stand.faults.arm(fault, match="/orders/*")
        place(kite)
        found = kite.gateway.order_by_tag("MYTAG")
        assert found is not None
        assert found.tag == "MYTAG"

    def test_an_expired_token_is_a_refusal(self, kite: KiteMarket) -> None:
        kite.stand.faults.arm("expired_token")
        assert isinstance(place(kite), Refused)
        assert kite.orders_at_broker("MYTAG") == 0

    def test_an_answer_within_our_patience_is_taken(self, kite: KiteMarket) -> None:
        kite.stand.faults.arm("delay", match="/orders/*", seconds=0.2)
        assert isinstance(place(kite), Accepted)

    def test_an_answer_beyond_it_is_unknown_and_not_asked_for_again(self, kite: KiteMarket) -> None:
        make_impatient(kite)
        kite.stand.faults.arm("delay", match="/orders/*", seconds=1.5)
        assert isinstance(place(kite), Unknown)
        assert kite.orders_at_broker("MYTAG") == 1

    def test_a_refusal_by_risk_management_shows_in_the_book(self, kite: KiteMarket) -> None:
        kite.stand.faults.arm("rms_in_book")
        report = report_of(kite.gateway, placed(place(kite)))
        assert report.status is BrokerStatus.REJECTED
        assert "RMS" in report.message

    def test_an_order_that_surfaces_late_is_not_there_and_then_is(self, kite: KiteMarket) -> None:
        kite.stand.faults.arm("surfaces_late")
        kite.stand.faults.arm("drop_reply", match="/orders/*")
        assert isinstance(place(kite), Unknown)
        assert kite.gateway.order_by_tag("MYTAG") is None
        kite.stand.clock.move(84)
        assert kite.gateway.order_by_tag("MYTAG") is not None
        assert kite.orders_at_broker("MYTAG") == 1

    def test_an_order_may_be_filled_before_its_answer_comes(self, kite: KiteMarket) -> None:
        kite.trade("100.00")
        kite.stand.faults.arm("fill_before_order")
        assert report_of(kite.gateway, placed(place(kite))).status is BrokerStatus.FILLED

    def test_many_fills_are_all_told(self, kite: KiteMarket) -> None:
        kite.trade("101.00")
        kite.stand.faults.arm("many_fills", amount=300)
        broker_order_id = placed(kite.gateway.place(buy(kite.share, quantity=300)))
        kite.wait()
        kite.trade("99.00", volume=1_000_000)
        trades = kite.gateway.trades()
        assert len({each.trade_id for each in trades}) == 300
        assert {each.broker_order_id for each in trades} == {broker_order_id}


class TestCancelling:
    @pytest.mark.parametrize("fault", BEFORE)
    def test_an_error_leaves_the_order_working(
        self, kite: KiteMarket, resting: str, fault: str
    ) -> None:
        kite.stand.faults.arm(fault, match="DELETE /orders/*")
        assert isinstance(kite.gateway.cancel(cancel_of(resting, kite.share)), Unknown)
        kite.stand.faults.clear()
        assert report_of(kite.gateway, resting).status is BrokerStatus.OPEN

    @pytest.mark.parametrize("fault", AFTER)
    def test_a_lost_answer_is_unknown_and_the_book_tells(
        self, kite: KiteMarket, resting: str, fault: str
    ) -> None:
        kite.stand.faults.arm(fault, match="DELETE /orders/*")
        assert isinstance(kite.gateway.cancel(cancel_of(resting, kite.share)), Unknown)
        kite.wait()
        assert report_of(kite.gateway, resting).status is BrokerStatus.CANCELLED

    def test_a_fill_beats_a_cancel_that_was_taken(self, kite: KiteMarket, resting: str) -> None:
        kite.stand.faults.arm("cancel_loses_to_fill")
        placed(kite.gateway.cancel(cancel_of(resting, kite.share)))
        assert report_of(kite.gateway, resting).status is BrokerStatus.FILLED


class TestChanging:
    @pytest.mark.parametrize("fault", [*BEFORE, *AFTER])
    def test_an_error_is_unknown(self, kite: KiteMarket, resting: str, fault: str) -> None:
        kite.stand.faults.arm(fault, match="PUT /orders/*")
        change = change_of(resting, buy(kite.share), quantity=20)
        assert isinstance(kite.gateway.modify(change), Unknown)
        assert len(kite.sent("PUT /orders/*")) == 1


class TestReading:
    @pytest.mark.parametrize("fault", SPOILT)
    @pytest.mark.parametrize("read", READS)
    def test_no_spoilt_answer_is_taken_for_nothing(
        self, kite: KiteMarket, fault: str, read: str
    ) -> None:
        kite.stand.faults.arm(fault)
        with pytest.raises(GatewayUnavailable):
            getattr(kite.gateway, read)()

    def test_a_web_page_is_not_shown_to_the_trader(self, kite: KiteMarket) -> None:
        kite.stand.faults.arm("server_error_before")
        with pytest.raises(GatewayUnavailable, match=r"Kite did not answer: HTTP 502$"):
            kite.gateway.orders()

    @pytest.mark.parametrize("read", ["orders", "trades", "positions"])
    def test_an_empty_book_by_error_is_not_an_empty_book(
        self, kite: KiteMarket, resting: str, read: str
    ) -> None:
        kite.trade("99.00", volume=1000)
        kite.stand.faults.arm("empty_book", match=read)
        with pytest.raises(GatewayUnavailable):
            getattr(kite.gateway, read)()
        assert len(getattr(kite.gateway, read)()) == 1

    def test_holdings_that_are_null_are_not_sold(self, kite: KiteMarket) -> None:
        kite.stand.broker.give_holding("SIM001", "1594", 10, kite.share.tick_size * 2000)
        kite.stand.faults.arm("empty_book", match="holdings")
        with pytest.raises(GatewayUnavailable):
            kite.gateway.holdings()
        assert [each.quantity for each in kite.gateway.holdings()] == [10]

    def test_a_book_with_rows_missing_cannot_be_told_from_a_whole_one(
        self, kite: KiteMarket
    ) -> None:
        """Nothing in Kite's answer says how many rows there are: two equal reads must."""
        for tag in ("ONE", "TWO"):
            placed(kite.gateway.place(buy(kite.share, tag=tag)))
        kite.stand.faults.arm("partial_book", match="orders")
        assert len(kite.gateway.orders()) == 1
        assert len(kite.gateway.orders()) == 2

    def test_a_wrong_address_stops_orders_and_nothing_else(self, kite: KiteMarket) -> None:
        kite.stand.faults.arm("wrong_ip")
        assert kite.gateway.orders() == []
        assert kite.gateway.funds().available > 0

    def test_after_the_token_expired_a_new_login_reads_again(self, kite: KiteMarket) -> None:
        kite.stand.faults.arm("expired_token")
        with pytest.raises(GatewayUnavailable):
            kite.gateway.orders()
        kite.stand.faults.clear()
        kite.stand.log_in(kite.account)
        assert kite.gateway.orders() == []

    def test_a_directory_that_fails_spoils_the_answer(self, kite: KiteMarket, resting: str) -> None:
        install_directory(BrokenDirectory([]))
        with pytest.raises(GatewayUnavailable):
            kite.gateway.orders()


class BrokenDirectory(Listing):
    def key_of(self, broker: str, *, exchange: str, token: str) -> str | None:
        raise DatabaseError("the database is locked")


class TestLimits:
    def test_the_eleventh_order_of_a_second_is_not_taken_and_not_known(
        self, kite: KiteMarket
    ) -> None:
        outcomes = [kite.gateway.place(buy(kite.share, tag=f"T{number}")) for number in range(11)]
        assert [type(each) for each in outcomes] == [*[Accepted] * 10, Unknown]

    def test_every_fault_of_the_wire_and_the_exchange_is_met_here(self) -> None:
        streams = {"stale_feed", "duplicate_frames", "reordered_frames", "silent_stream"}
        met = {*BEFORE, *SPOILT, "delay", "rms_in_book", "surfaces_late", "fill_before_order"}
        met |= {"many_fills", "cancel_loses_to_fill", "empty_book", "partial_book"}
        assert met | streams | {"half_open"} == {str(each) for each in FaultName}


def make_impatient(kite: KiteMarket) -> None:
    """Let the gateway wait a third of a second for an answer."""
    kite.gateway.orders()
    client = kite.gateway._line._client
    assert client is not None
    client.reqsession.manners = replace(client.reqsession.manners, read_timeout=0.3)
