"""Candles out of ticks: anchored at the session, closed by time, unharmed by late ticks."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.gateway import QuoteTick
from market.bars import Bar, aggregate
from market.building import CandleBuilder, ClosedBar, TradingWindow, trading_window
from market.calendar import IST
from market.feeds import TickBatch
from market.models import Interval
from strategies.due import closes_at
from tests.builders import make_instrument

OPEN = datetime(2026, 6, 17, 9, 15, tzinfo=IST)
CLOSE = datetime(2026, 6, 17, 15, 30, tzinfo=IST)
SHARE = "NSE:RELIANCE"


def hours(exchange: str, day: date) -> TradingWindow | None:
    return TradingWindow(OPEN, CLOSE) if day == OPEN.date() else None


def builder(*intervals: Interval) -> CandleBuilder:
    return CandleBuilder(intervals or (Interval.M1,), windows=hours)


def tick(seconds: float, price: int, *, volume: int = 1, key: str = SHARE) -> QuoteTick:
    return QuoteTick(key, Decimal(price), OPEN + timedelta(seconds=seconds), volume)


def batch(*ticks: QuoteTick) -> TickBatch:
    return TickBatch(max(each.at for each in ticks), ticks)


def passed(seconds: float) -> TickBatch:
    return TickBatch(OPEN + timedelta(seconds=seconds))


class TestAdd:
    def test_gives_nothing_while_the_bar_runs(self) -> None:
        assert builder().add(batch(tick(0, 100), tick(59, 101))) == []

    def test_gives_no_bar_that_was_joined_midway(self) -> None:
        candles = builder()
        candles.add(batch(tick(30, 100)))
        assert candles.add(passed(60)) == []

    def test_builds_open_high_low_close_and_volume(self) -> None:
        candles = builder()
        for second, price in ((0, 100), (10, 105), (20, 95), (59, 101)):
            candles.add(batch(tick(second, price, volume=5)))
        bar = Bar(OPEN, Decimal(100), Decimal(105), Decimal(95), Decimal(101), 20)
        assert candles.add(passed(60)) == [ClosedBar(SHARE, Interval.M1, bar)]

    def test_closes_by_the_clock_with_no_tick_of_its_own(self) -> None:
        candles = builder()
        candles.add(batch(tick(0, 100)))
        other = candles.add(batch(tick(60, 50, key="NSE:TCS")))
        assert [closed.key for closed in other] == [SHARE]

    def test_gives_no_bar_to_a_minute_without_trades(self) -> None:
        candles = builder()
        candles.add(batch(tick(0, 100)))
        candles.add(passed(60))
        assert candles.add(passed(300)) == []

    def test_ignores_a_tick_told_twice(self) -> None:
        candles = builder()
        candles.add(batch(tick(0, 100, volume=7)))
        candles.add(batch(tick(0, 100, volume=7)))
        assert candles.add(passed(60))[0].bar.volume == 7

    def test_ignores_a_tick_after_its_bar_has_closed(self) -> None:
        candles = builder()
        candles.add(batch(tick(0, 100)))
        candles.add(passed(60))
        candles.add(batch(tick(59, 500), tick(61, 101)))
        closed = candles.add(passed(120))
        assert [each.bar.high for each in closed] == [101]

    def test_lets_a_late_tick_widen_the_range_but_not_move_the_close(self) -> None:
        candles = builder()
        candles.add(batch(tick(0, 100)))
        candles.add(batch(tick(50, 101)))
        candles.add(batch(tick(40, 110), tick(50.5, 101)))
        bar = candles.add(passed(60))[0].bar
        assert [bar.high, bar.close] == [Decimal(110), Decimal(101)]

    def test_keeps_outside_the_session_out(self) -> None:
        candles = builder()
        candles.add(batch(tick(-300, 90)))
        candles.add(batch(tick(0, 100)))
        assert candles.add(passed(60))[0].bar.low == 100

    def test_closes_the_last_bar_with_the_session(self) -> None:
        candles = builder(Interval.H1)
        last = (CLOSE - OPEN).total_seconds()
        candles.add(passed(0))
        candles.add(batch(tick(last - 600, 100)))
        closed = candles.add(passed(last))
        assert [each.bar.at for each in closed] == [CLOSE - timedelta(minutes=15)]

    def test_names_a_days_bar_by_midnight(self) -> None:
        candles = builder(Interval.D1)
        candles.add(batch(tick(0, 100)))
        closed = candles.add(passed((CLOSE - OPEN).total_seconds()))
        assert [each.bar.at for each in closed] == [datetime(2026, 6, 17, tzinfo=IST)]

    def test_closes_several_intervals_shortest_first(self) -> None:
        candles = builder(Interval.M5, Interval.M1)
        candles.add(batch(tick(0, 100)))
        candles.add(batch(tick(250, 102)))
        closed = candles.add(passed(300))
        assert [each.interval for each in closed] == [Interval.M1, Interval.M5]

    @given(
        seconds=st.lists(st.integers(0, 1799), min_size=1, max_size=80),
        prices=st.lists(st.integers(90, 110), min_size=80, max_size=80),
    )
    def test_long_bars_are_what_short_ones_add_up_to(
        self, seconds: list[int], prices: list[int]
    ) -> None:
        candles = builder(Interval.M1, Interval.M5)
        closed = candles.add(passed(0))
        for second, price in zip(sorted(seconds), prices, strict=False):
            closed += candles.add(batch(tick(second, price)))
        closed += candles.add(passed(1800))
        short = [each.bar for each in closed if each.interval is Interval.M1]
        long = [each.bar for each in closed if each.interval is Interval.M5]
        assert aggregate(short, Interval.M5) == long


@pytest.mark.django_db
class TestTradingWindow:
    def test_is_the_whole_day_on_the_simulated_exchange(self) -> None:
        window = trading_window("SIM", date(2026, 6, 20))
        assert window is not None
        assert window.closes_at - window.opens_at == timedelta(days=1)

    def test_is_the_session_on_a_real_one(self) -> None:
        assert trading_window("NSE", OPEN.date()) == TradingWindow(OPEN, CLOSE)

    @pytest.mark.parametrize("day", [date(2026, 6, 20), date(2090, 1, 1)])
    def test_is_none_on_a_holiday_and_beyond_the_calendar(self, day: date) -> None:
        assert trading_window("NSE", day) is None


@pytest.mark.django_db
class TestDayOfTwoSessions:
    """2024-05-18: 09:15 to 10:00 and 11:30 to 12:30."""

    def bars(self, *clocks: str) -> list[str]:
        candles = CandleBuilder([Interval.H1])
        closed = candles.add(TickBatch(self.at("09:00")))
        for clock in clocks:
            moment = self.at(clock)
            closed += candles.add(TickBatch(moment, (QuoteTick(SHARE, Decimal(100), moment, 1),)))
        closed += candles.add(TickBatch(self.at("13:00")))
        return [f"{each.bar.at.astimezone(IST):%H:%M}" for each in closed]

    def at(self, clock: str) -> datetime:
        return datetime.fromisoformat(f"2024-05-18T{clock}:00+05:30")

    def test_ends_a_candle_with_its_session(self) -> None:
        assert self.bars("09:20", "09:50") == ["09:15"]

    def test_makes_no_candle_of_the_break(self) -> None:
        assert self.bars("09:20", "10:30", "11:20") == ["09:15"]

    def test_begins_again_with_the_second_session(self) -> None:
        assert self.bars("09:20", "11:31", "12:20") == ["09:15", "11:15", "12:15"]

    def test_has_closed_its_candles_where_strategies_look_for_them(self) -> None:
        share = make_instrument(SHARE)
        assert closes_at(share, Interval.H1, self.at("09:15")) == self.at("10:00")
