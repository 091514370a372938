"""The paper broker's money: what an order blocks, what a fill costs, to the paisa."""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db.models import Sum
from hypothesis import given
from hypothesis import strategies as st

from brokers.adapters.paper.margins import PositionState, booked
from brokers.gateway import GatewayUnavailable, PlaceRequest
from brokers.models import PaperAccount, PaperLedgerEntry, PaperTrade
from brokers.services import add_paper_funds
from brokers.terms import OrderType, Product, Side
from tests.brokers.contract import buy, placed
from tests.brokers.paper import FUTURE, OPTION, SHARE, PaperMarket

LAKHS_TEN = Decimal("1000000")


def sell(tag: str = "SALE", **changes: Any) -> PlaceRequest:
    request = buy(SHARE, tag=tag, side=Side.SELL, price=Decimal("90.00"))
    return replace(request, **changes)


def one_lot(instrument_tag: str, **changes: Any) -> PlaceRequest:
    instrument = {"future": FUTURE, "option": OPTION}[instrument_tag]
    request = buy(instrument, quantity=65, product=Product.NRML)
    return replace(request, **changes)


def cash(market: PaperMarket) -> Decimal:
    return market.gateway.funds().cash - LAKHS_TEN


def used(market: PaperMarket) -> Decimal:
    return market.gateway.funds().margin_used


class TestCash:
    def test_pays_delivery_in_full(self, market: PaperMarket) -> None:
        market.fill(buy(SHARE, product=Product.CNC), "99")
        assert cash(market) == Decimal("-990.30")

    def test_is_paid_for_delivery_sold(self, market: PaperMarket) -> None:
        market.fill(buy(SHARE, product=Product.CNC), "99")
        market.fill(sell(product=Product.CNC), "105")
        assert cash(market) == Decimal("-990.30") + Decimal("1049.68")

    def test_moves_only_by_charges_when_an_intraday_position_opens(
        self, market: PaperMarket
    ) -> None:
        market.fill(buy(SHARE), "99")
        assert cash(market) == Decimal("-0.30")

    def test_moves_by_the_profit_when_it_closes(self, market: PaperMarket) -> None:
        market.fill(buy(SHARE), "99")
        market.fill(sell(), "105")
        assert cash(market) == Decimal("-0.30") + Decimal(60) - Decimal("0.32")

    def test_moves_by_the_loss_of_a_short(self, market: PaperMarket) -> None:
        market.fill(sell(), "99")
        market.fill(buy(SHARE, price=Decimal(110)), "105")
        assert cash(market) == Decimal("-60.62")

    def test_pays_the_premium_of_an_option(self, market: PaperMarket) -> None:
        market.share = OPTION
        market.fill(one_lot("option"), "100")
        assert cash(market) == Decimal("-6501.95")

    def test_receives_the_premium_of_an_option_sold(self, market: PaperMarket) -> None:
        market.share = OPTION
        market.fill(one_lot("option", side=Side.SELL), "100")
        assert cash(market) == Decimal("6498.05")

    def test_does_not_pay_for_a_future(self, market: PaperMarket) -> None:
        market.share = FUTURE
        market.fill(one_lot("future"), "100")
        assert cash(market) == Decimal("-1.95")

    def test_is_charged_on_the_order_s_whole_turnover(self, market: PaperMarket) -> None:
        """One share at 55 costs 1.65 paise: three such fills cost 5 paise, and not 3 × 2."""
        placed(market.gateway.place(buy(SHARE, quantity=3, price=Decimal(55))))
        market.wait()
        for _ in range(3):
            market.trade("55", volume=4)
        charged = list(PaperTrade.objects.order_by("number").values_list("charges", flat=True))
        assert charged == [Decimal("0.02"), Decimal("0.01"), Decimal("0.02")]

    @pytest.mark.parametrize("seed", [1, 2])
    def test_is_the_sum_of_its_ledger(self, market: PaperMarket, seed: int) -> None:
        random = Random(seed)
        for number in range(12):
            side, product = random.choice(list(Side)), random.choice([Product.MIS, Product.CNC])
            request = buy(SHARE, tag=f"T{number}", side=side, product=product)
            market.gateway.place(replace(request, order_type=OrderType.MARKET, price=None))
            market.wait()
            market.trade(str(random.randrange(90, 110)), volume=random.randrange(100))
        total = PaperLedgerEntry.objects.aggregate(sum=Sum("amount"))["sum"]
        assert PaperAccount.objects.get().cash == total


class TestMargin:
    def test_of_a_delivery_order_is_its_value_and_charges(self, market: PaperMarket) -> None:
        placed(market.gateway.place(buy(SHARE, product=Product.CNC)))
        assert used(market) == Decimal("1000.30")

    def test_of_an_intraday_order_is_a_fifth(self, market: PaperMarket) -> None:
        placed(market.gateway.place(buy(SHARE)))
        assert used(market) == Decimal("200.30")

    def test_of_an_intraday_position_is_a_fifth_of_its_cost(self, market: PaperMarket) -> None:
        market.fill(buy(SHARE), "99")
        assert used(market) == Decimal("198.00")

    def test_of_a_part_is_freed_as_it_fills(self, market: PaperMarket) -> None:
        placed(market.gateway.place(buy(SHARE, product=Product.CNC)))
        market.wait()
        market.trade("99", volume=16)
        assert used(market) == Decimal("600.18")

    def test_of_a_future_is_a_share_of_its_value(self, market: PaperMarket) -> None:
        market.share = FUTURE
        market.fill(one_lot("future"), "100")
        assert used(market) == Decimal("975.00")

    def test_of_a_short_option_is_a_share_of_its_strike(self, market: PaperMarket) -> None:
        market.share = OPTION
        market.fill(one_lot("option", side=Side.SELL), "100")
        assert used(market) == Decimal("234000.00")

    def test_of_a_long_option_is_nothing_more(self, market: PaperMarket) -> None:
        market.share = OPTION
        market.fill(one_lot("option"), "100")
        assert used(market) == 0

    def test_of_a_market_order_counts_its_protection(self, market: PaperMarket) -> None:
        market.trade("100")
        request = buy(SHARE, order_type=OrderType.MARKET, price=None, product=Product.CNC)
        assert market.gateway.margin(request).total == Decimal("1010.00")

    def test_cannot_be_told_without_a_price(self, market: PaperMarket) -> None:
        with pytest.raises(GatewayUnavailable):
            market.gateway.margin(buy(SHARE, order_type=OrderType.MARKET, price=None))

    def test_is_not_asked_of_an_exit(self, market: PaperMarket) -> None:
        market.fill(buy(SHARE), "99")
        add_paper_funds(market.account, amount=-market.gateway.funds().cash, now=market.at)
        placed(market.gateway.place(sell()))
        assert used(market) == Decimal("198.00")

    def test_is_asked_of_what_goes_beyond_an_exit(self, market: PaperMarket) -> None:
        market.fill(buy(SHARE), "99")
        placed(market.gateway.place(sell(quantity=15, price=Decimal(100))))
        assert used(market) == Decimal("198.00") + Decimal("100.15")

    def test_is_asked_of_a_second_exit(self, market: PaperMarket) -> None:
        market.fill(buy(SHARE), "99")
        placed(market.gateway.place(sell(tag="EXIT1", price=Decimal(100))))
        placed(market.gateway.place(sell(tag="EXIT2", price=Decimal(100))))
        assert used(market) == Decimal("198.00") + Decimal("200.30")


fills = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(1, 500),
        st.integers(1, 100_000).map(lambda paise: Decimal(paise) / 100),
    ),
    min_size=1,
    max_size=20,
)


class TestBooked:
    @given(fills)
    def test_loses_no_money_on_the_way_back_to_flat(
        self, tape: list[tuple[Side, int, Decimal]]
    ) -> None:
        state = PositionState()
        for side, quantity, price in tape:
            state = booked(state, side=side, quantity=quantity, price=price)
        flows = sum((-side.sign * quantity * price for side, quantity, price in tape), Decimal(0))
        if state.quantity:
            side = Side.SELL if state.quantity > 0 else Side.BUY
            flows -= side.sign * abs(state.quantity) * Decimal(50)
            quantity = abs(state.quantity)
            state = booked(state, side=side, quantity=quantity, price=Decimal(50))
        assert (state.quantity, state.cost, state.realized_pnl) == (0, Decimal(0), flows)

    @given(fills)
    def test_nets_what_was_bought_and_sold(self, tape: list[tuple[Side, int, Decimal]]) -> None:
        state = PositionState()
        for side, quantity, price in tape:
            state = booked(state, side=side, quantity=quantity, price=price)
        assert state.quantity == state.buy_quantity - state.sell_quantity
        assert state.quantity == sum(side.sign * quantity for side, quantity, _ in tape)

    @given(fills)
    def test_never_has_a_cost_below_nothing(self, tape: list[tuple[Side, int, Decimal]]) -> None:
        state = PositionState()
        for side, quantity, price in tape:
            state = booked(state, side=side, quantity=quantity, price=price)
            assert state.cost >= 0
