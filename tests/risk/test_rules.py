from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rules import (
    DayFigures,
    Exposure,
    Reach,
    daily_loss,
    drawdown,
    largest_position,
    least_capital,
    most_lots,
    most_orders,
    profit_lock,
    trailing_stop,
)

D = Decimal
quantities = st.integers(-1000, 1000)
pending = st.integers(0, 1000)


def day(pnl: str = "0", *, peak: str = "0", capital: str = "100000", orders: int = 0) -> DayFigures:
    return DayFigures(D(pnl), D(peak), D(capital), orders)


class TestEachLimit:
    @pytest.mark.parametrize(("quantity", "beyond"), [(100, False), (101, True)])
    def test_on_position_size_allows_exactly_its_value(self, quantity: int, beyond: bool) -> None:
        reach = Reach(quantity, D("10"), 1)
        assert largest_position(D("1000"), reach).is_beyond is beyond

    @pytest.mark.parametrize(("quantity", "beyond"), [(150, False), (151, True), (225, True)])
    def test_on_lots_counts_a_started_lot_as_one(self, quantity: int, beyond: bool) -> None:
        assert most_lots(D("2"), Reach(quantity, D("10"), 75)).is_beyond is beyond

    @pytest.mark.parametrize(("orders", "beyond"), [(9, False), (10, True)])
    def test_on_orders_refuses_the_one_after_the_last(self, orders: int, beyond: bool) -> None:
        assert most_orders(D("10"), day(orders=orders)).is_beyond is beyond

    @pytest.mark.parametrize(("pnl", "beyond"), [("-999.99", False), ("-1000", True), ("5", False)])
    def test_on_the_days_loss_holds_at_its_value(self, pnl: str, beyond: bool) -> None:
        assert daily_loss(D("1000"), day(pnl)).is_beyond is beyond

    @pytest.mark.parametrize(
        ("pnl", "peak", "beyond"),
        [("-4999", "0", False), ("-5000", "0", True), ("0", "5000", True)],
    )
    def test_on_drawdown_measures_from_the_days_best(
        self, pnl: str, peak: str, beyond: bool
    ) -> None:
        assert drawdown(D("5"), day(pnl, peak=peak)).is_beyond is beyond

    def test_on_drawdown_refuses_a_day_without_capital(self) -> None:
        assert drawdown(D("5"), day(capital="0")).is_beyond

    @pytest.mark.parametrize(("pnl", "beyond"), [("-50000", False), ("-50000.01", True)])
    def test_on_capital_holds_below_its_value(self, pnl: str, beyond: bool) -> None:
        assert least_capital(D("50000"), day(pnl)).is_beyond is beyond

    @pytest.mark.parametrize(
        ("pnl", "peak", "beyond"),
        [
            ("400", "400", False),
            ("900", "1200", False),
            ("500", "1200", True),
            ("-5", "499", False),
        ],
    )
    def test_on_profit_keeps_it_once_it_was_reached(
        self, pnl: str, peak: str, beyond: bool
    ) -> None:
        assert profit_lock(D("500"), day(pnl, peak=peak)).is_beyond is beyond

    @pytest.mark.parametrize(
        ("price", "sign", "beyond"), [("95", 1, True), ("95.05", 1, False), ("105", -1, True)]
    )
    def test_that_trails_holds_at_its_distance(self, price: str, sign: int, beyond: bool) -> None:
        assert trailing_stop(D("5"), best=D("100"), price=D(price), sign=sign).is_beyond is beyond


class TestAnExit:
    @given(quantities, pending, pending, st.sampled_from([1, -1]))
    def test_never_flips_the_position_even_if_every_exit_fills(
        self, quantity: int, buys: int, sells: int, sign: int
    ) -> None:
        exposure = Exposure(quantity, buys, sells)
        exitable = exposure.exitable(sign)
        leaving = buys if sign > 0 else sells
        if exitable:
            assert quantity * sign < 0
            assert leaving + exitable <= abs(quantity)

    def test_of_a_flat_book_does_not_exist(self) -> None:
        assert Exposure(0).exitable(1) == Exposure(0).exitable(-1) == 0

    def test_counts_the_exits_already_on_their_way(self) -> None:
        assert Exposure(10, pending_sells=4).exitable(-1) == 6


class TestTheWorstCase:
    @given(quantities, pending, pending, quantities)
    def test_is_never_less_than_what_any_subset_of_fills_makes(
        self, quantity: int, buys: int, sells: int, order: int
    ) -> None:
        worst = Exposure(quantity, buys, sells).worst_with(order)
        for bought in (0, buys):
            for sold in (0, sells):
                for filled in (0, order):
                    assert worst >= abs(quantity + bought - sold + filled)
