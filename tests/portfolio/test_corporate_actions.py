"""What splits, bonuses and consolidations make of shares; the cases of after_trade."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.booking import Book
from portfolio.corporate_actions import ShareChange, credited, restated, restated_price

EX_DATE = date(2026, 6, 18)


def change(factor: str, *, bonus: bool = False) -> ShareChange:
    return ShareChange(1, EX_DATE, Decimal(factor), keeps_cost=bonus)


def held(quantity: int, price: str) -> Book:
    cost = Decimal(price) * quantity
    return Book(quantity, cost, buy_quantity=quantity, buy_value=cost)


class TestShares:
    def test_of_a_bonus_one_for_one(self) -> None:
        after = restated(held(100, "100"), 200, change("2", bonus=True))
        assert (after.quantity, after.open_cost / after.quantity) == (200, Decimal(50))
        assert after.realized == 0

    def test_of_a_bonus_three_for_one_on_three_lots(self) -> None:
        book = Book(3, Decimal(8890), buy_quantity=3, buy_value=Decimal(8890))
        after = restated(book, credited([3], Decimal(4)).quantities[0], change("4", bonus=True))
        assert (after.quantity, round(after.open_cost / 12, 2)) == (12, Decimal("740.83"))

    def test_of_a_split_of_ten(self) -> None:
        after = restated(held(25, "2850"), 250, change("10"))
        assert after.open_cost / after.quantity == Decimal(285)

    def test_of_a_bonus_of_one_for_two_leave_a_fraction_that_cost_nothing(self) -> None:
        credit = credited([101], Decimal("1.5"))
        assert (credit.quantities, credit.fraction) == ((151,), Decimal("0.5"))
        after = restated(held(101, "150"), 151, change("1.5", bonus=True))
        assert (after.open_cost, after.realized) == (Decimal(15150), 0)

    def test_of_ten_into_one_leave_a_fraction_with_its_cost(self) -> None:
        credit = credited([1234], Decimal("0.1"))
        assert (credit.quantities, credit.fraction) == ((123,), Decimal("0.4"))
        after = restated(held(1234, "0.9"), 123, change("0.1"))
        assert after.open_cost / after.quantity == Decimal("9.0")
        assert after.realized == Decimal("-3.6")

    def test_too_few_for_a_whole_one_are_gone(self) -> None:
        after = restated(held(5, "1"), credited([5], Decimal("0.1")).quantities[0], change("0.1"))
        assert after.is_flat
        assert (after.open_cost, after.realized) == (0, Decimal(-5))

    @pytest.mark.parametrize(
        ("price", "factor", "adjusted"),
        [("4200", "1.5", "2800"), ("2817", "1.5", "1878"), ("0.05", "0.1", "0.5")],
    )
    def test_are_worth_the_old_price_by_the_factor(
        self, price: str, factor: str, adjusted: str
    ) -> None:
        assert restated_price(Decimal(price), Decimal(factor)) == Decimal(adjusted)


factors = st.sampled_from(["2", "1.5", "10", "0.1", "1.33333333", "0.2"]).map(Decimal)


class TestSeveralBooksOfOneAccount:
    def test_share_what_rounding_each_down_would_lose(self) -> None:
        assert credited([1, 1], Decimal("1.5")).quantities == (2, 1)

    @given(st.lists(st.integers(min_value=1, max_value=10_000), min_size=1, max_size=5), factors)
    def test_hold_the_whole_shares_of_all_together(
        self, quantities: list[int], factor: Decimal
    ) -> None:
        credit = credited(quantities, factor)
        together = sum(quantities) * factor
        assert sum(credit.quantities) == int(together)
        assert 0 <= credit.fraction < 1
        pairs = zip(quantities, credit.quantities, strict=True)
        assert all(abs(after - before * factor) < 1 for before, after in pairs)

    @given(st.integers(min_value=1, max_value=10_000), factors, st.booleans())
    def test_keep_the_cash_that_trades_moved(
        self, quantity: int, factor: Decimal, is_bonus: bool
    ) -> None:
        before = held(quantity, "123.45")
        rule = ShareChange(1, EX_DATE, factor, keeps_cost=is_bonus)
        after = restated(before, credited([quantity], factor).quantities[0], rule)
        assert after.realized - after.open_cost == after.sell_value - after.buy_value
        assert after.buy_quantity - after.sell_quantity == after.quantity
