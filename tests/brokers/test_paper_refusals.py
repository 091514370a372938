"""The paper broker refuses what an exchange or a broker would, and says why."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from brokers.adapters.paper.acceptance import Proof
from brokers.gateway import InstrumentRef, PlaceRequest, Refused
from brokers.terms import InstrumentType, OrderType, Product, Segment, Side, Validity
from brokers.venue import PriceBand
from tests.brokers.contract import buy, change_of, placed
from tests.brokers.paper import OPTION, SHARE, PaperMarket


def option(**changes: Any) -> PlaceRequest:
    request = buy(OPTION, quantity=65, product=Product.NRML)
    return replace(request, **changes)


def stop_loss(**changes: Any) -> PlaceRequest:
    """A buy stop above a last price of 99."""
    request = buy(
        SHARE,
        order_type=OrderType.SL,
        price=Decimal("101.00"),
        trigger_price=Decimal("100.00"),
    )
    return replace(request, **changes)


def refused(market: PaperMarket, request: PlaceRequest) -> Refused:
    outcome = market.gateway.place(request)
    assert isinstance(outcome, Refused), outcome
    assert market.gateway.orders() == []
    return outcome


CASES = {
    "an index": (
        buy(replace(SHARE, instrument_type=InstrumentType.INDEX, segment=Segment.IDX)),
        Proof.NOT_TRADABLE,
        "quoted, not traded",
    ),
    "an expired contract": (
        option(instrument=replace(OPTION, expiry=date(2026, 6, 16))),
        Proof.EXPIRED_CONTRACT,
        "expired on 16 Jun 2026",
    ),
    "delivery of an option": (option(product=Product.CNC), Proof.PRODUCT, "use MIS or NRML"),
    "carrying a share forward": (
        buy(SHARE, product=Product.NRML),
        Proof.PRODUCT,
        "use CNC or MIS",
    ),
    "SL-M in an option": (
        option(order_type=OrderType.SL_M, trigger_price=Decimal(100)),
        Proof.ORDER_TYPE,
        "use SL with a limit price",
    ),
    "no quantity": (buy(SHARE, quantity=0), Proof.QUANTITY, "must be positive"),
    "a quantity below zero": (buy(SHARE, quantity=-5), Proof.QUANTITY, "must be positive"),
    "part of a lot": (option(quantity=100), Proof.QUANTITY, "not a multiple of the lot size 65"),
    "more disclosed than ordered": (
        buy(SHARE, disclosed_quantity=11),
        Proof.QUANTITY,
        "disclosed quantity",
    ),
    "more than the freeze quantity": (
        option(quantity=1820),
        Proof.FREEZE,
        "at most 1755 an order",
    ),
    "a limit without a price": (buy(SHARE, price=None), Proof.PRICE, "needs a price"),
    "a price of nothing": (buy(SHARE, price=Decimal(0)), Proof.PRICE, "needs a price"),
    "a stop without a trigger": (stop_loss(trigger_price=None), Proof.PRICE, "needs a trigger"),
    "a price off the tick": (
        buy(SHARE, price=Decimal("100.03")),
        Proof.TICK,
        "100.03 is not a multiple of the tick size 0.05",
    ),
    "a trigger off the tick": (
        stop_loss(trigger_price=Decimal("100.01")),
        Proof.TICK,
        "tick size",
    ),
    "a buy stop below the market": (
        stop_loss(trigger_price=Decimal("98.00")),
        Proof.TRIGGER,
        "must be above the last price 99",
    ),
    "a sell stop above the market": (
        stop_loss(side=Side.SELL, price=Decimal("99.50")),
        Proof.TRIGGER,
        "must be below the last price 99",
    ),
    "a buy stop with its limit below its trigger": (
        stop_loss(price=Decimal("99.95")),
        Proof.TRIGGER,
        "cannot be below its trigger",
    ),
    "a stop with its limit far beyond its trigger": (
        stop_loss(price=Decimal("103.05")),
        Proof.TRIGGER,
        "at most 3 beyond the trigger",
    ),
    "a price above the band": (buy(SHARE, price=Decimal("111")), Proof.BAND, "band 90 to 110"),
    "a price below the band": (buy(SHARE, price=Decimal("89")), Proof.BAND, "band 90 to 110"),
    "an after-market order in the open market": (
        buy(SHARE, is_amo=True),
        Proof.SESSION,
        "it is open now",
    ),
    "a delivery sale of nothing held": (
        buy(SHARE, side=Side.SELL, product=Product.CNC),
        Proof.HOLDINGS,
        "cannot be sold short",
    ),
    "more than the money": (
        buy(SHARE, quantity=100_000, product=Product.CNC),
        Proof.MARGIN,
        "needs ₹10,003,000.00 and ₹1,000,000.00 is available",
    ),
}


class TestPlace:
    @pytest.mark.parametrize(("request_", "proof", "words"), CASES.values(), ids=CASES.keys())
    def test_refuses(
        self, market: PaperMarket, request_: PlaceRequest, proof: Proof, words: str
    ) -> None:
        market.venue.prices[SHARE.key] = Decimal(99)
        market.venue.band = PriceBand(Decimal(90), Decimal(110))
        refusal = refused(market, request_)
        assert (refusal.proof, words in refusal.reason) == (proof, True), refusal

    def test_refuses_a_market_order_of_what_has_no_price(self, market: PaperMarket) -> None:
        request = buy(SHARE, order_type=OrderType.MARKET, price=None)
        assert refused(market, request).proof == Proof.NO_PRICE

    def test_refuses_a_short_option_without_a_strike(self, market: PaperMarket) -> None:
        nameless: InstrumentRef = replace(OPTION, strike=None)
        request = option(instrument=nameless, side=Side.SELL)
        assert "its margin is unknown" in refused(market, request).reason

    def test_refuses_a_second_sale_of_the_same_shares(self, market: PaperMarket) -> None:
        self._own_ten_shares(market)
        sale = buy(SHARE, side=Side.SELL, product=Product.CNC, price=Decimal(105))
        placed(market.gateway.place(replace(sale, tag="SALE1", quantity=6)))
        outcome = market.gateway.place(replace(sale, tag="SALE2", quantity=6))
        assert isinstance(outcome, Refused)
        assert "Only 4 shares" in outcome.reason

    def test_allows_the_sale_of_shares_bought_today(self, market: PaperMarket) -> None:
        self._own_ten_shares(market)
        sale = buy(SHARE, tag="SALE", side=Side.SELL, product=Product.CNC, price=Decimal(105))
        assert placed(market.gateway.place(sale))

    def test_takes_a_refused_tag_once_it_is_right(self, market: PaperMarket) -> None:
        refused(market, buy(SHARE, quantity=0))
        assert placed(market.gateway.place(buy(SHARE)))

    def _own_ten_shares(self, market: PaperMarket) -> None:
        placed(market.gateway.place(buy(SHARE, product=Product.CNC)))
        market.wait()
        market.trade("99", volume=1000)


class TestModify:
    def test_refuses_what_a_new_order_would_be_refused_for(self, market: PaperMarket) -> None:
        broker_order_id = placed(market.gateway.place(buy(SHARE)))
        change = change_of(broker_order_id, buy(SHARE), price=Decimal("100.01"))
        outcome = market.gateway.modify(change)
        assert isinstance(outcome, Refused)
        assert outcome.proof == Proof.TICK

    def test_counts_its_own_money_only_once(self, market: PaperMarket) -> None:
        request = buy(SHARE, quantity=9000, product=Product.CNC)
        broker_order_id = placed(market.gateway.place(request))
        assert placed(market.gateway.modify(change_of(broker_order_id, request, quantity=9500)))

    def test_refuses_to_grow_beyond_the_money(self, market: PaperMarket) -> None:
        request = buy(SHARE, quantity=9000, product=Product.CNC)
        broker_order_id = placed(market.gateway.place(request))
        outcome = market.gateway.modify(change_of(broker_order_id, request, quantity=11_000))
        assert isinstance(outcome, Refused)
        assert outcome.proof == Proof.MARGIN

    def test_loses_its_place_in_the_queue_with_a_new_price(self, market: PaperMarket) -> None:
        first = placed(market.gateway.place(buy(SHARE, tag="FIRST", price=Decimal("99.95"))))
        second = placed(market.gateway.place(buy(SHARE, tag="SECOND")))
        market.wait()
        market.trade("101")
        market.gateway.modify(change_of(first, buy(SHARE), price=Decimal("100.00")))
        market.trade("101")
        market.trade("99", volume=40)
        assert [each.broker_order_id for each in market.gateway.trades()] == [second]

    def test_keeps_its_place_when_it_only_shrinks(self, market: PaperMarket) -> None:
        first = placed(market.gateway.place(buy(SHARE, tag="FIRST")))
        market.wait()
        placed(market.gateway.place(buy(SHARE, tag="SECOND")))
        market.wait()
        market.trade("101")
        market.gateway.modify(change_of(first, buy(SHARE), quantity=9))
        market.trade("99", volume=36)
        assert [each.broker_order_id for each in market.gateway.trades()] == [first]

    def test_turns_a_limit_into_a_stop(self, market: PaperMarket) -> None:
        market.venue.prices[SHARE.key] = Decimal(99)
        broker_order_id = placed(market.gateway.place(buy(SHARE, price=Decimal("98.00"))))
        market.wait()
        change = change_of(
            broker_order_id,
            stop_loss(),
            order_type=OrderType.SL,
            trigger_price=Decimal("100.00"),
            validity=Validity.DAY,
        )
        placed(market.gateway.modify(change))
        assert market.gateway.orders()[0].status == "TRIGGER_PENDING"
