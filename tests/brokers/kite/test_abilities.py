"""What Kite can do besides the port: quotes, candles, triggers, covers, slices, conversions."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from brokers import abilities
from brokers.abilities import (
    BracketRequest,
    CandleRequest,
    ConvertRequest,
    TriggerLeg,
    TriggerRequest,
    TriggerStatus,
)
from brokers.adapters.kite.capability import capabilities_on
from brokers.adapters.kite.limits import CANCELS, LIMITS, endpoint_of
from brokers.adapters.kite.master import KIND, address
from brokers.capabilities import MarketHandling, TriggerKind
from brokers.gateway import (
    Accepted,
    BrokerStatus,
    GatewayUnavailable,
    InstrumentRef,
    Refused,
)
from brokers.simulator.kite.sessions import CLIENT
from brokers.simulator.records import SimOrder, SimOrderRequest
from brokers.terms import InstrumentType, OrderType, Product, Segment, Side
from market.models import ImportKind
from tests.brokers.contract import buy, cancel_of, placed, report_of
from tests.brokers.kite.market import KiteMarket, instruments, ref_of


def option() -> InstrumentRef:
    return next(ref_of(each) for each in instruments() if each.kind is InstrumentType.CE)


def trigger(
    kite: KiteMarket, *prices: str, kind: TriggerKind = TriggerKind.SINGLE
) -> TriggerRequest:
    legs = tuple(TriggerLeg(Decimal(price), Decimal(price), 10) for price in prices)
    return TriggerRequest("T", kite.share, Side.BUY, Product.CNC, kind, legs, Decimal(100))


class TestWhatItOffers:
    @pytest.mark.parametrize(
        "ability",
        [
            abilities.TellsProfile,
            abilities.TellsHistory,
            abilities.FindsTags,
            abilities.Quotes,
            abilities.TellsCandles,
            abilities.Converts,
            abilities.KeepsTriggers,
            abilities.TakesBrackets,
            abilities.Slices,
            abilities.AuthorisesSales,
        ],
    )
    def test_an_ability(self, kite: KiteMarket, ability: type) -> None:
        assert isinstance(kite.gateway, ability)

    def test_there_is_no_option_chain(self, kite: KiteMarket) -> None:
        assert not isinstance(kite.gateway, abilities.TellsOptionChain)

    def test_market_orders_are_protected_and_changes_are_counted(self) -> None:
        shares = capabilities_on(Segment.NSE_EQ)
        assert shares is not None
        assert (shares.market, shares.modify_limit) == (MarketHandling.PROTECTED, 25)

    def test_american_shares_are_not_traded(self) -> None:
        assert capabilities_on(Segment.US_EQ) is None

    @pytest.mark.parametrize(
        ("method", "path", "endpoint"),
        [
            ("POST", "/orders/regular", "place"),
            ("PUT", "/orders/amo/1", "change"),
            ("DELETE", "/orders/co/1", "change"),
            ("GET", "/quote/ltp", "quote"),
            ("GET", "/instruments/historical/1/day", "historical"),
            ("GET", "/orders", "other"),
        ],
    )
    def test_calls_are_counted_in_their_class(self, method: str, path: str, endpoint: str) -> None:
        assert endpoint_of(method, path) == endpoint
        assert endpoint in {limit.endpoint for limit in LIMITS}

    def test_only_a_cancel_is_a_cancel(self) -> None:
        assert [rule.matches("PUT", "/orders/regular/1") for rule in CANCELS] == [False]

    def test_the_master_is_of_a_kind_that_can_be_imported(self, kite: KiteMarket) -> None:
        assert ImportKind(KIND) is ImportKind.KITE_MASTER
        assert address({}) == f"{kite.stand.server.url}/instruments"


class TestPrices:
    def test_a_quote_has_the_book(self, kite: KiteMarket) -> None:
        kite.trade("101.50", volume=100)
        quote = kite.gateway.quotes([kite.share])[kite.share.key]
        assert quote.ltp == Decimal("101.5")
        assert quote.bids
        assert quote.at == kite.now()

    def test_what_kite_does_not_know_is_absent(self, kite: KiteMarket) -> None:
        stranger = replace(kite.share, key="NSE:NONE", broker_symbol="NONE")
        assert set(kite.gateway.quotes([kite.share, stranger])) == {kite.share.key}

    def test_candles_have_their_times(self, kite: KiteMarket) -> None:
        start = datetime(2026, 6, 16, 3, 45, tzinfo=UTC)
        request = CandleRequest(kite.share, "5m", start, start.replace(hour=4, minute=0))
        told = kite.gateway.candles(request)
        assert [each.at.minute for each in told] == [45, 50, 55, 0]

    def test_long_spans_are_put_together(self, kite: KiteMarket) -> None:
        start = datetime(2024, 6, 17, tzinfo=UTC)
        request = CandleRequest(kite.share, "1h", start, start.replace(year=2026))
        told = kite.gateway.candles(request)
        assert len(kite.sent("/instruments/historical/*")) == 2
        assert [each.at for each in told] == sorted({each.at for each in told})

    def test_a_profile(self, kite: KiteMarket) -> None:
        assert kite.gateway.profile().client_code == CLIENT


class TestHistory:
    def test_an_order_s_walk(self, kite: KiteMarket) -> None:
        kite.trade("101.00")
        broker_order_id = placed(kite.gateway.place(buy(kite.share)))
        kite.wait()
        walk = [each.status for each in kite.gateway.history(broker_order_id)]
        assert walk[0] is BrokerStatus.PLACED
        assert walk[-1] is BrokerStatus.OPEN

    def test_a_stranger_s_order_has_none(self, kite: KiteMarket) -> None:
        with pytest.raises(GatewayUnavailable, match="order_id"):
            kite.gateway.history("1")


class TestTriggers:
    def test_the_wrong_number_of_prices_is_not_sent(self, kite: KiteMarket) -> None:
        outcome = kite.gateway.place_trigger(trigger(kite, "90", "110"))
        assert isinstance(outcome, Refused)
        assert kite.sent("/gtt/*") == []

    def test_one_waits_fires_and_names_its_order(self, kite: KiteMarket) -> None:
        kite.trade("100.00")
        trigger_id = placed(kite.gateway.place_trigger(trigger(kite, "95")))
        assert [each.status for each in kite.gateway.triggers()] == [TriggerStatus.ACTIVE]
        kite.trade("94.00")
        (told,) = kite.gateway.triggers()
        assert (told.trigger_id, told.status) == (trigger_id, TriggerStatus.TRIGGERED)
        assert told.order_ids == (kite.gateway.orders()[0].broker_order_id,)

    def test_two_prices_stand_for_one_another(self, kite: KiteMarket) -> None:
        request = trigger(kite, "95", "105", kind=TriggerKind.OCO)
        placed(kite.gateway.place_trigger(request))
        kite.trade("105.00")
        (told,) = kite.gateway.triggers()
        assert [leg.trigger_price for leg in told.legs] == [95, 105]
        assert told.status is TriggerStatus.TRIGGERED

    def test_one_is_changed_and_taken_back(self, kite: KiteMarket) -> None:
        trigger_id = placed(kite.gateway.place_trigger(trigger(kite, "95")))
        placed(kite.gateway.modify_trigger(trigger_id, trigger(kite, "96")))
        assert kite.gateway.triggers()[0].legs[0].trigger_price == 96
        placed(kite.gateway.cancel_trigger(trigger_id, kite.share))
        assert kite.gateway.triggers()[0].status is TriggerStatus.CANCELLED


class TestCovers:
    def test_a_target_is_refused_without_asking(self, kite: KiteMarket) -> None:
        request = BracketRequest(buy(kite.share), Decimal(95), target=Decimal(110))
        outcome = kite.gateway.place_bracket(request)
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"

    def test_the_stop_follows_the_entry_and_leaving_ends_both(self, kite: KiteMarket) -> None:
        kite.trade("100.00")
        placed(kite.gateway.place_bracket(BracketRequest(buy(kite.share), Decimal(95))))
        kite.wait()
        kite.trade("99.00", volume=10_000)
        kite.wait()
        entry, stop = kite.gateway.orders()
        assert (entry.status, stop.status) == (BrokerStatus.FILLED, BrokerStatus.TRIGGER_PENDING)
        assert isinstance(kite.gateway.cancel_bracket(stop.broker_order_id), Accepted)
        kite.wait()
        assert report_of(kite.gateway, stop.broker_order_id).status is BrokerStatus.CANCELLED


class TestSlices:
    def test_an_order_above_the_freeze_quantity_goes_in_parts(self, kite: KiteMarket) -> None:
        chosen = option()
        request = buy(chosen, quantity=65 * 50, price=Decimal("1.00"), product=Product.NRML)
        outcomes = kite.gateway.place_sliced(request)
        assert [type(each) for each in outcomes] == [Accepted, Accepted]
        assert sum(each.quantity for each in kite.gateway.orders()) == 65 * 50
        assert {each.tag for each in kite.gateway.orders()} == {"TAG1"}

    def test_a_part_may_be_refused(self, kite: KiteMarket) -> None:
        quantity = 65 * 27 * 5
        request = buy(option(), quantity=quantity, price=Decimal(170), product=Product.NRML)
        outcomes = kite.gateway.place_sliced(request)
        assert {type(each) for each in outcomes} == {Accepted, Refused}


class TestConversions:
    def test_what_is_not_there_is_refused(self, kite: KiteMarket) -> None:
        request = ConvertRequest(kite.share, Side.BUY, 10, Product.MIS, Product.CNC)
        assert isinstance(kite.gateway.convert(request), Refused)

    def test_a_position_moves_to_the_other_product(self, kite: KiteMarket) -> None:
        kite.trade("101.00")
        placed(kite.gateway.place(buy(kite.share)))
        kite.wait()
        kite.trade("99.00", volume=1000)
        request = ConvertRequest(kite.share, Side.BUY, 4, Product.MIS, Product.CNC)
        assert isinstance(kite.gateway.convert(request), Accepted)
        held = {each.product: each.quantity for each in kite.gateway.positions()}
        assert held == {Product.MIS: 6, Product.CNC: 4}


class TestSales:
    def test_shares_that_wait_for_approval_are_named(self, kite: KiteMarket) -> None:
        kite.stand.broker.give_holding(CLIENT, "1594", 10, Decimal(90))
        (sale,) = kite.gateway.sale_authorisations()
        assert (sale.isin, sale.quantity, sale.approved_quantity) == ("INE009A01021", 10, 0)

    def test_the_page_to_approve_them_on(self, kite: KiteMarket) -> None:
        page = kite.gateway.authorisation_page("INE009A01021", 10)
        assert "/connect/portfolio/authorise/holdings/kitedemo/" in page


class TestOrdersOfKitesOwnApp:
    def external(self, kite: KiteMarket, variety: str) -> str:
        order = kite.stand.broker.place_external(
            CLIENT,
            SimOrderRequest(
                tag="",
                instrument_token="1594",
                side=Side.BUY,
                quantity=10,
                order_type=OrderType.LIMIT,
                product=Product.MIS,
                price=Decimal(95),
                variety=variety,
            ),
        )
        assert isinstance(order, SimOrder)
        kite.wait()
        return order.order_id

    def test_they_are_in_the_book_without_a_tag(self, kite: KiteMarket) -> None:
        self.external(kite, "regular")
        assert [each.tag for each in kite.gateway.orders()] == [""]

    @pytest.mark.parametrize("variety", ["regular", "iceberg", "amo"])
    def test_they_are_cancelled_whatever_their_variety(
        self, kite: KiteMarket, variety: str
    ) -> None:
        broker_order_id = self.external(kite, variety)
        placed(kite.gateway.cancel(cancel_of(broker_order_id, kite.share)))
        kite.wait()
        assert report_of(kite.gateway, broker_order_id).status is BrokerStatus.CANCELLED

    def test_a_refusal_for_another_reason_is_not_tried_again(self, kite: KiteMarket) -> None:
        broker_order_id = self.external(kite, "regular")
        placed(kite.gateway.cancel(cancel_of(broker_order_id, kite.share)))
        kite.wait()
        outcome = kite.gateway.cancel(cancel_of(broker_order_id, kite.share))
        assert isinstance(outcome, Refused)
        assert len(kite.sent("DELETE /orders/*")) == 2
