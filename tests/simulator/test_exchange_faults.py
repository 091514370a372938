import time
from decimal import Decimal

import pytest

from brokers.simulator.exchange import OrderState, Refusal
from brokers.simulator.faults import Faults, UnknownFault
from brokers.simulator.records import TradeEvent
from brokers.terms import Side
from tests.simulator.market import (
    CLIENT,
    RELIANCE,
    HandClock,
    an_order,
    listening,
    new_broker,
    orders_in,
    placed,
    quotes_in,
    states,
)


class TestFaults:
    def test_unknown_names_are_refused_with_those_there_are(self):
        with pytest.raises(UnknownFault, match="no fault earthquake: choose one of delay"):
            Faults().arm("earthquake")

    def test_are_taken_as_often_as_they_were_armed(self):
        faults = Faults()
        faults.arm("delay", times=2)
        taken = [faults.take("delay", "/orders") is not None for _ in range(3)]
        assert taken == [True, True, False]

    def test_apply_to_the_paths_they_match(self):
        faults = Faults()
        faults.arm("delay", match="POST /orders*")
        assert faults.take("delay", "/orders/1", method="GET") is None
        assert faults.take("delay", "/orders/1", method="POST") is not None

    def test_that_are_conditions_hold_until_their_time_is_up(self):
        now = [0.0]
        faults = Faults(elapsed=lambda: now[0])
        faults.arm("silent_stream", seconds=5)
        assert faults.is_on("silent_stream")
        assert faults.take("silent_stream") is not None
        now[0] = 5
        assert not faults.is_on("silent_stream")

    def test_are_cleared_by_name_or_all_at_once(self):
        faults = Faults()
        faults.arm("delay")
        faults.arm("html_200")
        faults.clear("delay")
        assert [each["name"] for each in faults.armed()] == ["html_200"]
        faults.clear()
        assert faults.armed() == []


class TestTheBook:
    def test_holds_what_risk_management_rejected(self):
        broker = new_broker()
        broker.faults.arm("rms_in_book")
        order = placed(broker, an_order())
        assert (order.state, order.message[:4]) == (OrderState.REJECTED, "RMS:")
        assert placed(broker, an_order()).state is OrderState.OPEN

    @pytest.mark.parametrize(("fault", "seen"), [("empty_book", 0), ("partial_book", 2)])
    def test_is_wrong_once(self, fault, seen):
        broker = new_broker()
        for _ in range(4):
            placed(broker, an_order(price=Decimal(1390), quantity=1))
        broker.faults.arm(fault, match="orders")
        assert len(broker.positions(CLIENT)) == 0
        assert [len(broker.orders(CLIENT)) for _ in range(2)] == [seen, 4]

    def test_hides_an_order_that_surfaces_late(self):
        clock = HandClock()
        broker = new_broker(clock)
        heard = listening(broker)
        broker.faults.arm("surfaces_late")
        order = placed(broker, an_order(tag="T1"))
        broker.tick(RELIANCE, Decimal(1400))
        clock.move(82)
        assert broker.orders(CLIENT) == broker.orders_tagged(CLIENT, "T1") == ()
        assert broker.history(CLIENT, order.order_id) == ()
        assert isinstance(broker.cancel(CLIENT, order.order_id), Refusal)
        assert orders_in(heard) == []

    def test_shows_it_when_its_time_has_come(self):
        clock = HandClock()
        broker = new_broker(clock)
        heard = listening(broker)
        broker.faults.arm("surfaces_late")
        order = placed(broker, an_order(tag="T1"))
        clock.move(83)
        assert [each.state for each in broker.orders_tagged(CLIENT, "T1")] == [OrderState.OPEN]
        assert [str(each.state) for each in orders_in(heard)] == states(broker, order)
        broker.tick(RELIANCE, Decimal(1400))
        assert len(broker.trades(CLIENT)) == 1


class TestAFill:
    def test_may_be_told_before_the_order_is_answered(self):
        broker = new_broker()
        heard = listening(broker)
        broker.faults.arm("fill_before_order")
        order = placed(broker, an_order())
        assert order.state is OrderState.COMPLETE
        assert any(isinstance(each, TradeEvent) for each in heard)

    def test_may_beat_a_cancel_that_was_accepted(self):
        broker = new_broker()
        order = placed(broker, an_order(price=Decimal(1390)))
        broker.faults.arm("cancel_loses_to_fill")
        assert broker.cancel(CLIENT, order.order_id).state is OrderState.CANCEL_PENDING
        assert states(broker, order)[-2:] == ["CANCEL_PENDING", "COMPLETE"]

    def test_may_come_in_a_hundred_thousand_parts(self):
        broker = new_broker(cash=10**12)
        broker.faults.arm("many_fills")
        order = placed(broker, an_order(quantity=100_000))
        since = time.perf_counter()
        broker.tick(RELIANCE, Decimal(1400))
        took = time.perf_counter() - since
        trades = broker.trades(CLIENT)
        assert len({each.trade_id for each in trades}) == 100_000
        assert sum(each.quantity for each in trades) == 100_000
        assert broker.order(CLIENT, order.order_id).state is OrderState.COMPLETE
        assert took < 30

    def test_may_come_in_as_many_parts_as_asked(self):
        broker = new_broker()
        broker.faults.arm("many_fills", amount=3)
        placed(broker, an_order(Side.SELL, quantity=10))
        broker.tick(RELIANCE, Decimal(1400))
        assert [each.quantity for each in broker.trades(CLIENT)] == [3, 3, 4]


class TestAFeed:
    def test_that_is_stale_repeats_itself_while_the_market_moves(self):
        clock = HandClock()
        broker = new_broker(clock)
        heard = listening(broker)
        broker.tick(RELIANCE, Decimal(1401))
        broker.faults.arm("stale_feed")
        clock.move(5)
        broker.tick(RELIANCE, Decimal(1405))
        told = quotes_in(heard)
        assert told[0] == told[1]
        assert broker.quote(RELIANCE).last_price == 1405

    def test_recovers_when_the_fault_is_cleared(self):
        broker = new_broker()
        heard = listening(broker)
        broker.faults.arm("stale_feed")
        broker.tick(RELIANCE, Decimal(1405))
        broker.faults.clear()
        broker.tick(RELIANCE, Decimal(1406))
        assert [each.last_price for each in quotes_in(heard)] == [1400, 1406]
