import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from brokers.adapters.paper.acceptance import Proof
from brokers.simulator.exchange import OrderState, Refusal, Session, SimChanges, SimOrder
from brokers.simulator.records import SimEvent, TradeEvent
from brokers.terms import OrderType, Product, Side, Validity
from tests.simulator.market import (
    CLIENT,
    NIFTY,
    OPTION,
    RELIANCE,
    HandClock,
    an_order,
    listening,
    new_broker,
    orders_in,
    placed,
    refused,
    states,
)


class TestARefusal:
    @pytest.mark.parametrize(
        ("order", "code"),
        [
            (an_order(instrument_token="404"), "SIM:UNKNOWN_INSTRUMENT"),
            (an_order(instrument_token=NIFTY), Proof.NOT_TRADABLE),
            (an_order(product=Product.NRML), Proof.PRODUCT),
            (an_order(instrument_token=OPTION, product=Product.NRML), Proof.QUANTITY),
            (an_order(quantity=0), Proof.QUANTITY),
            (an_order(price=Decimal("1400.03")), Proof.TICK),
            (an_order(price=Decimal(2000)), Proof.BAND),
            (an_order(order_type=OrderType.SL_M, trigger_price=Decimal(1390)), Proof.TRIGGER),
            (an_order(Side.SELL, product=Product.CNC), Proof.HOLDINGS),
            (an_order(is_amo=True), Proof.SESSION),
            (an_order(quantity=100_000), Proof.MARGIN),
        ],
    )
    def test_names_its_reason_and_leaves_no_order(self, order, code):
        broker = new_broker()
        assert refused(broker, order).code == code
        assert broker.orders(CLIENT) == ()

    def test_for_want_of_money_tells_both_sums(self):
        refusal = refused(new_broker(cash=1000), an_order(product=Product.CNC))
        assert refusal.available == 1000
        assert refusal.needed is not None
        assert refusal.needed > 14_000

    def test_may_appear_in_the_book_instead(self):
        broker = new_broker(cash=1000)
        order = placed(broker, an_order(), reject_in_book=True)
        assert order.state is OrderState.REJECTED
        assert "Insufficient Funds" in order.message

    def test_of_the_desk_itself_never_appears_in_the_book(self):
        order = an_order(product=Product.NRML)
        assert refused(new_broker(), order, reject_in_book=True).code == Proof.PRODUCT

    def test_meets_a_closed_exchange(self):
        broker = new_broker()
        broker.set_session(Session.CLOSED)
        assert refused(broker, an_order()).code == Proof.SESSION


class TestAnOrder:
    def test_goes_through_every_state(self):
        broker = new_broker()
        order = placed(broker, an_order())
        broker.tick(RELIANCE, Decimal(1401))
        walked = ["RECEIVED", "VALIDATING", "OPEN_PENDING", "OPEN", "COMPLETE"]
        assert states(broker, order) == walked

    def test_takes_its_time_to_the_exchange(self):
        clock = HandClock()
        broker = new_broker(clock, takes=0.2)
        order = placed(broker, an_order())
        assert order.state is OrderState.OPEN_PENDING
        broker.tick(RELIANCE, Decimal(1400))
        clock.move(0.2)
        assert broker.orders(CLIENT)[0].state is OrderState.OPEN

    def test_fills_in_part_by_the_volume(self):
        broker = new_broker()
        order = placed(broker, an_order(quantity=100))
        broker.tick(RELIANCE, Decimal(1400), volume=40)
        seen = broker.order(CLIENT, order.order_id)
        assert (seen.state, seen.filled_quantity, seen.pending_quantity) == ("PARTIAL", 10, 90)

    def test_at_a_limit_waits_for_its_price(self):
        broker = new_broker()
        order = placed(broker, an_order(price=Decimal(1390)))
        broker.tick(RELIANCE, Decimal(1395))
        broker.tick(RELIANCE, Decimal(1389))
        (trade,) = broker.trades(CLIENT, order.order_id)
        assert trade.price == 1390

    def test_with_a_trigger_waits_for_it(self):
        broker = new_broker()
        stop = an_order(order_type=OrderType.SL_M, trigger_price=Decimal(1410))
        order = placed(broker, stop)
        broker.tick(RELIANCE, Decimal(1411))
        assert states(broker, order)[-3:] == ["TRIGGER_PENDING", "OPEN", "COMPLETE"]

    def test_immediate_or_cancel_never_rests(self):
        broker = new_broker()
        order = placed(broker, an_order(quantity=100, validity=Validity.IOC))
        broker.tick(RELIANCE, Decimal(1400), volume=40)
        seen = broker.order(CLIENT, order.order_id)
        assert (seen.state, seen.cancelled_quantity) == ("CANCELLED", 90)

    def test_after_hours_waits_for_the_open(self):
        broker = new_broker()
        broker.set_session(Session.CLOSED)
        order = placed(broker, an_order(is_amo=True))
        broker.set_session(Session.OPEN)
        assert states(broker, order)[-2:] == ["AMO_RECEIVED", "OPEN"]

    def test_expires_with_the_day(self):
        broker = new_broker()
        heard = listening(broker)
        placed(broker, an_order(price=Decimal(1390)))
        broker.next_day()
        assert broker.orders(CLIENT) == ()
        assert orders_in(heard)[-1].state is OrderState.EXPIRED

    def test_of_the_brokers_own_app_has_no_tag(self):
        order = new_broker().place_external(CLIENT, an_order(tag="ours"))
        assert isinstance(order, SimOrder)
        assert (order.tag, order.is_external) == ("", True)

    def test_is_named_as_the_wire_app_wants(self):
        broker = new_broker()
        broker.use_order_ids(lambda number: f"X-{number}")
        assert placed(broker, an_order()).order_id == "X-1"
        broker.reset()
        assert placed(broker, an_order()).order_id == "X-1"

    def test_belongs_to_its_client_alone(self):
        broker = new_broker()
        order = placed(broker, an_order())
        assert broker.order("C2", order.order_id) is None
        assert broker.funds("C2").available == 1_000_000


class TestATag:
    def test_used_twice_makes_two_orders(self):
        broker = new_broker()
        for _ in range(2):
            placed(broker, an_order(tag="T1"))
        assert len(broker.orders_tagged(CLIENT, "T1")) == 2

    def test_may_be_asked_to_be_unique(self):
        broker = new_broker()
        placed(broker, an_order(tag="T1"), unique_tags=True)
        refusal = refused(broker, an_order(tag="T1"), unique_tags=True)
        assert refusal.code == "SIM:DUPLICATE_TAG"
        assert len(broker.orders(CLIENT)) == 1


class TestAChange:
    def test_of_an_order_that_is_over_is_refused(self):
        broker = new_broker()
        order = placed(broker, an_order())
        broker.tick(RELIANCE, Decimal(1400))
        answer = broker.modify(CLIENT, order.order_id, SimChanges(quantity=20))
        assert isinstance(answer, Refusal)
        assert answer.code == Proof.NOT_WORKING

    def test_below_what_is_filled_is_refused(self):
        broker = new_broker()
        order = placed(broker, an_order(quantity=100))
        broker.tick(RELIANCE, Decimal(1400), volume=40)
        answer = broker.modify(CLIENT, order.order_id, SimChanges(quantity=10))
        assert isinstance(answer, Refusal)

    def test_is_pending_first_and_then_made(self):
        broker = new_broker()
        order = placed(broker, an_order(price=Decimal(1390)))
        changes = SimChanges(price=Decimal(1395), quantity=20)
        after = broker.modify(CLIENT, order.order_id, changes)
        assert states(broker, order)[-2:] == ["MODIFY_PENDING", "OPEN"]
        assert (after.price, after.quantity) == (1395, 20)

    def test_too_late_changes_nothing(self):
        clock = HandClock()
        broker = new_broker(clock, takes=1)
        order = placed(broker, an_order(quantity=100))
        clock.move(1)
        broker.modify(CLIENT, order.order_id, SimChanges(quantity=50))
        broker.tick(RELIANCE, Decimal(1400), volume=240)
        clock.move(1)
        seen = broker.order(CLIENT, order.order_id)
        assert (seen.quantity, seen.filled_quantity, seen.state) == (100, 60, "PARTIAL")


class TestACancel:
    def test_of_an_unknown_order_is_refused(self):
        answer = new_broker().cancel(CLIENT, "1")
        assert answer == Refusal(Proof.NO_ORDER, "There is no order 1")

    def test_ends_the_order_and_frees_its_money(self):
        broker = new_broker()
        order = placed(broker, an_order(price=Decimal(1390)))
        assert broker.funds(CLIENT).blocked_by_orders > 0
        broker.cancel(CLIENT, order.order_id)
        assert states(broker, order)[-2:] == ["CANCEL_PENDING", "CANCELLED"]
        assert broker.funds(CLIENT).blocked_by_orders == 0

    def test_under_way_loses_to_a_fill(self):
        clock = HandClock()
        broker = new_broker(clock, takes=1)
        order = placed(broker, an_order())
        clock.move(1)
        assert broker.cancel(CLIENT, order.order_id).state is OrderState.CANCEL_PENDING
        broker.tick(RELIANCE, Decimal(1400))
        clock.move(1)
        assert broker.order(CLIENT, order.order_id).state is OrderState.COMPLETE


class TestListeners:
    def test_hear_every_state_and_fill_in_order(self):
        broker = new_broker()
        heard = listening(broker)
        order = placed(broker, an_order())
        broker.tick(RELIANCE, Decimal(1400))
        assert [str(each.state) for each in orders_in(heard)] == states(broker, order)
        assert [each.trade.quantity for each in heard if isinstance(each, TradeEvent)] == [10]

    def test_may_call_the_broker(self):
        broker = new_broker()
        heard: list[SimEvent] = []

        def follow(event):
            heard.append(event)
            if isinstance(event, TradeEvent) and event.trade.side is Side.BUY:
                broker.place(CLIENT, replace(an_order(Side.SELL)))

        broker.subscribe(follow)
        placed(broker, an_order())
        broker.tick(RELIANCE, Decimal(1400))
        sequences = [(each.order_id, each.sequence) for each in orders_in(heard)]
        assert len(broker.orders(CLIENT)) == 2
        assert sequences == sorted(sequences)

    def test_may_stop_listening(self):
        broker = new_broker()
        heard: list[SimEvent] = []
        stop = broker.subscribe(heard.append)
        stop()
        placed(broker, an_order())
        assert heard == []


class TestManyThreads:
    def test_place_and_tick_without_losing_anything(self):
        broker = new_broker()
        heard = listening(broker)

        def trade():
            for _ in range(50):
                placed(broker, an_order(quantity=1))
                broker.tick(RELIANCE, Decimal(1400))

        threads = [threading.Thread(target=trade) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        orders = broker.orders(CLIENT)
        told = orders_in(heard)
        assert len({each.order_id for each in orders}) == 200
        assert all(each.state is OrderState.COMPLETE for each in orders)
        assert broker.positions(CLIENT)[0].quantity == 200
        for order in orders:
            sequences = [each.sequence for each in told if each.order_id == order.order_id]
            assert sequences == [1, 2, 3, 4, 5]
