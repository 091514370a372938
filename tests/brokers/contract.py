"""What every broker's gateway must do, whoever is behind it.

An adapter takes the test by a class of its own: it inherits :class:`GatewayContract` and offers a
fixture ``driver``. The driver plays the market, which a gateway cannot: it lets time pass and
lets an instrument trade. Sentences that a broker cannot keep are overridden there, with a reason.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import pytest

from brokers.gateway import (
    Accepted,
    BrokerStatus,
    CancelRequest,
    Gateway,
    InstrumentRef,
    ModifyRequest,
    OrderReport,
    Outcome,
    PlaceRequest,
    Refused,
)
from brokers.terms import OrderType, Product, Segment, Side, Validity


class MarketDriver(Protocol):
    """The market around one account with enough money, in an open session."""

    gateway: Gateway
    share: InstrumentRef

    def trade(self, price: str, *, volume: int = 0) -> None:
        """Let the share trade at that price, so much of it, a moment later."""
        ...

    def wait(self) -> None:
        """Let the exchange acknowledge what was sent."""
        ...

    def now(self) -> datetime: ...


def buy(share: InstrumentRef, tag: str = "TAG1", **changes: Any) -> PlaceRequest:
    """A limit order for ten shares at 100, intraday where the segment has that."""
    is_american = share.segment is Segment.US_EQ
    request = PlaceRequest(
        tag=tag,
        instrument=share,
        side=Side.BUY,
        quantity=10,
        order_type=OrderType.LIMIT,
        product=Product.CNC if is_american else Product.MIS,
        validity=Validity.DAY,
        price=Decimal("100.00"),
    )
    return replace(request, **changes)


def placed(outcome: Outcome) -> str:
    """Return the order's id, and fail where it was not taken."""
    assert isinstance(outcome, Accepted), outcome
    return outcome.broker_order_id


def report_of(gateway: Gateway, broker_order_id: str) -> OrderReport:
    return next(each for each in gateway.orders() if each.broker_order_id == broker_order_id)


def change_of(broker_order_id: str, request: PlaceRequest, **changes: Any) -> ModifyRequest:
    change = ModifyRequest(
        broker_order_id=broker_order_id,
        instrument=request.instrument,
        order_type=request.order_type,
        validity=request.validity,
        quantity=request.quantity,
        price=request.price,
    )
    return replace(change, **changes)


def cancel_of(broker_order_id: str, share: InstrumentRef) -> CancelRequest:
    """Take back a limit order."""
    return CancelRequest(broker_order_id, share, OrderType.LIMIT)


class GatewayContract:
    """Placing, finding, filling, changing, cancelling, reading: the sentences of the port."""

    @pytest.fixture
    def resting(self, driver: MarketDriver) -> str:
        """An order that waits in the book below the market."""
        driver.trade("101.00", volume=0)
        broker_order_id = placed(driver.gateway.place(buy(driver.share)))
        driver.wait()
        return broker_order_id

    def test_an_order_taken_is_named(self, driver: MarketDriver) -> None:
        assert placed(driver.gateway.place(buy(driver.share)))

    def test_an_order_taken_is_found_by_its_tag(self, driver: MarketDriver) -> None:
        broker_order_id = placed(driver.gateway.place(buy(driver.share, tag="MYTAG")))
        found = [each.broker_order_id for each in driver.gateway.orders() if each.tag == "MYTAG"]
        assert found == [broker_order_id]

    def test_an_order_is_reported_as_it_was_sent(self, driver: MarketDriver) -> None:
        request = buy(driver.share)
        report = report_of(driver.gateway, placed(driver.gateway.place(request)))
        assert (report.instrument_key, report.side, report.quantity, report.price) == (
            request.instrument.key,
            Side.BUY,
            10,
            Decimal("100.00"),
        )
        assert (report.order_type, report.product) == (OrderType.LIMIT, request.product)

    def test_an_order_acknowledged_is_open(self, driver: MarketDriver, resting: str) -> None:
        assert report_of(driver.gateway, resting).status is BrokerStatus.OPEN

    def test_two_orders_have_two_names(self, driver: MarketDriver) -> None:
        first = placed(driver.gateway.place(buy(driver.share, tag="ONE")))
        assert placed(driver.gateway.place(buy(driver.share, tag="TWO"))) != first

    def test_a_tag_sent_again_makes_no_second_order(self, driver: MarketDriver) -> None:
        driver.gateway.place(buy(driver.share))
        driver.gateway.place(buy(driver.share))
        assert len(driver.gateway.orders()) == 1

    def test_a_price_off_the_tick_is_refused_in_words(self, driver: MarketDriver) -> None:
        outcome = driver.gateway.place(buy(driver.share, price=Decimal("100.013")))
        assert isinstance(outcome, Refused)
        assert outcome.reason
        assert outcome.proof

    def test_an_order_of_nothing_is_refused(self, driver: MarketDriver) -> None:
        assert isinstance(driver.gateway.place(buy(driver.share, quantity=0)), Refused)

    def test_an_order_beyond_the_money_is_refused(self, driver: MarketDriver) -> None:
        outcome = driver.gateway.place(buy(driver.share, quantity=100_000_000))
        assert isinstance(outcome, Refused)

    def test_a_delivery_sale_of_nothing_held_is_refused(self, driver: MarketDriver) -> None:
        request = buy(driver.share, side=Side.SELL, product=Product.CNC)
        assert isinstance(driver.gateway.place(request), Refused)

    def test_an_order_refused_is_not_working(self, driver: MarketDriver) -> None:
        driver.gateway.place(buy(driver.share, quantity=0))
        working = [each for each in driver.gateway.orders() if each.status is BrokerStatus.OPEN]
        assert working == []

    def test_a_limit_waits_while_the_market_is_dearer(
        self, driver: MarketDriver, resting: str
    ) -> None:
        driver.trade("100.50", volume=1000)
        assert report_of(driver.gateway, resting).filled_quantity == 0

    def test_a_limit_fills_when_the_market_trades_through(
        self, driver: MarketDriver, resting: str
    ) -> None:
        driver.trade("99.00", volume=1000)
        report = report_of(driver.gateway, resting)
        assert (report.status, report.filled_quantity) == (BrokerStatus.FILLED, 10)

    def test_a_fill_is_never_worse_than_the_limit(self, driver: MarketDriver, resting: str) -> None:
        driver.trade("99.00", volume=1000)
        average = report_of(driver.gateway, resting).average_price
        assert average is not None
        assert average <= Decimal("100.00")

    def test_little_volume_fills_a_part(self, driver: MarketDriver, resting: str) -> None:
        driver.trade("99.00", volume=16)
        report = report_of(driver.gateway, resting)
        assert report.status is BrokerStatus.PARTIALLY_FILLED
        assert 0 < report.filled_quantity < 10

    def test_the_rest_of_a_part_fills_later(self, driver: MarketDriver, resting: str) -> None:
        driver.trade("99.00", volume=16)
        driver.trade("99.00", volume=1000)
        assert report_of(driver.gateway, resting).filled_quantity == 10

    def test_the_trades_add_up_to_the_filled_quantity(
        self, driver: MarketDriver, resting: str
    ) -> None:
        driver.trade("99.00", volume=16)
        driver.trade("99.00", volume=1000)
        trades = driver.gateway.trades()
        assert sum(each.quantity for each in trades) == 10
        assert {each.broker_order_id for each in trades} == {resting}
        assert len({each.trade_id for each in trades}) == len(trades)

    def test_reports_count_upwards(self, driver: MarketDriver, resting: str) -> None:
        before = report_of(driver.gateway, resting).sequence
        driver.trade("99.00", volume=1000)
        assert report_of(driver.gateway, resting).sequence > before

    def test_an_order_cancelled_is_cancelled(self, driver: MarketDriver, resting: str) -> None:
        placed(driver.gateway.cancel(cancel_of(resting, driver.share)))
        driver.wait()
        assert report_of(driver.gateway, resting).status is BrokerStatus.CANCELLED

    def test_an_order_cancelled_fills_no_more(self, driver: MarketDriver, resting: str) -> None:
        driver.gateway.cancel(cancel_of(resting, driver.share))
        driver.trade("99.00", volume=1000)
        assert report_of(driver.gateway, resting).filled_quantity == 0

    def test_a_filled_order_cannot_be_cancelled(self, driver: MarketDriver, resting: str) -> None:
        driver.trade("99.00", volume=1000)
        assert isinstance(driver.gateway.cancel(cancel_of(resting, driver.share)), Refused)

    def test_a_stranger_s_order_cannot_be_cancelled(self, driver: MarketDriver) -> None:
        assert isinstance(driver.gateway.cancel(cancel_of("NOSUCHORDER", driver.share)), Refused)

    def test_an_order_changed_has_its_new_price(self, driver: MarketDriver, resting: str) -> None:
        change = change_of(resting, buy(driver.share), price=Decimal("100.50"))
        placed(driver.gateway.modify(change))
        driver.wait()
        assert report_of(driver.gateway, resting).price == Decimal("100.50")

    def test_a_filled_order_cannot_be_changed(self, driver: MarketDriver, resting: str) -> None:
        driver.trade("99.00", volume=1000)
        change = change_of(resting, buy(driver.share), price=Decimal("100.50"))
        assert isinstance(driver.gateway.modify(change), Refused)

    def test_an_order_cannot_shrink_below_its_fills(
        self, driver: MarketDriver, resting: str
    ) -> None:
        driver.trade("99.00", volume=16)
        change = change_of(resting, buy(driver.share), quantity=1)
        assert isinstance(driver.gateway.modify(change), Refused)

    def test_a_market_order_fills_at_the_market(self, driver: MarketDriver) -> None:
        driver.trade("101.00")
        request = buy(driver.share, order_type=OrderType.MARKET, price=None)
        broker_order_id = placed(driver.gateway.place(request))
        driver.wait()
        driver.trade("101.00", volume=1000)
        assert report_of(driver.gateway, broker_order_id).status is BrokerStatus.FILLED

    def test_an_immediate_order_never_rests(self, driver: MarketDriver) -> None:
        driver.trade("101.00")
        request = buy(driver.share, validity=Validity.IOC)
        broker_order_id = placed(driver.gateway.place(request))
        driver.wait()
        driver.trade("101.00", volume=1000)
        assert report_of(driver.gateway, broker_order_id).status is BrokerStatus.CANCELLED

    def test_a_stop_waits_for_its_trigger(self, driver: MarketDriver) -> None:
        driver.trade("99.00")
        broker_order_id = placed(driver.gateway.place(self._stop(driver)))
        driver.wait()
        assert report_of(driver.gateway, broker_order_id).status is BrokerStatus.TRIGGER_PENDING

    def test_a_stop_fills_beyond_its_trigger(self, driver: MarketDriver) -> None:
        driver.trade("99.00")
        broker_order_id = placed(driver.gateway.place(self._stop(driver)))
        driver.wait()
        driver.trade("100.50", volume=1000)
        assert report_of(driver.gateway, broker_order_id).status is BrokerStatus.FILLED

    def test_a_fill_makes_a_position(self, driver: MarketDriver, resting: str) -> None:
        driver.trade("99.00", volume=1000)
        positions = driver.gateway.positions()
        assert [(each.instrument_key, each.quantity) for each in positions] == [
            (driver.share.key, 10)
        ]

    def test_a_working_order_blocks_money(self, driver: MarketDriver) -> None:
        before = driver.gateway.funds().available
        driver.gateway.place(buy(driver.share))
        assert driver.gateway.funds().available < before

    def test_a_cancelled_order_frees_its_money(self, driver: MarketDriver) -> None:
        before = driver.gateway.funds().available
        driver.gateway.cancel(
            cancel_of(placed(driver.gateway.place(buy(driver.share))), driver.share)
        )
        driver.wait()
        assert driver.gateway.funds().available == before

    def test_margin_is_told_before_sending(self, driver: MarketDriver) -> None:
        assert driver.gateway.margin(buy(driver.share)).total > 0

    def test_capabilities_name_what_can_be_sent(self, driver: MarketDriver) -> None:
        capabilities = driver.gateway.capabilities(driver.share.segment)
        assert capabilities is not None
        assert OrderType.LIMIT in capabilities.order_types
        assert Validity.DAY in capabilities.validities

    def test_an_index_cannot_be_traded(self, driver: MarketDriver) -> None:
        assert driver.gateway.capabilities(Segment.IDX) is None

    def _stop(self, driver: MarketDriver) -> PlaceRequest:
        return buy(
            driver.share,
            order_type=OrderType.SL,
            price=Decimal("101.00"),
            trigger_price=Decimal("100.00"),
        )
