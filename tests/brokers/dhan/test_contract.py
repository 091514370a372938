"""Dhan's adapter keeps the port's contract, through its own SDK and a real socket."""

import pytest

from brokers.gateway import Accepted, BrokerStatus
from brokers.terms import OrderType
from tests.brokers.contract import GatewayContract, MarketDriver, buy, placed, report_of
from tests.brokers.dhan.market import DhanMarket


class TestDhanGateway(GatewayContract):
    @pytest.fixture
    def driver(self, market: DhanMarket) -> DhanMarket:
        return market

    def test_a_tag_sent_again_makes_no_second_order(self, driver: MarketDriver) -> None:
        """Dhan does not promise that a correlation id is unique: the house sends once."""
        driver.gateway.place(buy(driver.share))
        driver.gateway.place(buy(driver.share))
        assert len(driver.gateway.orders()) == 2

    def test_an_order_beyond_the_money_is_refused(self, driver: MarketDriver) -> None:
        """Dhan's risk desk speaks after the answer: in the book alone."""
        outcome = driver.gateway.place(buy(driver.share, quantity=100_000))
        self._is_rejected_in_the_book(driver, placed(outcome))

    def test_a_delivery_sale_of_nothing_held_is_refused(self, driver: MarketDriver) -> None:
        """The same: holdings are the risk desk's."""
        from_nothing = buy(driver.share, side=buy(driver.share).side.opposite, product="CNC")
        self._is_rejected_in_the_book(driver, placed(driver.gateway.place(from_nothing)))

    def test_reports_count_upwards(self, driver: MarketDriver, resting: str) -> None:
        """Dhan numbers no changes: reports are told apart by their times."""
        before = report_of(driver.gateway, resting)
        driver.trade("99.00", volume=1000)
        after = report_of(driver.gateway, resting)
        assert (before.sequence, after.sequence) == (0, 0)
        assert after.updated_at > before.updated_at

    def test_a_market_order_comes_back_as_a_protected_limit(self, driver: MarketDriver) -> None:
        driver.trade("101.00")
        request = buy(driver.share, order_type=OrderType.MARKET, price=None)
        report = report_of(driver.gateway, placed(driver.gateway.place(request)))
        assert report.order_type is OrderType.LIMIT
        assert report.price is not None
        assert report.price > 101

    def _is_rejected_in_the_book(self, driver: MarketDriver, order_id: str) -> None:
        report = report_of(driver.gateway, order_id)
        assert report.status is BrokerStatus.REJECTED
        assert report.message


def test_an_outcome_names_the_moment(market: DhanMarket) -> None:
    outcome = market.gateway.place(buy(market.share))
    assert isinstance(outcome, Accepted)
    assert outcome.at == market.now()
