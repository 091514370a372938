"""Every fault of the simulator, on every kind of call: the outcome, and at most one order."""

from collections.abc import Callable, Sequence

import pytest

from brokers.adapters.dhan.gateway import DhanGateway
from brokers.gateway import (
    Accepted,
    BrokerStatus,
    GatewayUnavailable,
    Outcome,
    Refused,
    Unknown,
)
from brokers.models import BrokerCall
from brokers.simulator.dhan.tokens import CLIENT
from brokers.simulator.faults import SURFACES_AFTER_SECONDS
from brokers.transport import Manners
from tests.brokers.contract import buy, cancel_of, change_of, placed, report_of
from tests.brokers.dhan.market import DhanMarket

ORDERS = "/v2/orders*"
# fault, what it proves of a write, whether the write was done
WIRE = (
    ("drop_reply", Unknown, True),
    ("server_error_after", Unknown, True),
    ("server_error_before", Unknown, False),
    ("truncated_json", Unknown, True),
    ("html_200", Unknown, True),
    ("rate_limited", Refused, False),
    ("wrong_ip", Refused, False),
    ("expired_token", Refused, False),
)
READS: tuple[Callable[[DhanGateway], object], ...] = (
    DhanGateway.orders,
    DhanGateway.trades,
    DhanGateway.positions,
    DhanGateway.holdings,
    DhanGateway.funds,
    DhanGateway.triggers,
    DhanGateway.profile,
    DhanGateway.sale_authorisations,
    DhanGateway.kill_switch_is_on,
)


def tagged(market: DhanMarket, tag: str = "TAG1") -> int:
    return len(market.stand.broker.orders_tagged(CLIENT, tag))


@pytest.mark.parametrize(("fault", "kind", "is_done"), WIRE, ids=[each[0] for each in WIRE])
class TestAWriteThatMeets:
    def test_it_when_placing(
        self, market: DhanMarket, fault: str, kind: type[Outcome], is_done: bool
    ) -> None:
        market.stand.faults.arm(fault, match=ORDERS)
        assert isinstance(market.own.place(buy(market.share)), kind)
        assert tagged(market) == is_done

    def test_it_when_cancelling(
        self, market: DhanMarket, fault: str, kind: type[Outcome], is_done: bool
    ) -> None:
        order_id = placed(market.own.place(buy(market.share)))
        market.stand.faults.arm(fault, match=ORDERS)
        outcome = market.own.cancel(cancel_of(order_id, market.share))
        assert isinstance(outcome, kind)
        order = market.stand.broker.order(CLIENT, order_id)
        assert order is not None
        assert order.state.is_final == is_done

    def test_it_when_changing(
        self, market: DhanMarket, fault: str, kind: type[Outcome], is_done: bool
    ) -> None:
        order_id = placed(market.own.place(buy(market.share)))
        market.stand.faults.arm(fault, match=ORDERS)
        outcome = market.own.modify(change_of(order_id, buy(market.share), quantity=5))
        assert isinstance(outcome, kind)
        order = market.stand.broker.order(CLIENT, order_id)
        assert order is not None
        assert order.quantity == (5 if is_done else 10)

    def test_it_is_found_by_its_tag_afterwards(
        self, market: DhanMarket, fault: str, kind: type[Outcome], is_done: bool
    ) -> None:
        market.stand.faults.arm(fault, match=ORDERS)
        gateway = market.own
        gateway.place(buy(market.share))
        market.stand.faults.clear()
        if fault == "expired_token":
            return  # Nobody is logged in any more; the refusal was proven.
        assert (gateway.order_by_tag("TAG1") is not None) == is_done


READ_FAULTS = (
    "drop_reply",
    "server_error_after",
    "server_error_before",
    "truncated_json",
    "html_200",
    "rate_limited",
    "expired_token",
)


class TestARead:
    @pytest.mark.parametrize("fault", READ_FAULTS)
    @pytest.mark.parametrize("read", READS, ids=lambda read: read.__name__)
    def test_is_unavailable_and_never_nothing(
        self, market: DhanMarket, read: Callable[[DhanGateway], Sequence[object]], fault: str
    ) -> None:
        market.stand.faults.arm(fault, match="/v2/*")
        with pytest.raises(GatewayUnavailable):
            read(market.own)

    def test_is_made_from_any_address(self, market: DhanMarket) -> None:
        market.stand.faults.arm("wrong_ip")
        assert market.own.orders() == []

    def test_of_a_book_that_is_empty_by_error_is_mended_by_the_next(
        self, market: DhanMarket
    ) -> None:
        """Dhan's 200 with no orders cannot be told from none: the house reads twice."""
        placed(market.own.place(buy(market.share)))
        market.stand.faults.arm("empty_book", match="orders")
        assert [len(market.own.orders()) for _ in range(2)] == [0, 1]


class TestABrokerThatIsSlow:
    def test_is_given_up_and_nothing_is_sent_again(self, market: DhanMarket) -> None:
        gateway = market.own
        gateway._transport.manners = Manners(read_timeout=0.3)
        market.stand.faults.arm("delay", match=ORDERS, seconds=1)
        assert isinstance(gateway.place(buy(market.share)), Unknown)
        assert tagged(market) == 1
        assert market.stand.requests("POST /v2/orders") == ["POST /v2/orders"]


class TestABrokerThatIsAway:
    def test_was_sent_nothing(self, market: DhanMarket, settings) -> None:
        settings.BROKER_ENDPOINTS = {"dhan": "http://127.0.0.1:9"}
        outcome = market.own.place(buy(market.share))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"


class TestTheExchange:
    def test_refuses_in_the_book_alone(self, market: DhanMarket) -> None:
        market.stand.faults.arm("rms_in_book", match="place")
        order_id = placed(market.own.place(buy(market.share)))
        report = report_of(market.own, order_id)
        assert report.status is BrokerStatus.REJECTED
        assert "risk management" in report.message

    def test_may_show_an_order_late(self, market: DhanMarket) -> None:
        market.stand.faults.arm("surfaces_late", match="place")
        market.stand.faults.arm("drop_reply", match=ORDERS)
        assert isinstance(market.own.place(buy(market.share)), Unknown)
        assert market.own.order_by_tag("TAG1") is None
        market.stand.clock.move(SURFACES_AFTER_SECONDS + 1)
        assert market.own.order_by_tag("TAG1") is not None

    def test_may_fill_what_was_to_be_cancelled(self, market: DhanMarket) -> None:
        order_id = placed(market.own.place(buy(market.share)))
        market.stand.faults.arm("cancel_loses_to_fill", match="cancel")
        assert isinstance(market.own.cancel(cancel_of(order_id, market.share)), Accepted)
        assert report_of(market.own, order_id).status is BrokerStatus.FILLED

    def test_may_fill_one_by_one(self, market: DhanMarket) -> None:
        market.stand.faults.arm("many_fills", match="place", amount=200)
        order_id = placed(market.own.place(buy(market.share, quantity=200)))
        market.trade("99.00", volume=100_000)
        trades = market.own.trades()
        assert sum(each.quantity for each in trades) == 200
        assert len({each.trade_id for each in trades}) == len(trades)
        assert report_of(market.own, order_id).filled_quantity == 200


class TestTheLogOfCalls:
    def test_holds_writes_and_failures_without_secrets(self, market: DhanMarket) -> None:
        market.own.place(buy(market.share))
        market.stand.faults.arm("server_error_before", match="*positions")
        with pytest.raises(GatewayUnavailable):
            market.own.positions()
        calls = list(BrokerCall.objects.order_by("pk"))
        assert [(each.action, each.status_code) for each in calls] == [
            ("/v2/orders", 200),
            ("/v2/positions", 502),
        ]
        told = " ".join(f"{each.request} {each.response} {each.error_message}" for each in calls)
        assert "dhan-demo-token" not in told


class TestTheGovernor:
    def test_holds_back_what_dhan_would_refuse(self, market: DhanMarket) -> None:
        held: list[str] = []

        def admit(method: str, path: str) -> None:
            held.append(f"{method} {path}")

        gateway = DhanGateway(market.account, market.stand.clock, admit=admit)
        gateway.place(buy(market.share))
        assert held == ["POST /v2/orders"]


class TestDhansOwnLimits:
    def test_refuse_the_eleventh_order_of_a_second(self, market: DhanMarket) -> None:
        outcomes = [market.own.place(buy(market.share, tag=f"T{n}")) for n in range(11)]
        assert [type(each) for each in outcomes[:10]] == [Accepted] * 10
        assert isinstance(outcomes[10], Refused)
        assert outcomes[10].proof == "DH-904"
        assert tagged(market, "T10") == 0

    def test_refuse_the_twenty_sixth_change(self, market: DhanMarket) -> None:
        order_id = placed(market.own.place(buy(market.share)))
        outcomes = []
        for number in range(26):
            market.wait()
            change = change_of(order_id, buy(market.share), quantity=11 + number)
            outcomes.append(market.own.modify(change))
        assert [type(each) for each in outcomes] == [Accepted] * 25 + [Refused]


class TestAnIdOfNoOrder:
    """DELETE /orders/ would mean something else altogether."""

    def test_is_not_sent_when_empty(self, market: DhanMarket) -> None:
        outcome = market.gateway.cancel(cancel_of("", market.share))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"

    def test_stays_one_part_of_the_path(self, market: DhanMarket) -> None:
        market.gateway.cancel(cancel_of("../positions", market.share))
        assert market.stand.requests("DELETE /v2/positions") == []
