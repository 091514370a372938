"""Angel One's gateway keeps the port's contract, as far as Angel One lets it."""

from decimal import Decimal
from typing import Any

import pytest

from brokers.gateway import Accepted, BrokerStatus, PlaceRequest, Refused
from brokers.terms import Product, Side, Validity
from tests.brokers.angel.market import AngelMarket
from tests.brokers.contract import GatewayContract, MarketDriver, buy, change_of, placed, report_of


class TestAngelGateway(GatewayContract):
    @pytest.fixture
    def driver(self, market: AngelMarket) -> AngelMarket:
        return market

    def test_a_tag_sent_again_makes_no_second_order(self, driver: MarketDriver) -> None:
        # Angel's tags are labels that anybody may use twice: the house alone keeps them unique.
        driver.gateway.place(buy(driver.share))
        driver.gateway.place(buy(driver.share))
        assert [each.tag for each in driver.gateway.orders()] == ["TAG1", "TAG1"]

    @pytest.mark.parametrize(
        "changes",
        [
            {"price": Decimal("100.013")},
            {"quantity": 100_000_000},
            {"side": Side.SELL, "product": Product.CNC},
        ],
        ids=["off the tick", "beyond the money", "nothing held"],
    )
    def test_what_risk_management_refuses_stands_rejected_in_the_book(
        self, driver: MarketDriver, changes: dict[str, Any]
    ) -> None:
        broker_order_id = placed(driver.gateway.place(buy(driver.share, **changes)))
        report = report_of(driver.gateway, broker_order_id)
        assert report.status is BrokerStatus.REJECTED
        assert report.message

    # Angel tells these three in its order book alone, as the test above shows.
    test_a_price_off_the_tick_is_refused_in_words = None  # type: ignore[assignment]
    test_an_order_beyond_the_money_is_refused = None  # type: ignore[assignment]
    test_a_delivery_sale_of_nothing_held_is_refused = None  # type: ignore[assignment]

    def test_reports_count_upwards(self, driver: MarketDriver, resting: str) -> None:
        # Angel numbers no report; its time, to the second, is all there is.
        before = report_of(driver.gateway, resting)
        driver.trade("99.00", volume=1000)
        after = report_of(driver.gateway, resting)
        assert (before.sequence, after.sequence) == (0, 0)
        assert after.updated_at > before.updated_at

    def test_an_order_cannot_shrink_below_its_fills(
        self, driver: MarketDriver, resting: str
    ) -> None:
        # The change is taken and then refused at the exchange: the order stays as it was.
        driver.trade("99.00", volume=16)
        driver.gateway.modify(change_of(resting, buy(driver.share), quantity=1))
        assert report_of(driver.gateway, resting).quantity == 10

    def test_an_immediate_order_never_rests(self, driver: MarketDriver) -> None:
        # Prohibited for algorithms at Angel: it is not sent at all.
        outcome = driver.gateway.place(buy(driver.share, validity=Validity.IOC))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"

    def test_a_stop_keeps_its_variety_when_changed(self, driver: MarketDriver) -> None:
        driver.trade("99.00")
        request: PlaceRequest = self._stop(driver)
        broker_order_id = placed(driver.gateway.place(request))
        driver.wait()
        change = change_of(broker_order_id, request, trigger_price=Decimal("100.50"))
        assert isinstance(driver.gateway.modify(change), Accepted)
        driver.wait()
        report = report_of(driver.gateway, broker_order_id)
        assert report.trigger_price == Decimal("100.50")
        assert report.status is BrokerStatus.TRIGGER_PENDING
