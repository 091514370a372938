from decimal import Decimal

from brokers.terms import Side
from strategies.algorithms.price_breakout import PriceBreakout
from tests.strategies.bars import bars_closing_at, mirrored

LONG_ONLY = PriceBreakout(entry_bars=3, exit_bars=2)
BOTH_WAYS = PriceBreakout(entry_bars=3, exit_bars=2, allow_short=True)
RISE = bars_closing_at(100, 101, 100, 102)  # the highest high before the last is 101.5
FALL = bars_closing_at(100, 100, 100, 99)  # the lowest low of two before the last is 99.5


class TestBreakout:
    def test_waits_until_it_has_seen_enough_candles(self) -> None:
        assert LONG_ONLY.decide(RISE[1:], 0) is None

    def test_buys_above_the_highest_high(self) -> None:
        decision = LONG_ONLY.decide(RISE, 0)
        assert decision is not None
        assert (decision.side, decision.is_exit) == (Side.BUY, False)
        assert decision.reason == "Closed at 102.00, above 101.50, the high of 3 candles"

    def test_does_not_buy_at_the_high_itself(self) -> None:
        assert LONG_ONLY.decide(bars_closing_at(100, 101, 100, "101.5"), 0) is None

    def test_asks_for_its_buffer_beyond_the_high(self) -> None:
        demanding = PriceBreakout(entry_bars=3, exit_bars=2, buffer_percent=Decimal(1))
        assert demanding.decide(RISE, 0) is None

    def test_looks_no_further_back_than_its_candles(self) -> None:
        assert LONG_ONLY.decide([*bars_closing_at(200), *RISE], 0) is not None

    def test_sells_what_it_holds_below_the_lowest_low(self) -> None:
        decision = LONG_ONLY.decide(FALL, 10)
        assert decision is not None
        assert (decision.side, decision.is_exit) == (Side.SELL, True)

    def test_holds_within_the_range(self) -> None:
        assert LONG_ONLY.decide(bars_closing_at(100, 100, 100, "99.5"), 10) is None

    def test_does_not_sell_short_unless_allowed(self) -> None:
        assert LONG_ONLY.decide(FALL, 0) is None


class TestShortBreakout:
    def test_sells_short_below_the_lowest_low(self) -> None:
        decision = BOTH_WAYS.decide(mirrored(RISE), 0)
        assert decision is not None
        assert (decision.side, decision.is_exit) == (Side.SELL, False)

    def test_buys_back_above_the_highest_high(self) -> None:
        decision = BOTH_WAYS.decide(mirrored(FALL), -10)
        assert decision is not None
        assert (decision.side, decision.is_exit) == (Side.BUY, True)

    def test_stays_short_within_the_range(self) -> None:
        assert BOTH_WAYS.decide(mirrored(bars_closing_at(100, 100, 100, 100)), -10) is None


class TestContradictions:
    def test_refuse_to_leave_later_than_to_enter(self) -> None:
        assert "exit_bars" in PriceBreakout(entry_bars=5, exit_bars=6).contradictions()
