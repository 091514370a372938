"""Every fault the simulator knows, on places, cancels and reads: what the house makes of it."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from brokers.directory import install_directory
from brokers.gateway import (
    Accepted,
    BrokerStatus,
    GatewayUnavailable,
    Outcome,
    Refused,
    Unknown,
)
from brokers.models import ConnectionStatus
from brokers.rows import unreadable_in
from brokers.simulator.faults import FaultName
from tests.brokers.angel.market import CLIENT, CREDENTIALS, AngelMarket
from tests.brokers.contract import buy, cancel_of, change_of, placed, report_of
from tests.brokers.stands import Listing

# What a lost, late or mangled answer says of a write, and how often the broker has the order.
ON_THE_WIRE = [
    (FaultName.DELAY, Unknown, 1),
    (FaultName.DROP_REPLY, Unknown, 1),
    (FaultName.SERVER_ERROR_AFTER, Unknown, 1),
    (FaultName.SERVER_ERROR_BEFORE, Unknown, 0),
    (FaultName.TRUNCATED_JSON, Unknown, 1),
    (FaultName.HTML_200, Unknown, 1),
    (FaultName.RATE_LIMITED, Refused, 0),
    (FaultName.EXPIRED_TOKEN, Refused, 0),
    (FaultName.WRONG_IP, Refused, 0),
]
READ_FAULTS = [name for name, _, _ in ON_THE_WIRE if name is not FaultName.WRONG_IP]
READS = ["orders", "trades", "positions", "holdings", "funds", "profile", "triggers"]


LATE_SECONDS = 0.4


@pytest.fixture
def driver(market: AngelMarket, request: pytest.FixtureRequest) -> Iterator[AngelMarket]:
    """A driver with little patience; who is late has come before the next test begins."""
    transport = market.gateway.line._transport
    transport.manners = replace(transport.manners, read_timeout=0.2)
    yield market
    if FaultName.DELAY in _parameters(request):
        time.sleep(LATE_SECONDS)


def _parameters(request: pytest.FixtureRequest) -> list[object]:
    call = getattr(request.node, "callspec", None)
    return [] if call is None else list(call.params.values())


@pytest.fixture
def resting(driver: AngelMarket) -> str:
    driver.trade("101.00")
    broker_order_id = placed(driver.gateway.place(buy(driver.share)))
    driver.wait()
    return broker_order_id


def arm(driver: AngelMarket, name: FaultName, match: str = "*", **changes: Any) -> None:
    if name is FaultName.DELAY:
        changes.setdefault("seconds", LATE_SECONDS)
    driver.stand.faults.arm(name, match=match, **changes)


def orders_at_the_broker(driver: AngelMarket, tag: str = "TAG1") -> int:
    return len(driver.stand.broker.orders_tagged(CLIENT, tag))


class TestPlacing:
    @pytest.mark.parametrize(("name", "kind", "count"), ON_THE_WIRE)
    def test_is_judged_by_what_the_answer_proves(
        self, driver: AngelMarket, name: FaultName, kind: type[Outcome], count: int
    ) -> None:
        arm(driver, name, "*placeOrder")
        outcome = driver.gateway.place(buy(driver.share))
        assert isinstance(outcome, kind), outcome
        assert orders_at_the_broker(driver) == count
        assert len(driver.sent("*placeOrder")) == 1

    @pytest.mark.parametrize("name", [FaultName.DROP_REPLY, FaultName.HTML_200])
    def test_whose_answer_was_lost_is_found_by_its_tag(
        self, driver: AngelMarket, name: FaultName
    ) -> None:
        arm(driver, name, "*placeOrder")
        driver.gateway.place(buy(driver.share, tag="LOST"))
        assert [each.tag for each in driver.gateway.orders()] == ["LOST"]

    def test_refused_for_an_expired_token_ends_the_session(self, driver: AngelMarket) -> None:
        arm(driver, FaultName.EXPIRED_TOKEN, "*placeOrder")
        outcome = driver.gateway.place(buy(driver.share))
        connection = driver.account.connection
        connection.refresh_from_db()
        assert isinstance(outcome, Refused)
        assert outcome.proof == "AG8002"
        assert connection.status == ConnectionStatus.EXPIRED
        again = driver.gateway.place(buy(driver.share))
        assert isinstance(again, Refused)
        assert again.proof == "NOT_SENT"
        assert len(driver.sent("*placeOrder")) == 1

    def test_from_a_wrong_address_is_refused_with_the_code(self, driver: AngelMarket) -> None:
        arm(driver, FaultName.WRONG_IP)
        outcome = driver.gateway.place(buy(driver.share))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "AG7002"
        assert driver.gateway.orders() == []

    def test_that_risk_management_refuses_shows_in_the_book(self, driver: AngelMarket) -> None:
        arm(driver, FaultName.RMS_IN_BOOK, "place")
        report = report_of(driver.gateway, placed(driver.gateway.place(buy(driver.share))))
        assert report.status is BrokerStatus.REJECTED
        assert report.message

    def test_that_surfaces_late_appears_in_the_end(self, driver: AngelMarket) -> None:
        arm(driver, FaultName.SURFACES_LATE, "place")
        driver.gateway.place(buy(driver.share))
        assert driver.gateway.orders() == []
        driver.stand.clock.move(seconds=84)
        assert [each.tag for each in driver.gateway.orders()] == ["TAG1"]

    def test_in_many_fills_has_as_many_trades(self, driver: AngelMarket) -> None:
        arm(driver, FaultName.MANY_FILLS, "*", amount=10)
        driver.trade("101.00")
        driver.gateway.place(buy(driver.share))
        driver.wait()
        driver.trade("99.00", volume=1000)
        trades = driver.gateway.trades()
        assert [each.quantity for each in trades] == [1] * 10
        assert len({each.trade_id for each in trades}) == 10

    def test_with_a_fill_told_first_is_one_order(self, driver: AngelMarket) -> None:
        arm(driver, FaultName.FILL_BEFORE_ORDER, "place")
        driver.trade("99.00", volume=1000)
        outcome = driver.gateway.place(buy(driver.share))
        assert isinstance(outcome, Accepted | Unknown)
        assert orders_at_the_broker(driver) == 1


class TestSecretsThatCannotBeSent:
    def test_never_leave(self, driver: AngelMarket) -> None:
        connection = driver.account.connection
        connection.seal_credentials({**CREDENTIALS, "api_key": "k\u2019y"})
        outcome = driver.gateway.place(buy(driver.share))
        assert isinstance(outcome, Refused)
        assert driver.sent("*placeOrder") == []

    def test_of_another_row_never_leave(self, driver: AngelMarket) -> None:
        connection = driver.account.connection
        connection.credentials = "not sealed at all"
        outcome = driver.gateway.place(buy(driver.share))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"


class TestCancelling:
    @pytest.mark.parametrize(("name", "kind", "_count"), ON_THE_WIRE)
    def test_is_judged_by_what_the_answer_proves(
        self, driver: AngelMarket, resting: str, name: FaultName, kind: type[Outcome], _count: int
    ) -> None:
        arm(driver, name, "*cancelOrder")
        outcome = driver.gateway.cancel(cancel_of(resting, driver.share))
        assert isinstance(outcome, kind), outcome
        assert len(driver.sent("*cancelOrder")) == 1

    def test_that_loses_to_a_fill_is_told_as_filled(
        self, driver: AngelMarket, resting: str
    ) -> None:
        arm(driver, FaultName.CANCEL_LOSES_TO_FILL, "cancel")
        driver.gateway.cancel(cancel_of(resting, driver.share))
        driver.wait()
        assert report_of(driver.gateway, resting).status is BrokerStatus.FILLED


class TestChanging:
    def test_is_not_sent_while_the_order_cannot_be_read(
        self, driver: AngelMarket, resting: str
    ) -> None:
        arm(driver, FaultName.DROP_REPLY, "*getOrderBook")
        outcome = driver.gateway.modify(change_of(resting, buy(driver.share), quantity=20))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"
        assert driver.sent("*modifyOrder") == []

    @pytest.mark.parametrize("name", [FaultName.DROP_REPLY, FaultName.SERVER_ERROR_AFTER])
    def test_with_its_answer_lost_is_unknown(
        self, driver: AngelMarket, resting: str, name: FaultName
    ) -> None:
        arm(driver, name, "*modifyOrder")
        outcome = driver.gateway.modify(change_of(resting, buy(driver.share), quantity=20))
        assert isinstance(outcome, Unknown)


class TestReading:
    @pytest.mark.parametrize("read", READS)
    @pytest.mark.parametrize("name", READ_FAULTS)
    def test_that_fails_is_never_nothing(
        self, driver: AngelMarket, name: FaultName, read: str
    ) -> None:
        arm(driver, name)
        with pytest.raises(GatewayUnavailable):
            getattr(driver.gateway, read)()

    def test_with_an_expired_token_ends_the_session(self, driver: AngelMarket) -> None:
        arm(driver, FaultName.EXPIRED_TOKEN)
        with pytest.raises(GatewayUnavailable):
            driver.gateway.orders()
        driver.account.connection.refresh_from_db()
        assert driver.account.connection.status == ConnectionStatus.EXPIRED

    def test_from_a_wrong_address_is_answered(self, driver: AngelMarket) -> None:
        arm(driver, FaultName.WRONG_IP)
        assert driver.gateway.funds().cash > 0

    def test_an_empty_book_cannot_be_told_from_none(
        self, driver: AngelMarket, resting: str
    ) -> None:
        # Angel says null for both: only a second look tells, which is the reconciler's.
        arm(driver, FaultName.EMPTY_BOOK, "orders")
        assert driver.gateway.orders() == []
        assert report_of(driver.gateway, resting).broker_order_id == resting

    def test_a_partial_book_cannot_be_told_from_a_whole_one(
        self, driver: AngelMarket, resting: str
    ) -> None:
        driver.gateway.place(buy(driver.share, tag="TWO"))
        arm(driver, FaultName.PARTIAL_BOOK, "orders")
        assert len(driver.gateway.orders()) < 2
        assert len(driver.gateway.orders()) == 2

    def test_a_fill_whose_order_is_not_told_yet_is_of_what_it_names(
        self, driver: AngelMarket, resting: str
    ) -> None:
        driver.trade("99.00", volume=1000)
        arm(driver, FaultName.EMPTY_BOOK, "orders")
        assert {each.instrument_key for each in driver.gateway.trades()} == {driver.share.key}

    def test_a_fill_that_names_nothing_known_is_named(
        self, driver: AngelMarket, resting: str
    ) -> None:
        driver.trade("99.00", volume=1000)
        arm(driver, FaultName.EMPTY_BOOK, "orders")
        install_directory(Listing([]))
        told = driver.gateway.trades()
        assert list(told) == []
        assert {each.order_id for each in unreadable_in(told)} == {resting}

    def test_after_midnight_wants_a_new_login(self, driver: AngelMarket) -> None:
        driver.stand.clock.move(hours=24)
        with pytest.raises(GatewayUnavailable, match="has run out"):
            driver.gateway.orders()
