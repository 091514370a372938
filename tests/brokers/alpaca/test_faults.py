"""Every bad day of a broker: an order is never there twice, and nothing is taken for nothing."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from brokers.gateway import (
    Accepted,
    BrokerStatus,
    GatewayUnavailable,
    Outcome,
    Refused,
    Unknown,
)
from brokers.governor import HeldBack, governor_for
from brokers.registry import gateway_for
from brokers.simulator.alpaca.desk import CLIENT
from brokers.simulator.faults import FaultName
from brokers.simulator.records import SimOrderRequest
from brokers.terms import OrderType, Product, Side
from tests.brokers.alpaca.market import AlpacaMarket
from tests.brokers.contract import buy, cancel_of, placed, report_of

WIRE = [
    FaultName.DROP_REPLY,
    FaultName.RATE_LIMITED,
    FaultName.SERVER_ERROR_AFTER,
    FaultName.SERVER_ERROR_BEFORE,
    FaultName.TRUNCATED_JSON,
    FaultName.HTML_200,
    FaultName.WRONG_IP,
]
ARRIVES = {
    FaultName.DROP_REPLY,
    FaultName.SERVER_ERROR_AFTER,
    FaultName.TRUNCATED_JSON,
    FaultName.HTML_200,
}
READS: list[Callable[[AlpacaMarket], object]] = [
    lambda alpaca: alpaca.gateway.orders(),
    lambda alpaca: alpaca.gateway.trades(),
    lambda alpaca: alpaca.gateway.positions(),
    lambda alpaca: alpaca.gateway.holdings(),
    lambda alpaca: alpaca.gateway.funds(),
    lambda alpaca: alpaca.gateway.profile(),
    lambda alpaca: alpaca.gateway.order_by_tag("TAG1"),
    lambda alpaca: alpaca.gateway.quotes([alpaca.share]),
]
NAMES = ["orders", "trades", "positions", "holdings", "funds", "profile", "tag", "quotes"]


@pytest.fixture
def resting(alpaca: AlpacaMarket) -> str:
    alpaca.trade("101.00")
    broker_order_id = placed(alpaca.gateway.place(buy(alpaca.share)))
    alpaca.wait()
    return broker_order_id


class TestPlacing:
    @pytest.mark.parametrize("fault", WIRE)
    def test_an_answer_that_proves_nothing_is_unknown(
        self, alpaca: AlpacaMarket, fault: FaultName
    ) -> None:
        alpaca.stand.faults.arm(fault, match="POST /v2/orders")
        assert isinstance(alpaca.gateway.place(buy(alpaca.share)), Unknown)
        assert len(alpaca.sent("POST *")) == 1
        assert alpaca.orders_at_broker("TAG1") == (fault in ARRIVES)

    @pytest.mark.parametrize("status", [429, 500, 503, 504])
    def test_no_status_makes_it_be_sent_again(self, alpaca: AlpacaMarket, status: int) -> None:
        alpaca.stand.faults.arm(FaultName.SERVER_ERROR_AFTER, amount=status)
        assert isinstance(alpaca.gateway.place(buy(alpaca.share)), Unknown)
        assert len(alpaca.sent("POST *")) == 1

    @pytest.mark.parametrize("fault", sorted(ARRIVES))
    def test_a_lost_one_is_found_by_its_tag(self, alpaca: AlpacaMarket, fault: FaultName) -> None:
        alpaca.stand.faults.arm(fault, match="POST /v2/orders")
        alpaca.gateway.place(buy(alpaca.share))
        found = alpaca.gateway.order_by_tag("TAG1")
        assert found is not None
        assert found.tag == "TAG1"

    def test_one_that_never_arrived_is_not_found(self, alpaca: AlpacaMarket) -> None:
        alpaca.stand.faults.arm(FaultName.SERVER_ERROR_BEFORE)
        alpaca.gateway.place(buy(alpaca.share))
        assert alpaca.gateway.order_by_tag("TAG1") is None

    def test_a_tag_used_before_is_never_a_refusal(self, alpaca: AlpacaMarket) -> None:
        """A lost answer, and the order sent again by somebody's mistake: it is the one there."""
        alpaca.stand.faults.arm(FaultName.DROP_REPLY, match="POST /v2/orders")
        alpaca.gateway.place(buy(alpaca.share))
        outcome = alpaca.gateway.place(buy(alpaca.share))
        assert isinstance(outcome, Accepted)
        assert outcome.broker_order_id == alpaca.gateway.orders()[0].broker_order_id
        assert alpaca.orders_at_broker("TAG1") == 1

    @pytest.mark.parametrize("fault", [FaultName.DROP_REPLY, FaultName.RATE_LIMITED])
    def test_a_tag_used_before_that_cannot_be_looked_up_is_unknown(
        self, alpaca: AlpacaMarket, fault: FaultName
    ) -> None:
        placed(alpaca.gateway.place(buy(alpaca.share)))
        alpaca.stand.faults.arm(fault, match="GET *")
        assert isinstance(alpaca.gateway.place(buy(alpaca.share)), Unknown)

    def test_a_tag_used_before_by_an_order_not_shown_yet_is_unknown(
        self, alpaca: AlpacaMarket
    ) -> None:
        alpaca.stand.faults.arm(FaultName.SURFACES_LATE, match="place")
        placed(alpaca.gateway.place(buy(alpaca.share)))
        assert isinstance(alpaca.gateway.place(buy(alpaca.share)), Unknown)

    def test_refused_keys_are_a_refusal(self, alpaca: AlpacaMarket) -> None:
        alpaca.stand.faults.arm(FaultName.EXPIRED_TOKEN)
        assert isinstance(alpaca.gateway.place(buy(alpaca.share)), Refused)
        assert alpaca.orders_at_broker("TAG1") == 0

    def test_a_refusal_that_comes_later_stands_in_the_book(self, alpaca: AlpacaMarket) -> None:
        alpaca.stand.faults.arm(FaultName.RMS_IN_BOOK, match="place")
        broker_order_id = placed(alpaca.gateway.place(buy(alpaca.share)))
        assert report_of(alpaca.gateway, broker_order_id).status is BrokerStatus.REJECTED

    def test_a_fill_before_the_answer_is_one_order(self, alpaca: AlpacaMarket) -> None:
        alpaca.stand.faults.arm(FaultName.FILL_BEFORE_ORDER, match="place")
        broker_order_id = placed(alpaca.gateway.place(buy(alpaca.share)))
        assert report_of(alpaca.gateway, broker_order_id).status is BrokerStatus.FILLED

    def test_many_fills_are_read_over_many_pages(self, alpaca: AlpacaMarket) -> None:
        alpaca.stand.faults.arm(FaultName.MANY_FILLS, match="place", amount=250)
        alpaca.stand.faults.arm(FaultName.FILL_BEFORE_ORDER, match="place")
        placed(alpaca.gateway.place(buy(alpaca.share, quantity=250)))
        trades = alpaca.gateway.trades()
        assert (len(trades), len({each.trade_id for each in trades})) == (250, 250)

    def test_one_held_back_by_the_governor_was_not_sent(self, alpaca: AlpacaMarket) -> None:
        gateway = gateway_for(alpaca.account, clock=alpaca.now)
        governor = governor_for(alpaca.account.connection, clock=alpaca.now)
        for _ in range(160):
            governor("POST", "/v2/orders")
        outcome = gateway.place(buy(alpaca.share))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"
        assert alpaca.sent("POST *") == []

    def test_reads_leave_room_for_orders(self, alpaca: AlpacaMarket) -> None:
        gateway = gateway_for(alpaca.account, clock=alpaca.now)
        governor = governor_for(alpaca.account.connection, clock=alpaca.now)
        for _ in range(120):
            governor("GET", "/v2/account")
        with pytest.raises(HeldBack):
            governor("GET", "/v2/account")
        assert placed(gateway.place(buy(alpaca.share)))


class TestCancelling:
    def cancel(self, alpaca: AlpacaMarket, order_id: str) -> Outcome:
        return alpaca.gateway.cancel(cancel_of(order_id, alpaca.share))

    @pytest.mark.parametrize(
        "fault", [each for each in WIRE if each is not FaultName.TRUNCATED_JSON]
    )
    def test_an_answer_that_proves_nothing_is_unknown(
        self, alpaca: AlpacaMarket, resting: str, fault: FaultName
    ) -> None:
        alpaca.stand.faults.arm(fault, match="DELETE *")
        assert isinstance(self.cancel(alpaca, resting), Unknown)
        assert len(alpaca.sent("DELETE *")) == 1

    def test_a_fill_beats_it(self, alpaca: AlpacaMarket, resting: str) -> None:
        alpaca.stand.faults.arm(FaultName.CANCEL_LOSES_TO_FILL, match="cancel")
        placed(self.cancel(alpaca, resting))
        assert report_of(alpaca.gateway, resting).status is BrokerStatus.FILLED

    def test_refused_keys_are_a_refusal(self, alpaca: AlpacaMarket, resting: str) -> None:
        alpaca.stand.faults.arm(FaultName.EXPIRED_TOKEN)
        assert isinstance(self.cancel(alpaca, resting), Refused)


class TestReading:
    @pytest.mark.parametrize("read", READS, ids=NAMES)
    @pytest.mark.parametrize("fault", [each for each in WIRE if each is not FaultName.WRONG_IP])
    def test_a_bad_answer_is_never_nothing(
        self,
        alpaca: AlpacaMarket,
        resting: str,
        read: Callable[[AlpacaMarket], object],
        fault: FaultName,
    ) -> None:
        alpaca.stand.faults.arm(fault, match="GET *")
        with pytest.raises(GatewayUnavailable):
            read(alpaca)

    def test_a_delay_within_patience_is_an_answer(self, alpaca: AlpacaMarket, resting: str) -> None:
        alpaca.stand.faults.arm(FaultName.DELAY, seconds=0.2)
        assert len(alpaca.gateway.orders()) == 1

    def test_an_order_that_surfaces_late_is_not_there_until_then(
        self, alpaca: AlpacaMarket
    ) -> None:
        alpaca.stand.faults.arm(FaultName.SURFACES_LATE, match="place")
        alpaca.gateway.place(buy(alpaca.share))
        assert alpaca.gateway.order_by_tag("TAG1") is None
        alpaca.stand.clock.move(90)
        assert alpaca.gateway.order_by_tag("TAG1") is not None

    def test_an_empty_book_is_alpaca_s_word_for_none(
        self, alpaca: AlpacaMarket, resting: str
    ) -> None:
        """Alpaca writes [] for none, so that one by error cannot be told from it: whoever reads
        the book compares it with the orders that are known to work."""
        alpaca.stand.faults.arm(FaultName.EMPTY_BOOK, times=2, match="orders")
        assert list(alpaca.gateway.orders()) == []

    def test_more_orders_than_a_page_holds_are_all_read(self, alpaca: AlpacaMarket) -> None:
        broker = alpaca.stand.broker
        for number in range(1010):
            alpaca.stand.clock.move(0.001)
            broker.place(CLIENT, _request(f"BULK{number}"))
        broker.advance()
        reports = alpaca.gateway.orders()
        assert len({each.tag for each in reports}) == 1010


def _request(tag: str) -> SimOrderRequest:
    return SimOrderRequest(
        tag, "US1", Side.BUY, 1, OrderType.LIMIT, Product.CNC, price=Decimal("95.00")
    )
