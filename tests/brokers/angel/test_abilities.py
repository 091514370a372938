"""What Angel One offers besides the port: triggers, conversions, approvals."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from brokers.abilities import (
    AuthorisesSales,
    ConvertRequest,
    Converts,
    FindsTags,
    KeepsTriggers,
    Quotes,
    Slices,
    TakesBrackets,
    TellsCandles,
    TellsHistory,
    TellsOptionChain,
    TellsProfile,
    TriggerLeg,
    TriggerRequest,
    TriggerStatus,
)
from brokers.capabilities import TriggerKind
from brokers.gateway import Accepted, Refused
from brokers.terms import Product, Segment, Side
from tests.brokers.angel.market import CLIENT, DEMO, AngelMarket
from tests.brokers.contract import buy, placed


def trigger(**changes: Any) -> TriggerRequest:
    request = TriggerRequest(
        tag="RULE",
        instrument=DEMO,
        side=Side.BUY,
        product=Product.CNC,
        kind=TriggerKind.SINGLE,
        legs=(TriggerLeg(Decimal("95.00"), Decimal("95.50"), 5),),
        last_price=Decimal("100.00"),
    )
    return replace(request, **changes)


class TestAbilities:
    @pytest.mark.parametrize(
        "ability",
        [
            TellsProfile,
            TellsHistory,
            Quotes,
            TellsCandles,
            TellsOptionChain,
            Converts,
            KeepsTriggers,
            TakesBrackets,
            AuthorisesSales,
        ],
    )
    def test_are_had(self, market: AngelMarket, ability: type) -> None:
        assert isinstance(market.gateway, ability)

    @pytest.mark.parametrize("ability", [FindsTags, Slices])
    def test_that_angel_lacks_are_not_had(self, market: AngelMarket, ability: type) -> None:
        assert not isinstance(market.gateway, ability)


class TestTriggers:
    @pytest.mark.parametrize(
        "changes",
        [
            {"kind": TriggerKind.OCO},
            {"product": Product.MIS},
            {"instrument": replace(DEMO, segment=Segment.NSE_FNO)},
        ],
    )
    def test_that_angel_does_not_keep_never_leave(
        self, market: AngelMarket, changes: dict[str, object]
    ) -> None:
        assert isinstance(market.gateway.place_trigger(trigger(**changes)), Refused)
        assert market.sent("*createRule") == []

    def test_that_are_wrong_are_refused_with_a_code(self, market: AngelMarket) -> None:
        leg = TriggerLeg(Decimal("0"), Decimal("95.50"), 5)
        outcome = market.gateway.place_trigger(trigger(legs=(leg,)))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "AB9009"

    def test_are_placed_changed_and_taken_back(self, market: AngelMarket) -> None:
        gateway = market.gateway
        trigger_id = placed(gateway.place_trigger(trigger()))
        leg = TriggerLeg(Decimal("96.00"), Decimal("96.50"), 7)
        assert isinstance(gateway.modify_trigger(trigger_id, trigger(legs=(leg,))), Accepted)
        report = next(each for each in gateway.triggers() if each.trigger_id == trigger_id)
        assert (report.status, report.legs) == (TriggerStatus.ACTIVE, (leg,))
        assert isinstance(gateway.cancel_trigger(trigger_id, DEMO), Accepted)
        assert isinstance(gateway.cancel_trigger(trigger_id, DEMO), Refused)

    def test_of_several_pages_are_all_told(self, market: AngelMarket) -> None:
        before = len(market.gateway.triggers())
        for _ in range(11):
            placed(market.gateway.place_trigger(trigger()))
        assert len(market.gateway.triggers()) == before + 11

    def test_send_their_order_when_they_are_reached(self, market: AngelMarket) -> None:
        market.trade("100.00")
        trigger_id = placed(market.gateway.place_trigger(trigger()))
        market.trade("94.00")
        report = next(each for each in market.gateway.triggers() if each.trigger_id == trigger_id)
        assert report.status is TriggerStatus.TRIGGERED
        assert [each.quantity for each in market.gateway.orders()] == [5]


class TestConverting:
    def request(self, **changes: Any) -> ConvertRequest:
        request = ConvertRequest(DEMO, Side.BUY, 10, Product.MIS, Product.CNC)
        return replace(request, **changes)

    def test_of_nothing_never_leaves(self, market: AngelMarket) -> None:
        outcome = market.gateway.convert(self.request())
        assert isinstance(outcome, Refused)
        assert market.sent("*convertPosition") == []

    def test_of_yesterday_s_never_leaves(self, market: AngelMarket) -> None:
        assert isinstance(market.gateway.convert(self.request(is_overnight=True)), Refused)

    def test_of_today_s_is_taken(self, market: AngelMarket) -> None:
        market.trade("101.00")
        market.gateway.place(buy(DEMO))
        market.wait()
        market.trade("99.00", volume=1000)
        assert isinstance(market.gateway.convert(self.request()), Accepted)


class TestApprovals:
    def test_show_what_may_be_sold(self, market: AngelMarket) -> None:
        market.stand.broker.give_holding(CLIENT, DEMO.token, 7, Decimal("90.00"))
        told = market.gateway.sale_authorisations()[0]
        assert (told.quantity, told.approved_quantity) == (7, 0)
        page = market.gateway.authorisation_page(told.isin, told.quantity)
        assert 'action="https://edis.cdslindia.com/eDIS/VerifyDIS/"' in page
        assert market.gateway.sale_authorisations()[0].approved_quantity == 7

    def test_holdings_are_what_the_day_began_with(self, market: AngelMarket) -> None:
        market.stand.broker.give_holding(CLIENT, DEMO.token, 7, Decimal("90.00"))
        told = market.gateway.holdings()
        assert [(each.instrument_key, each.quantity) for each in told] == [(DEMO.key, 7)]


class TestProfile:
    def test_names_the_client(self, market: AngelMarket) -> None:
        profile = market.gateway.profile()
        assert profile.client_code == CLIENT
        assert "nse_cm" in profile.exchanges
