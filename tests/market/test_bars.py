from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as some

from market.bars import Bar, adjust, aggregate, grid_of
from market.calendar import IST
from market.models import CorporateAction, Interval

OPENING = datetime(2026, 6, 17, 9, 15, tzinfo=IST)


def bar(at: datetime, price: str = "100", volume: int = 10) -> Bar:
    value = Decimal(price)
    return Bar(at, value, value + 1, value - 1, value, volume)


def five_minutes(count: int) -> list[Bar]:
    return [bar(OPENING + timedelta(minutes=5 * n), str(100 + n)) for n in range(count)]


def split(ex_date: date, factor: str) -> CorporateAction:
    return CorporateAction(ex_date=ex_date, factor=Decimal(factor))


class TestAggregate:
    def test_makes_nothing_of_nothing(self) -> None:
        assert aggregate([], Interval.H1) == []

    def test_counts_hours_from_the_opening(self) -> None:
        hours = aggregate(five_minutes(75), Interval.H1)

        assert [each.at.astimezone(IST).strftime("%H:%M") for each in hours] == [
            "09:15",
            "10:15",
            "11:15",
            "12:15",
            "13:15",
            "14:15",
            "15:15",
        ]

    def test_joins_the_prices_of_its_bars(self) -> None:
        quarter = aggregate(five_minutes(3), Interval.M15)[0]

        assert quarter == Bar(
            OPENING.astimezone(UTC),
            Decimal(100),
            Decimal(103),
            Decimal(99),
            Decimal(102),
            30,
        )

    def test_names_a_day_by_its_midnight_in_india(self) -> None:
        day = aggregate(five_minutes(75), Interval.D1)[0]

        assert day.at == datetime(2026, 6, 17, tzinfo=IST)

    def test_keeps_the_last_open_interest(self) -> None:
        first, last = five_minutes(2)
        later = Bar(last.at, last.open, last.high, last.low, last.close, 5, 700)

        assert aggregate([first, later], Interval.M15)[0].open_interest == 700

    def test_counts_from_midnight_at_the_simulated_exchange(self) -> None:
        hours = aggregate(five_minutes(12), Interval.H1, grid=grid_of("SIM"))

        assert [each.at.astimezone(IST).hour for each in hours] == [9, 10]
        assert hours[0].at.astimezone(IST).minute == 0

    def test_counts_from_half_past_nine_in_new_york(self) -> None:
        opening = datetime(2026, 6, 17, 13, 30, tzinfo=UTC)

        assert grid_of("NYSE").start_of(opening, Interval.H1) == opening

    @given(some.lists(some.integers(min_value=2, max_value=9999), min_size=1, max_size=75))
    def test_loses_no_volume_and_no_extreme(self, prices: list[int]) -> None:
        bars = [
            bar(OPENING + timedelta(minutes=5 * n), str(price)) for n, price in enumerate(prices)
        ]

        hours = aggregate(bars, Interval.H1)

        assert sum(each.volume for each in hours) == sum(each.volume for each in bars)
        assert max(each.high for each in hours) == max(each.high for each in bars)
        assert min(each.low for each in hours) == min(each.low for each in bars)

    @given(some.integers(min_value=1, max_value=150))
    def test_by_two_steps_gives_what_one_step_gives(self, count: int) -> None:
        bars = five_minutes(count)

        assert aggregate(aggregate(bars, Interval.M15), Interval.M30) == aggregate(
            bars, Interval.M30
        )


class TestAdjust:
    def test_leaves_the_ex_date_alone(self) -> None:
        bars = [bar(OPENING)]

        assert adjust(bars, [split(date(2026, 6, 17), "2")]) == bars

    def test_divides_prices_before_the_ex_date(self) -> None:
        adjusted = adjust([bar(OPENING, "100", 7)], [split(date(2026, 6, 18), "2")])[0]

        assert (adjusted.open, adjusted.high, adjusted.volume) == (
            Decimal("50"),
            Decimal("50.5"),
            14,
        )

    def test_multiplies_the_factors_of_all_later_actions(self) -> None:
        actions = [split(date(2026, 6, 18), "2"), split(date(2026, 6, 19), "5")]

        assert adjust([bar(OPENING)], actions)[0].close == Decimal("10")

    def test_goes_by_the_day_in_india(self) -> None:
        midnight = bar(datetime(2026, 6, 16, 18, 30, tzinfo=UTC))

        assert adjust([midnight], [split(date(2026, 6, 17), "2")]) == [midnight]

    def test_rounds_to_four_decimals_half_up(self) -> None:
        adjusted = adjust([bar(OPENING, "100")], [split(date(2026, 6, 18), "3")])[0]

        assert adjusted.close == Decimal("33.3333")
