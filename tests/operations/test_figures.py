from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations import figures
from operations.figures import gain, money, sums

amounts = st.decimals(
    min_value=-(10**11), max_value=10**11, places=4, allow_nan=False, allow_infinity=False
)


class TestGain:
    @pytest.mark.parametrize(
        ("amount", "written"), [("12.5", "+₹12.50"), ("-12.5", "−₹12.50"), ("0", "₹0.00")]
    )
    def test_carries_its_sign(self, amount: str, written: str) -> None:
        assert gain(Decimal(amount), "INR") == written


class TestRupees:
    @pytest.mark.parametrize(
        ("amount", "written"),
        [
            ("0", "0.00"),
            ("7", "7.00"),
            ("999.995", "1,000.00"),
            ("1234", "1,234.00"),
            ("123456.7", "1,23,456.70"),
            ("1234567.8", "12,34,567.80"),
            ("123456789.01", "12,34,56,789.01"),
            ("-41226.5", "−41,226.50"),
        ],
    )
    def test_are_grouped_in_lakhs_and_crores(self, amount: str, written: str) -> None:
        assert figures.rupees(Decimal(amount)) == written

    def test_without_paise_keep_their_groups(self) -> None:
        assert figures.rupees(Decimal("494410.00"), 0) == "4,94,410"

    def test_that_nobody_knows_are_a_dash(self) -> None:
        assert figures.rupees(None) == "–"

    @given(amounts)
    def test_read_back_are_the_amount_to_the_paisa(self, amount: Decimal) -> None:
        read = Decimal(figures.rupees(amount).replace(",", "").replace("−", "-"))
        assert abs(read - amount) <= Decimal("0.005")

    @given(amounts)
    def test_have_two_digits_in_each_group_but_the_last(self, amount: Decimal) -> None:
        whole = figures.rupees(amount, 0).lstrip("−")
        *pairs, last = whole.split(",")
        assert len(last) <= 3 and all(len(pair) == 2 for pair in pairs[1:])


class TestSigned:
    def test_gain_wears_a_plus(self) -> None:
        assert figures.signed(Decimal("860.5")) == "+860.50"

    def test_loss_wears_a_true_minus(self) -> None:
        assert figures.signed(Decimal("-860.5")) == "−860.50"

    @pytest.mark.parametrize("amount", ["0", "0.004", "-0.004"])
    def test_what_shows_as_nothing_has_no_sign(self, amount: str) -> None:
        assert figures.signed(Decimal(amount)) == "0.00"

    @given(amounts)
    def test_agrees_with_its_colour(self, amount: Decimal) -> None:
        colours = {"+": "up", "−": "down"}
        assert figures.direction(amount) == colours.get(figures.signed(amount)[0], "")


class TestMoney:
    @pytest.mark.parametrize(
        ("amount", "currency", "written"),
        [
            ("2702.2", "INR", "₹2,702.20"),
            ("2702.2", "USD", "USD 2,702.20"),
            ("-15", "INR", "−₹15.00"),
            (None, "USD", "–"),
        ],
    )
    def test_wears_its_currency(self, amount: str | None, currency: str, written: str) -> None:
        assert money(None if amount is None else Decimal(amount), currency) == written

    def test_of_two_currencies_is_never_one_sum(self) -> None:
        held = {"INR": Decimal(4000), "USD": Decimal("270.22")}
        assert sums(held) == "₹4,000.00 and USD 270.22"
        assert sums({}, 0) == "₹0"


class TestPrice:
    def test_has_two_decimals_at_least(self) -> None:
        assert figures.price(Decimal("1412.6"), Decimal("0.1")) == "1,412.60"

    def test_has_as_many_decimals_as_its_tick(self) -> None:
        assert figures.price(Decimal("87.125"), Decimal("0.0025")) == "87.1250"

    def test_of_a_whole_rupee_tick_has_two(self) -> None:
        assert figures.price(Decimal(100), Decimal("10")) == "100.00"


class TestAge:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [(18, "18 s old"), (180, "3 min old"), (7200, "2 h old"), (3 * 86400, "3 days old")],
    )
    def test_is_told_in_the_unit_that_fits(self, seconds: int, words: str) -> None:
        assert figures.age(seconds) == words


class TestTimes:
    def test_are_told_in_kolkata(self) -> None:
        at = datetime(2026, 6, 17, 20, 0, 5, tzinfo=UTC)
        assert figures.ist_time(at) == "01:30:05"
        assert figures.ist_moment(at) == "18 Jun 2026, 01:30:05"
