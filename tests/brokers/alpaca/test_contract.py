"""Alpaca keeps the port's contract, over a real socket and with the official SDK."""

import pytest

from brokers.gateway import Accepted, BrokerStatus
from tests.brokers.alpaca.market import AlpacaMarket
from tests.brokers.contract import GatewayContract, MarketDriver, buy, placed, report_of


class TestAlpacaGateway(GatewayContract):
    @pytest.fixture
    def driver(self, alpaca: AlpacaMarket) -> AlpacaMarket:
        return alpaca

    def test_a_tag_sent_again_is_the_order_that_is_there(self, driver: MarketDriver) -> None:
        first = placed(driver.gateway.place(buy(driver.share)))
        again = driver.gateway.place(buy(driver.share))
        assert again == Accepted(first, driver.now())

    def test_reports_count_upwards(self, driver: MarketDriver, resting: str) -> None:
        """Alpaca numbers no changes: its time and what has filled tell the newer report."""
        before = report_of(driver.gateway, resting)
        driver.trade("99.00", volume=1000)
        after = report_of(driver.gateway, resting)
        assert (before.sequence, after.sequence) == (0, 0)
        assert after.updated_at > before.updated_at

    def test_an_order_on_its_way_is_placed(self, driver: MarketDriver) -> None:
        broker_order_id = placed(driver.gateway.place(buy(driver.share)))
        assert report_of(driver.gateway, broker_order_id).status is BrokerStatus.PLACED
