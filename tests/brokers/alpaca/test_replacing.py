"""A change makes a new order at Alpaca; for the house it stays the one that it placed."""

from collections.abc import Iterable
from decimal import Decimal

import pytest

from brokers.adapters.alpaca.chains import Chains, fold
from brokers.gateway import Accepted, BrokerStatus, GatewayUnavailable, Refused, Unknown
from brokers.simulator.faults import FaultName
from brokers.values import Row, Unreadable
from tests.brokers.alpaca.market import AlpacaMarket
from tests.brokers.contract import buy, cancel_of, change_of, placed, report_of

ROOT = "0f0f0f0f-0000-4000-8000-000000000001"
SECOND = "0f0f0f0f-0000-4000-8000-000000000002"


def order(order_id: str = ROOT, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": order_id,
        "client_order_id": "TAG1",
        "status": "new",
        "qty": "10",
        "filled_qty": "0",
        "filled_avg_price": None,
        "updated_at": "2026-06-17T04:30:00Z",
        "replaces": None,
        "replaced_by": None,
    }
    return {**row, **changes}


def replaced_pair(**second: object) -> list[dict[str, object]]:
    first = order(status="replaced", replaced_by=SECOND)
    return [first, order(SECOND, **{"replaces": ROOT, "client_order_id": "x", **second})]


@pytest.fixture
def resting(alpaca: AlpacaMarket) -> str:
    alpaca.trade("101.00")
    broker_order_id = placed(alpaca.gateway.place(buy(alpaca.share)))
    alpaca.wait()
    return broker_order_id


def change(alpaca: AlpacaMarket, order_id: str, price: str, **changes: object) -> object:
    request = change_of(order_id, buy(alpaca.share), price=Decimal(price), **changes)
    outcome = alpaca.gateway.modify(request)
    alpaca.wait()
    return outcome


def folded(rows: Iterable[Row]) -> Row:
    """Return the one chain that the rows make."""
    chains = Chains(rows)
    (head,) = chains.heads()
    return chains.folded(head)


class TestFolding:
    def test_a_circle_is_no_answer(self) -> None:
        rows = [order(replaces=SECOND), order(SECOND, replaces=ROOT)]
        with pytest.raises(Unreadable, match="circle"):
            Chains(rows).folded(rows[0])

    def test_an_order_that_is_not_there_is_no_answer(self) -> None:
        with pytest.raises(Unreadable, match="lacks"):
            first = order(status="replaced", replaced_by=SECOND)
            Chains([first]).folded(first)

    def test_what_is_missing_is_named(self) -> None:
        later = order(SECOND, replaces=ROOT, status="replaced", replaced_by="third")
        assert Chains([later]).missing() == {ROOT, "third"}

    def test_the_first_id_and_tag_stand_for_the_chain(self) -> None:
        row = folded(replaced_pair())
        assert (row["id"], row["client_order_id"], row["venue_id"]) == (ROOT, "TAG1", SECOND)

    def test_the_old_order_counts_until_it_says_replaced(self) -> None:
        first = order(status="pending_replace", replaced_by=SECOND)
        row = folded([first, order(SECOND, replaces=ROOT, qty="99")])
        assert (row["status"], row["qty"]) == ("pending_replace", "10")

    def test_a_change_that_lost_against_a_fill_does_not_count(self) -> None:
        first = order(status="filled", filled_qty="10")
        row = folded([first, order(SECOND, replaces=ROOT, status="rejected")])
        assert row["status"] == "filled"

    def test_fills_of_all_links_add_up(self) -> None:
        first, second = replaced_pair(qty="7", filled_qty="1", filled_avg_price="102")
        row = fold([{**first, "filled_qty": "3", "filled_avg_price": "98"}, second])
        assert (row["qty"], row["filled_qty"], row["filled_avg_price"]) == (10, 4, 99)


class TestModify:
    def test_an_unknown_order_is_not_even_asked_about(self, alpaca: AlpacaMarket) -> None:
        outcome = alpaca.gateway.modify(change_of("NOSUCH", buy(alpaca.share)))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"

    def test_is_not_sent_when_the_order_cannot_be_read(
        self, alpaca: AlpacaMarket, resting: str
    ) -> None:
        alpaca.stand.faults.arm(FaultName.DROP_REPLY, match="GET /v2/orders/*")
        outcome = alpaca.gateway.modify(change_of(resting, buy(alpaca.share)))
        assert isinstance(outcome, Refused)
        assert alpaca.sent("PATCH *") == []

    def test_a_part_filled_order_is_not_changed(self, alpaca: AlpacaMarket, resting: str) -> None:
        alpaca.trade("99.00", volume=16)
        outcome = change(alpaca, resting, "99.50")
        assert isinstance(outcome, Refused)
        assert "cancel the rest" in outcome.reason
        assert alpaca.sent("PATCH *") == []

    def test_an_order_on_its_way_is_refused_by_alpaca(self, alpaca: AlpacaMarket) -> None:
        broker_order_id = placed(alpaca.gateway.place(buy(alpaca.share)))
        assert isinstance(change(alpaca, broker_order_id, "99.50"), Refused)

    def test_keeps_the_id_and_the_tag(self, alpaca: AlpacaMarket, resting: str) -> None:
        assert placed(change(alpaca, resting, "99.50")) == resting  # type: ignore[arg-type]
        (report,) = alpaca.gateway.orders()
        assert (report.broker_order_id, report.tag) == (resting, "TAG1")
        assert report.price == Decimal("99.50")
        assert report.exchange_order_id != resting

    def test_a_quantity_is_the_whole_one(self, alpaca: AlpacaMarket, resting: str) -> None:
        change(alpaca, resting, "99.50", quantity=4)
        assert report_of(alpaca.gateway, resting).quantity == 4

    def test_can_be_done_again_and_again(self, alpaca: AlpacaMarket, resting: str) -> None:
        for price in ("99.50", "99.00", "98.50"):
            assert isinstance(change(alpaca, resting, price), Accepted)
        (report,) = alpaca.gateway.orders()
        assert (report.broker_order_id, report.price) == (resting, Decimal("98.50"))

    def test_is_found_by_the_first_tag(self, alpaca: AlpacaMarket, resting: str) -> None:
        change(alpaca, resting, "99.50")
        report = alpaca.gateway.order_by_tag("TAG1")
        assert report is not None
        assert (report.broker_order_id, report.price) == (resting, Decimal("99.50"))

    def test_under_way_the_old_terms_are_told(self, alpaca: AlpacaMarket, resting: str) -> None:
        alpaca.gateway.modify(change_of(resting, buy(alpaca.share), price=Decimal("99.50")))
        (report,) = alpaca.gateway.orders()
        assert (report.status, report.price) == (BrokerStatus.OPEN, Decimal("100.00"))

    def test_that_loses_against_a_fill_leaves_a_filled_order(
        self, alpaca: AlpacaMarket, resting: str
    ) -> None:
        alpaca.gateway.modify(change_of(resting, buy(alpaca.share), price=Decimal("99.50")))
        alpaca.stand.broker.tick("US1", Decimal("99.00"), volume=1000)
        alpaca.wait()
        (report,) = alpaca.gateway.orders()
        assert (report.status, report.filled_quantity) == (BrokerStatus.FILLED, 10)

    def test_whose_answer_is_lost_is_unknown_and_done_once(
        self, alpaca: AlpacaMarket, resting: str
    ) -> None:
        alpaca.stand.faults.arm(FaultName.DROP_REPLY, match="PATCH *")
        assert isinstance(change(alpaca, resting, "99.50"), Unknown)
        assert len(alpaca.sent("PATCH *")) == 1
        assert report_of(alpaca.gateway, resting).price == Decimal("99.50")


class TestAfterAChange:
    @pytest.fixture
    def changed(self, alpaca: AlpacaMarket, resting: str) -> str:
        change(alpaca, resting, "99.50")
        return resting

    def test_a_cancel_by_the_first_id_ends_it(self, alpaca: AlpacaMarket, changed: str) -> None:
        outcome = alpaca.gateway.cancel(cancel_of(changed, alpaca.share))
        alpaca.wait()
        assert placed(outcome) == changed
        assert report_of(alpaca.gateway, changed).status is BrokerStatus.CANCELLED

    def test_a_cancel_that_cannot_look_it_up_is_unknown(
        self, alpaca: AlpacaMarket, changed: str
    ) -> None:
        alpaca.stand.faults.arm(FaultName.DROP_REPLY, match="GET /v2/orders/*")
        outcome = alpaca.gateway.cancel(cancel_of(changed, alpaca.share))
        assert isinstance(outcome, Unknown)

    def test_its_fills_are_trades_of_the_first_id(self, alpaca: AlpacaMarket, changed: str) -> None:
        alpaca.trade("98.00", volume=16)
        alpaca.trade("98.00", volume=1000)
        trades = alpaca.gateway.trades()
        assert {each.broker_order_id for each in trades} == {changed}
        assert sum(each.quantity for each in trades) == 10

    def test_a_link_that_cannot_be_fetched_makes_no_book(
        self, alpaca: AlpacaMarket, changed: str
    ) -> None:
        alpaca.stand.clock.move(10 * 86_400)  # the first order has left the window
        alpaca.stand.faults.arm(FaultName.SERVER_ERROR_BEFORE, match="GET /v2/orders/*")
        with pytest.raises(GatewayUnavailable):
            alpaca.gateway.orders()

    def test_a_first_order_that_is_no_longer_listed_is_fetched(
        self, alpaca: AlpacaMarket, changed: str
    ) -> None:
        alpaca.stand.clock.move(10 * 86_400)
        (report,) = alpaca.gateway.orders()
        assert report.broker_order_id == changed
