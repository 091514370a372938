"""Forever orders, super orders, slices and conversions at Dhan."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from brokers.abilities import (
    BracketRequest,
    ConvertRequest,
    TriggerLeg,
    TriggerRequest,
    TriggerStatus,
)
from brokers.adapters.dhan.gateway import DhanGateway
from brokers.capabilities import TriggerKind
from brokers.gateway import Accepted, BrokerStatus, Refused, Unknown
from brokers.simulator.dhan.tokens import CLIENT
from brokers.terms import Product, Side
from brokers.transport import NotSent
from tests.brokers.contract import buy, placed, report_of
from tests.brokers.dhan.market import SHARE, DhanMarket

STOP = TriggerLeg(Decimal("95.00"), Decimal("94.50"), 10)
TARGET = TriggerLeg(Decimal("108.00"), Decimal("107.50"), 10)


def a_trigger(market: DhanMarket, *legs: TriggerLeg, **changes: Any) -> TriggerRequest:
    kind = TriggerKind.OCO if len(legs) == 2 else TriggerKind.SINGLE
    request = TriggerRequest(
        "GTT1", market.share, Side.SELL, Product.CNC, kind, legs, Decimal("100.00")
    )
    return replace(request, **changes)


class TestForeverOrders:
    def test_are_refused_for_intraday(self, market: DhanMarket) -> None:
        outcome = market.own.place_trigger(a_trigger(market, STOP, product=Product.MIS))
        assert isinstance(outcome, Refused)
        assert market.stand.requests("POST*forever*") == []

    def test_are_refused_with_a_leg_too_many(self, market: DhanMarket) -> None:
        asked = a_trigger(market, STOP, TARGET, kind=TriggerKind.SINGLE)
        assert isinstance(market.own.place_trigger(asked), Refused)
        assert isinstance(market.own.modify_trigger("1", asked), Refused)

    def test_are_listed_as_they_were_placed(self, market: DhanMarket) -> None:
        number = placed(market.own.place_trigger(a_trigger(market, STOP)))
        (told,) = market.own.triggers()
        assert (told.trigger_id, told.kind, told.legs) == (number, TriggerKind.SINGLE, (STOP,))
        assert told.status is TriggerStatus.ACTIVE

    def test_of_two_legs_name_the_target_first(self, market: DhanMarket) -> None:
        placed(market.own.place_trigger(a_trigger(market, STOP, TARGET)))
        sent = json.loads(market.stand.body("POST /v2/forever/orders"))
        assert (sent["triggerPrice"], sent["triggerPrice1"]) == (108.0, 95.0)

    def test_that_buy_back_have_their_target_below(self, market: DhanMarket) -> None:
        placed(market.own.place_trigger(a_trigger(market, STOP, TARGET, side=Side.BUY)))
        sent = json.loads(market.stand.body("POST /v2/forever/orders"))
        assert (sent["triggerPrice"], sent["triggerPrice1"]) == (95.0, 108.0)

    def test_of_two_legs_are_one(self, market: DhanMarket) -> None:
        placed(market.own.place_trigger(a_trigger(market, STOP, TARGET)))
        (told,) = market.own.triggers()
        assert (told.kind, told.legs) == (TriggerKind.OCO, (STOP, TARGET))

    def test_are_changed_leg_by_leg(self, market: DhanMarket) -> None:
        number = placed(market.own.place_trigger(a_trigger(market, STOP, TARGET)))
        higher = replace(TARGET, trigger_price=Decimal("109.00"))
        assert isinstance(
            market.own.modify_trigger(number, a_trigger(market, STOP, higher)), Accepted
        )
        (told,) = market.own.triggers()
        assert told.legs == (STOP, higher)

    def test_changed_in_part_are_unknown(self, market: DhanMarket) -> None:
        number = placed(market.own.place_trigger(a_trigger(market, STOP, TARGET)))
        asked: list[str] = []

        def admit(method: str, path: str) -> None:
            asked.append(path)
            if len(asked) == 2:
                raise NotSent("there is no room for the second")

        gateway = DhanGateway(market.account, market.stand.clock, admit=admit)
        outcome = gateway.modify_trigger(number, a_trigger(market, STOP, TARGET))
        assert isinstance(outcome, Unknown)

    def test_refused_at_the_first_leg_are_refused(self, market: DhanMarket) -> None:
        outcome = market.own.modify_trigger("NOSUCH", a_trigger(market, STOP, TARGET))
        assert isinstance(outcome, Refused)
        assert len(market.stand.requests("PUT*")) == 1

    def test_are_cancelled(self, market: DhanMarket) -> None:
        number = placed(market.own.place_trigger(a_trigger(market, STOP)))
        assert isinstance(market.own.cancel_trigger(number, market.share), Accepted)
        assert market.own.triggers()[0].status is TriggerStatus.CANCELLED

    def test_send_their_order_when_reached(self, market: DhanMarket) -> None:
        market.stand.broker.give_holding(CLIENT, SHARE, 10, Decimal(90))
        placed(market.own.place_trigger(a_trigger(market, STOP, TARGET)))
        market.trade("108.50", volume=1)
        assert market.own.triggers()[0].status is TriggerStatus.TRIGGERED
        (order,) = market.own.orders()
        assert (order.side, order.price) == (Side.SELL, Decimal("107.50"))

    def test_of_strangers_are_refused(self, market: DhanMarket) -> None:
        assert isinstance(market.own.cancel_trigger("NOSUCH", market.share), Refused)


class TestSuperOrders:
    def _bracket(self, market: DhanMarket, **changes: Any) -> BracketRequest:
        bracket = BracketRequest(
            buy(market.share, product=Product.BO), Decimal("95.00"), Decimal("108.00")
        )
        return replace(bracket, **changes)

    @pytest.mark.parametrize(
        "changes", [{"stop_loss": Decimal(101)}, {"target": Decimal(99)}], ids=["stop", "target"]
    )
    def test_with_a_price_on_the_wrong_side_are_not_sent(
        self, market: DhanMarket, changes: dict[str, object]
    ) -> None:
        outcome = market.own.place_bracket(self._bracket(market, **changes))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"

    def test_are_found_by_their_tag(self, market: DhanMarket) -> None:
        number = placed(market.own.place_bracket(self._bracket(market)))
        found = market.own.order_by_tag("TAG1")
        assert found is not None
        assert found.broker_order_id == number

    def test_without_a_target_keep_a_stop(self, market: DhanMarket) -> None:
        number = placed(market.own.place_bracket(self._bracket(market, target=None)))
        assert isinstance(market.own.cancel_bracket(number), Accepted)

    def test_leave_by_their_stop(self, market: DhanMarket) -> None:
        placed(market.own.place_bracket(self._bracket(market)))
        market.trade("99.00", volume=1000)
        market.trade("94.90", volume=1000)
        market.trade("94.90", volume=1000)
        assert [each.quantity for each in market.own.positions()] == [0]

    def test_are_cancelled_whole(self, market: DhanMarket) -> None:
        number = placed(market.own.place_bracket(self._bracket(market)))
        assert isinstance(market.own.cancel_bracket(number), Accepted)
        assert report_of(market.own, number).status is BrokerStatus.CANCELLED

    def test_as_single_orders_are_not_sent(self, market: DhanMarket) -> None:
        outcome = market.own.place(buy(market.share, product=Product.BO))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"


class TestSlices:
    def test_are_orders_of_their_own(self, market: DhanMarket) -> None:
        future = market.ref("40000")
        order = buy(future, quantity=1885, price=Decimal(25000), product=Product.NRML, tag="SLICED")
        outcomes = market.own.place_sliced(order)
        numbers = [placed(each) for each in outcomes]
        told = {each.broker_order_id: each.quantity for each in market.own.orders()}
        assert [told[each] for each in numbers] == [1755, 130]

    def test_lost_on_the_way_are_unknown(self, market: DhanMarket) -> None:
        market.stand.faults.arm("drop_reply", match="*slicing")
        outcomes = market.own.place_sliced(buy(market.share))
        assert [type(each) for each in outcomes] == [Unknown]

    def test_without_a_login_are_not_sent(self, market: DhanMarket) -> None:
        market.account.connection.auth_tokens.update(is_active=False)
        (outcome,) = market.own.place_sliced(buy(market.share))
        assert isinstance(outcome, Refused)


class TestConversions:
    def test_of_nothing_are_refused(self, market: DhanMarket) -> None:
        asked = ConvertRequest(market.share, Side.BUY, 10, Product.MIS, Product.CNC)
        assert isinstance(market.own.convert(asked), Refused)
