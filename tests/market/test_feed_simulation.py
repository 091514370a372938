"""The simulated exchange: plausible, lively, and the same whenever it is asked again."""

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.calendar import IST
from market.feeds import LiveSimulation, SimulatedExchange, TickBatch
from market.feeds.simulation import SECONDS, SimulatedDay, simulate_day
from market.feeds.universe import INDEX_KEY, SHARES

DAY = date(2026, 6, 17)
MORNING = datetime(2026, 6, 17, 5, 0, tzinfo=UTC)
SIZES = {share.key: share.tick for share in SHARES}


@pytest.fixture(scope="module")
def day() -> SimulatedDay:
    return simulate_day(SHARES, seed=1, day=DAY)


def minute_returns(day: SimulatedDay) -> np.ndarray:
    return np.diff(np.log(day.prices[::60].astype(float)), axis=0)


class TestSimulateDay:
    @settings(max_examples=4, deadline=None)
    @given(seed=st.integers(0, 2**32), offset=st.integers(0, 3000))
    def test_prices_are_positive_and_quoted_on_both_sides(self, seed: int, offset: int) -> None:
        day = simulate_day(SHARES, seed=seed, day=date(2024, 1, 1) + timedelta(days=offset))
        bids = day.prices[:, :-1] - day.spreads * day.at_ask
        assert (bids > 0).all()
        assert (day.spreads >= 1).all()
        assert (day.volumes >= 0).all()

    def test_is_the_same_for_the_same_seed(self, day: SimulatedDay) -> None:
        again = simulate_day(SHARES, seed=1, day=DAY)
        assert np.array_equal(day.prices, again.prices)
        assert np.array_equal(day.volumes, again.volumes)

    def test_differs_for_another_seed(self, day: SimulatedDay) -> None:
        assert not np.array_equal(day.prices, simulate_day(SHARES, seed=2, day=DAY).prices)

    def test_shares_go_with_the_index(self, day: SimulatedDay) -> None:
        correlations = np.corrcoef(minute_returns(day).T)[-1, :-1]
        assert correlations.min() > 0.3

    def test_each_minute_is_worth_watching(self, day: SimulatedDay) -> None:
        spread = minute_returns(day).std(axis=0)
        assert (spread > 0.0005).all()
        assert (spread < 0.004).all()

    def test_a_day_stays_near_where_it_began(self, day: SimulatedDay) -> None:
        assert (day.prices.max(axis=0) / day.prices.min(axis=0)).max() < 1.15

    def test_volume_is_a_u(self, day: SimulatedDay) -> None:
        hours = day.volumes.reshape(24, -1).sum(axis=1)
        assert hours[0] > 1.5 * hours[12]
        assert hours[-1] > 1.5 * hours[12]

    def test_volatility_comes_in_bursts(self, day: SimulatedDay) -> None:
        index = np.abs(np.diff(np.log(day.prices[:, -1].astype(float))))
        minutes = index[: SECONDS - 60].reshape(-1, 60)[:1400].mean(axis=1)
        assert np.corrcoef(minutes[:-1], minutes[1:])[0, 1] > 0.1

    def test_the_next_day_opens_with_a_small_gap(self, day: SimulatedDay) -> None:
        following = simulate_day(SHARES, seed=1, day=DAY + timedelta(days=1))
        gap = following.prices[0] / day.prices[-1] - 1
        assert (gap != 0).any()
        assert np.abs(gap).max() < 0.08


class TestBatch:
    def test_is_on_the_tick_and_between_its_sides(self) -> None:
        exchange = SimulatedExchange()
        for batch in exchange.between(MORNING, MORNING + timedelta(seconds=50)):
            for tick in batch.ticks[:-1]:
                assert tick.bid is not None
                assert tick.ask is not None
                assert tick.bid <= tick.ltp <= tick.ask
                assert tick.bid < tick.ask
                assert tick.ltp % SIZES[tick.key] == 0

    def test_gives_the_index_no_sides_and_no_volume(self) -> None:
        index = SimulatedExchange().batch(MORNING).ticks[-1]
        assert (index.key, index.bid, index.ask, index.volume) == (INDEX_KEY, None, None, 0)

    def test_depends_on_nothing_that_was_asked_before(self) -> None:
        asked_much = SimulatedExchange()
        list(asked_much.between(MORNING - timedelta(days=1), MORNING - timedelta(hours=23)))
        assert asked_much.batch(MORNING) == SimulatedExchange().batch(MORNING)

    def test_sums_the_volume_since_the_batch_before(self) -> None:
        exchange, later = SimulatedExchange(), MORNING + timedelta(seconds=3)
        seconds = [exchange.batch(MORNING + timedelta(seconds=n)) for n in (1, 2, 3)]
        whole = exchange.batch(later, since=MORNING)
        for column, tick in enumerate(whole.ticks):
            assert tick.volume == sum(batch.ticks[column].volume for batch in seconds)

    def test_begins_the_volume_anew_at_midnight(self) -> None:
        midnight = datetime(2026, 6, 18, tzinfo=IST)
        exchange = SimulatedExchange()
        batch = exchange.batch(midnight, since=midnight - timedelta(seconds=5))
        assert batch == exchange.batch(midnight)


class TestMinuteBars:
    def test_agree_with_the_ticks_of_that_minute(self) -> None:
        exchange = SimulatedExchange()
        ticks = [
            batch.ticks[0] for batch in exchange.between(MORNING, MORNING + timedelta(minutes=1))
        ]
        bars = exchange.minute_bars(DAY)[ticks[0].key]
        bar = next(bar for bar in bars if bar.at == MORNING)
        prices = [tick.ltp for tick in ticks]
        assert (bar.open, bar.high, bar.low, bar.close) == (
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
        )
        assert bar.volume == sum(tick.volume for tick in ticks)

    def test_cover_the_day_without_a_gap(self) -> None:
        bars = SimulatedExchange().minute_bars(DAY)[INDEX_KEY]
        steps = {after.at - before.at for before, after in pairwise(bars)}
        assert (len(bars), steps) == (1440, {timedelta(minutes=1)})


class SteppingClock:
    """A clock that goes on by itself each time somebody looks at it."""

    def __init__(self, now: datetime, *, step: float) -> None:
        self.now = now
        self.step = timedelta(seconds=step)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


class TestLiveSimulation:
    def take(self, count: int, *, step: float) -> list[TickBatch]:
        clock = SteppingClock(MORNING + timedelta(seconds=30), step=step)
        feed = LiveSimulation(SimulatedExchange(), clock=clock, stopped=threading.Event())
        return [batch for batch, _ in zip(feed.batches(), range(count), strict=False)]

    def test_begins_at_the_minute_so_that_its_candle_is_whole(self) -> None:
        batches = self.take(5, step=0.001)
        assert [batch.at for batch in batches] == [
            MORNING + timedelta(seconds=second) for second in range(5)
        ]

    def test_skips_what_a_sleeping_laptop_missed(self) -> None:
        batches = self.take(4, step=600)
        assert batches[-1].at - batches[0].at > timedelta(minutes=10)

    def test_ends_when_it_is_stopped(self) -> None:
        stopped = threading.Event()
        stopped.set()
        feed = LiveSimulation(SimulatedExchange(), clock=lambda: MORNING, stopped=stopped)
        assert list(feed.batches()) == []

    def test_prices_are_exact_decimals(self) -> None:
        tick = self.take(1, step=0.001)[0].ticks[0]
        assert isinstance(tick.ltp, Decimal)
        assert tick.ltp == tick.ltp.quantize(Decimal("0.01"))
