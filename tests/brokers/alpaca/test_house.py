"""What the house makes of Alpaca's reports: a changed order stays one order."""

from decimal import Decimal

import pytest

from brokers.terms import Segment
from market.models import Instrument
from operations.models import ErrorLog
from orders.models import EventSource, Order, ParkedReport, Trade
from orders.services.reporting import apply_updates
from orders.states import OrderStatus
from tests.brokers.alpaca.market import AlpacaMarket
from tests.brokers.contract import buy, change_of, placed


def reconcile(alpaca: AlpacaMarket) -> None:
    apply_updates(
        alpaca.account,
        orders=alpaca.gateway.orders(),
        trades=alpaca.gateway.trades(),
        source=EventSource.RECONCILE,
        now=alpaca.now(),
    )


@pytest.fixture
def changed(alpaca: AlpacaMarket) -> str:
    """An order that the house took in, that was changed twice, and taken in between."""
    Instrument.objects.create(
        key="NASDAQ:AAPL",
        trading_symbol="AAPL",
        exchange="NASDAQ",
        segment=Segment.US_EQ,
        instrument_type="EQ",
        tick_size="0.01",
        currency="USD",
    )
    alpaca.trade("101.00")
    order_id = placed(alpaca.gateway.place(buy(alpaca.share)))
    alpaca.wait()
    for price in ("99.50", "99.00"):
        reconcile(alpaca)
        alpaca.gateway.modify(change_of(order_id, buy(alpaca.share), price=Decimal(price)))
        alpaca.wait()
    reconcile(alpaca)
    return order_id


class TestAChangedOrder:
    def test_is_one_order_and_no_alarm(self, alpaca: AlpacaMarket, changed: str) -> None:
        order = Order.objects.get()
        assert (order.broker_order_id, order.price) == (changed, Decimal("99.0000"))
        assert not ErrorLog.objects.exists()

    def test_gets_the_fills_of_what_replaced_it(self, alpaca: AlpacaMarket, changed: str) -> None:
        alpaca.trade("98.00", volume=16)
        reconcile(alpaca)
        alpaca.trade("98.00", volume=1000)
        reconcile(alpaca)
        reconcile(alpaca)
        order = Order.objects.get()
        assert (order.state, order.traded_quantity) == (OrderStatus.FILLED, 10)
        assert sum(trade.quantity for trade in Trade.objects.all()) == 10
        assert not ParkedReport.objects.exists()
