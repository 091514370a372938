"""When a difference is believed, and when the broker's side of it is doubted."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.gateway import HoldingReport, PositionReport
from brokers.terms import Product
from orders.differences import (
    READINGS_APART,
    Compared,
    DayTrades,
    Reading,
    Sighting,
    compare,
    doubt,
    seen,
)
from tests.builders import NOW

KEY = "NSE:RELIANCE"
MIS, CNC = (KEY, "MIS"), (KEY, "CNC")


def row(quantity: int, *, product: Product = Product.MIS, bought: int = 0, sold: int = 0,
        price: str = "100") -> PositionReport:  # fmt: skip
    return PositionReport(KEY, product, quantity, Decimal(price), bought, sold)


def reading(ours: dict[tuple[str, str], int], *rows: PositionReport, **fields: object) -> Reading:
    given_fields = {"holdings": (), "traded": {}, **fields}
    return Reading(NOW, ours, rows, **given_fields)  # type: ignore[arg-type]  # by name


def doubts(told: Reading) -> list[str]:
    return [doubt(each, told) for each in compare(told)]


class TestAReportIsDoubted:
    def test_when_it_is_empty_and_we_hold_something(self) -> None:
        assert "empty" in doubts(reading({MIS: 10}))[0]

    def test_when_all_of_it_is_zero(self) -> None:
        assert "empty" in doubts(reading({MIS: 10}, row(0)))[0]

    def test_when_it_counts_fewer_trades_than_there_were_today(self) -> None:
        told = reading({MIS: 10}, row(4, bought=4), traded={KEY: DayTrades(bought=10)})
        assert "today's trades" in doubts(told)[0]

    def test_when_it_stands_where_it_stood_before_todays_trades(self) -> None:
        told = reading({MIS: 25}, row(15), traded={KEY: DayTrades(bought=10)})
        assert "today's trades" in doubts(told)[0]

    def test_when_a_position_has_vanished_without_a_trade(self) -> None:
        other = PositionReport("NSE:TCS", Product.MIS, 5, Decimal(50))
        told = reading({MIS: 10, ("NSE:TCS", "MIS"): 5}, other)
        assert "does not list" in doubts(told)[0]

    def test_when_delivery_shares_have_vanished_from_the_holdings(self) -> None:
        other = HoldingReport("NSE:TCS", 5, 0, Decimal(50))
        assert "does not list" in doubts(reading({CNC: 10}, holdings=(other,)))[0]


class TestAReportIsBelieved:
    def test_of_another_quantity(self) -> None:
        assert doubts(reading({MIS: 10}, row(7))) == [""]

    def test_of_a_position_that_was_not_known_here(self) -> None:
        assert doubts(reading({}, row(7))) == [""]

    def test_of_trades_beyond_those_that_were_told(self) -> None:
        told = reading(
            {MIS: 10}, row(0, bought=10, sold=10), row(5, product=Product.NRML),
            traded={KEY: DayTrades(bought=10)},
        )  # fmt: skip
        assert doubts(told) == ["", ""]

    def test_of_a_conversion_to_another_product(self) -> None:
        told = reading({MIS: 10}, row(10, product=Product.CNC), traded={KEY: DayTrades(bought=10)})
        assert doubts(told) == ["", ""]


class TestComparing:
    def test_leaves_out_what_has_expired_on_either_side(self) -> None:
        other = PositionReport("NSE:TCS", Product.MIS, 5, Decimal(50))
        expired = frozenset({KEY, "NSE:TCS"})
        assert compare(reading({MIS: 10}, other, expired=expired)) == []

    def test_believes_an_empty_report_where_only_what_expired_was_held(self) -> None:
        assert compare(reading({MIS: 10}, expired=frozenset({KEY}))) == []

    def test_counts_holdings_up_to_what_was_bought_here(self) -> None:
        holding = HoldingReport(KEY, 30, 0, Decimal(90))
        assert compare(reading({CNC: 10}, holdings=(holding,))) == []

    def test_tells_the_brokers_average(self) -> None:
        assert compare(reading({MIS: 10}, row(7, price="98.5")))[0].price == Decimal("98.5")

    def test_tells_the_average_of_what_was_converted_under_its_new_product(self) -> None:
        told = reading({MIS: 10}, row(10, product=Product.CNC, price="97"))
        assert {each.price for each in compare(told)} == {Decimal(97)}


Step = tuple[int, datetime]
steps = st.lists(
    st.tuples(
        st.floats(min_value=0.0, max_value=20.0, allow_nan=False),
        st.sampled_from([7, 8]),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


class TestASequenceOfReadings:
    @given(steps)
    def test_is_believed_only_after_two_settled_ones_apart_that_say_the_same(
        self, steps: list[tuple[float, int, bool]]
    ) -> None:
        now, sighting = NOW, None
        run: list[Step] = []
        for seconds, theirs, is_settled in steps:
            now += timedelta(seconds=seconds)
            each = Compared(KEY, "MIS", 10, theirs)
            sighting = seen(sighting, each, is_settled=is_settled, at=now)
            run = _run(run, theirs, now) if is_settled else []
            is_due = len(run) >= 2 and run[-1][1] - run[0][1] >= READINGS_APART
            assert sighting.is_believed == is_due
            assert sighting.readings == len(run)

    @pytest.mark.parametrize("seconds", [0, 4.9])
    def test_that_follow_at_once_is_not_believed(self, seconds: float) -> None:
        assert not self.twice(seconds).is_believed

    def test_five_seconds_apart_is(self) -> None:
        assert self.twice(5).is_believed

    def twice(self, seconds: float) -> Sighting:
        each = Compared(KEY, "MIS", 10, 7)
        first = seen(None, each, is_settled=True, at=NOW)
        return seen(first, each, is_settled=True, at=NOW + timedelta(seconds=seconds))


def _run(run: list[Step], theirs: int, now: datetime) -> list[Step]:
    """The readings in a row that said the same, with this one."""
    is_same = all(step[0] == theirs for step in run)
    return [*(run if is_same else []), (theirs, now)]
