"""What was decided at a candle stays decided, whatever the market does afterwards."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.bars import Bar
from market.models import Interval
from strategies.algorithms.algorithm import Algorithm, Decision
from strategies.algorithms.price_breakout import PriceBreakout
from strategies.algorithms.price_threshold import PriceThreshold
from strategies.algorithms.rsi_dmi import RsiDmi
from strategies.history import Span, cut
from tests.strategies.bars import bars_closing_at

ALGORITHMS = [
    PriceThreshold(allow_short=True),
    PriceBreakout(entry_bars=4, exit_bars=2, allow_short=True),
    RsiDmi(rsi_period=3, dmi_period=3, memory=3, adx_minimum=Decimal(0), allow_short=True),
]
prices = st.integers(min_value=90, max_value=110)
positions = st.sampled_from([-10, 0, 10])


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda each: type(each).__name__)
class TestDecision:
    @given(
        past=st.lists(prices, min_size=15, max_size=60),
        future=st.lists(prices, min_size=1, max_size=20),
        position=positions,
    )
    def test_is_the_same_once_more_candles_follow(self, algorithm, past, future, position) -> None:
        known = bars_closing_at(*past)
        later = bars_closing_at(*past, *future)
        now = decided_at(known[-1], algorithm, known, position)
        assert decided_at(known[-1], algorithm, later, position) == now

    @given(course=st.lists(prices, min_size=15, max_size=60), position=positions)
    def test_closes_the_right_way_or_opens_one(self, algorithm, course, position) -> None:
        decision = algorithm.decide(bars_closing_at(*course), position)
        if decision is not None:
            assert decision.is_exit == (position != 0)
            assert not decision.is_exit or decision.side.sign * position < 0


def decided_at(
    candle: Bar, algorithm: Algorithm, history: list[Bar], position: int
) -> Decision | None:
    span = Span(Interval.M5, candle.at, algorithm.lookback)
    return algorithm.decide(cut(history, span), position)
