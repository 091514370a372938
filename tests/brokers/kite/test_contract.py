"""Kite keeps the port's contract, over a real socket and with the official SDK."""

import pytest

from brokers.gateway import BrokerStatus
from tests.brokers.contract import GatewayContract, MarketDriver, buy, report_of
from tests.brokers.kite.market import KiteMarket


class TestKiteGateway(GatewayContract):
    @pytest.fixture
    def driver(self, kite: KiteMarket) -> KiteMarket:
        return kite

    def test_a_tag_sent_again_makes_no_second_order(self, driver: MarketDriver) -> None:
        """Kite does not look at tags: that an order is sent once is the house's own duty."""
        driver.gateway.place(buy(driver.share))
        driver.gateway.place(buy(driver.share))
        assert [each.tag for each in driver.gateway.orders()] == ["TAG1", "TAG1"]

    def test_reports_count_upwards(self, driver: MarketDriver, resting: str) -> None:
        """Kite numbers no changes: its time and what has filled tell the newer report."""
        before = report_of(driver.gateway, resting)
        driver.trade("99.00", volume=1000)
        after = report_of(driver.gateway, resting)
        assert (before.sequence, after.sequence) == (0, 0)
        assert after.updated_at > before.updated_at

    def test_an_order_that_fills_in_parts_is_never_said_to_be_only_open(
        self, driver: MarketDriver, resting: str
    ) -> None:
        driver.trade("99.00", volume=16)
        assert report_of(driver.gateway, resting).status is BrokerStatus.PARTIALLY_FILLED
