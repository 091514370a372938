from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portfolio.profit_chart import HEIGHT, WIDTH, profit_chart
from portfolio.selectors import CurvePoint
from tests.builders import NOW
from trading_site.sparkline import sparkline

profits = st.decimals(
    min_value=-(10**9), max_value=10**9, places=2, allow_nan=False, allow_infinity=False
)


def curve(*amounts: str | Decimal) -> list[CurvePoint]:
    """One point a minute."""
    return [
        CurvePoint(NOW + timedelta(minutes=minute), Decimal(amount))
        for minute, amount in enumerate(amounts)
    ]


def numbers(path: str) -> list[float]:
    return [float(each) for each in path.strip("MZ").replace("L", " ").split()]


class TestProfitChart:
    def test_of_one_point_is_not_drawn(self) -> None:
        assert profit_chart(curve("12")) is None

    def test_tells_its_extremes_in_words(self) -> None:
        chart = profit_chart(curve("0", "-50", "75", "20"))
        assert chart is not None
        assert chart.words == (
            "Profit and loss from 10:30 to 10:33: low −50 at 10:31, high +75 at 10:32, now +20"
        )

    def test_has_round_grid_lines_with_zero_among_them(self) -> None:
        chart = profit_chart(curve("0", "23480", "-5452", "18427"))
        assert chart is not None
        assert [line.label for line in chart.grid] == ["0", "+10,000", "+20,000"]
        assert [line.is_zero for line in chart.grid] == [True, False, False]

    def test_parts_gain_from_pain_where_the_line_crosses_zero(self) -> None:
        chart = profit_chart(curve("-100", "100"))
        assert chart is not None
        crossing = float(chart.last_x) / 100 * WIDTH / 2
        for path in (chart.gain, chart.pain):
            assert any(abs(x - crossing) < 0.1 for x in numbers(path)[::2])

    def test_of_a_young_day_leaves_room_to_the_right(self) -> None:
        chart = profit_chart(curve("0", "10"))
        assert chart is not None and float(chart.last_x) < 5

    @given(st.lists(profits, min_size=2, max_size=60))
    def test_stays_in_its_box(self, amounts: list[Decimal]) -> None:
        chart = profit_chart(curve(*amounts))
        assert chart is not None
        for path in (chart.line, chart.gain, chart.pain):
            drawn = numbers(path)
            assert all(-0.1 <= x <= WIDTH + 0.1 for x in drawn[::2])
            assert all(-0.1 <= y <= HEIGHT + 0.1 for y in drawn[1::2])

    @given(st.lists(profits, min_size=2, max_size=60))
    def test_rises_where_the_profit_rises(self, amounts: list[Decimal]) -> None:
        chart = profit_chart(curve(*amounts))
        assert chart is not None
        heights = numbers(chart.line)[1::2]
        highest = amounts.index(max(amounts))
        assert heights[highest] == min(heights)

    @given(st.lists(profits, min_size=2, max_size=60))
    def test_has_few_grid_lines(self, amounts: list[Decimal]) -> None:
        chart = profit_chart(curve(*amounts))
        assert chart is not None and 1 <= len(chart.grid) <= 6


class TestSparkline:
    def test_of_one_amount_is_not_drawn(self) -> None:
        assert sparkline([Decimal(1)]) is None

    def test_is_a_fall_when_it_ends_below_its_start(self) -> None:
        falling = sparkline([Decimal(5), Decimal(9), Decimal(4)])
        assert falling is not None and falling.is_fall

    def test_of_what_never_moved_is_not_drawn(self) -> None:
        assert sparkline([Decimal(3), Decimal(3)]) is None
        assert sparkline([]) is None

    def test_starts_on_its_baseline(self) -> None:
        rising = sparkline([Decimal(0), Decimal(4)])
        assert rising is not None
        assert (rising.path, rising.baseline) == ("M0.0 20.0 72.0 0.0", "20.0")
