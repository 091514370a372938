from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as some

from brokers.terms import Product, Side
from tests.simulator.market import (
    CLIENT,
    FUTURE,
    OPTION,
    RELIANCE,
    an_order,
    new_broker,
    placed,
    refused,
)


def _bought(broker, quantity: int = 10, *, price: int = 1400, product: Product = Product.CNC):
    placed(broker, an_order(quantity=quantity, product=product))
    broker.tick(RELIANCE, Decimal(price))


class TestPositions:
    def test_net_what_was_bought_and_sold(self):
        broker = new_broker()
        _bought(broker, 10, price=1400, product=Product.MIS)
        placed(broker, an_order(Side.SELL, 4))
        broker.tick(RELIANCE, Decimal(1410))
        (position,) = broker.positions(CLIENT)
        assert (position.quantity, position.average_price) == (6, 1400)
        assert (position.buy_value, position.sell_value) == (14_000, 5_640)
        assert (position.realized, position.unrealized) == (40, 60)

    def test_stay_once_they_are_closed(self):
        broker = new_broker()
        _bought(broker, product=Product.MIS)
        placed(broker, an_order(Side.SELL))
        broker.tick(RELIANCE, Decimal(1390))
        (position,) = broker.positions(CLIENT)
        assert (position.quantity, position.realized) == (0, -100)
        assert broker.funds(CLIENT).available == 999_900

    def test_short_gain_as_the_price_falls(self):
        broker = new_broker()
        placed(broker, an_order(Side.SELL))
        broker.tick(RELIANCE, Decimal(1400))
        broker.tick(RELIANCE, Decimal(1390))
        assert broker.positions(CLIENT)[0].unrealized == 100

    def test_of_futures_are_carried_into_the_next_day(self):
        broker = new_broker()
        placed(broker, an_order(quantity=65, instrument_token=FUTURE, product=Product.NRML))
        broker.tick(FUTURE, Decimal(25050))
        broker.next_day()
        (position,) = broker.positions(CLIENT)
        assert (position.carried_quantity, position.buy_quantity) == (65, 0)

    @settings(max_examples=30, deadline=None)
    @given(some.lists(some.tuples(some.sampled_from(Side), some.integers(1, 20)), max_size=12))
    def test_and_cash_never_disagree(self, orders):
        broker = new_broker()
        for number, (side, quantity) in enumerate(orders):
            placed(broker, an_order(side, quantity))
            broker.tick(RELIANCE, Decimal(1400 + number % 5 - 2))
        funds = broker.funds(CLIENT)
        traded = sum(t.quantity * t.price * t.side.sign for t in broker.trades(CLIENT))
        worth = sum(p.quantity * p.last_price for p in broker.positions(CLIENT))
        assert abs(funds.cash + funds.unrealized - (1_000_000 + worth - traded)) < Decimal("0.01")


class TestHoldings:
    def test_come_the_day_after_and_settle_the_next(self):
        broker = new_broker()
        _bought(broker)
        assert broker.holdings(CLIENT) == ()
        broker.next_day()
        (holding,) = broker.holdings(CLIENT)
        assert (holding.quantity, holding.t1_quantity, holding.average_price) == (0, 10, 1400)
        broker.next_day()
        assert broker.holdings(CLIENT)[0].quantity == 10

    def test_can_be_sold_but_not_twice(self):
        broker = new_broker()
        broker.give_holding(CLIENT, RELIANCE, 10, Decimal(1200))
        placed(broker, an_order(Side.SELL, 10, product=Product.CNC))
        refused(broker, an_order(Side.SELL, 1, product=Product.CNC))

    def test_sold_today_leave_tomorrow(self):
        broker = new_broker()
        broker.give_holding(CLIENT, RELIANCE, 10, Decimal(1200))
        placed(broker, an_order(Side.SELL, 4, product=Product.CNC))
        broker.tick(RELIANCE, Decimal(1400))
        assert broker.holdings(CLIENT)[0].quantity == 10
        broker.next_day()
        (holding,) = broker.holdings(CLIENT)
        assert (holding.quantity, holding.average_price) == (6, 1200)

    def test_bought_today_can_be_sold_today(self):
        broker = new_broker()
        _bought(broker)
        placed(broker, an_order(Side.SELL, 10, product=Product.CNC))


class TestFunds:
    def test_pay_for_delivery_in_full(self):
        broker = new_broker()
        _bought(broker)
        assert broker.funds(CLIENT).cash == 986_000

    def test_block_a_fifth_of_an_intraday_position(self):
        broker = new_broker()
        _bought(broker, product=Product.MIS)
        funds = broker.funds(CLIENT)
        assert (funds.cash, funds.used, funds.available) == (1_000_000, 2800, 997_200)

    def test_pay_an_options_premium(self):
        broker = new_broker()
        placed(broker, an_order(quantity=65, instrument_token=OPTION, product=Product.NRML))
        price = broker.quote(OPTION).last_price
        broker.tick(OPTION, price)
        assert broker.funds(CLIENT).cash == 1_000_000 - 65 * price

    def test_are_asked_for_a_margin_without_an_order(self):
        broker = new_broker()
        need = broker.margin(CLIENT, an_order(product=Product.CNC, price=Decimal(1400)))
        assert need == 14_000
        assert broker.orders(CLIENT) == ()
