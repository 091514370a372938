"""Stored candles as ticks: the path inside a bar, the merging of instruments, the pace."""

import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from market.bars import Bar
from market.building import CandleBuilder
from market.calendar import IST
from market.feeds import ReplayFeed, ReplayPlan, TickBatch
from market.feeds.replay import ticks_of
from market.models import Instrument, Interval
from market.store import read_candles, write_candles
from tests.builders import make_instrument

OPEN = datetime(2026, 6, 17, 9, 15, tzinfo=IST)
FIVE = timedelta(minutes=5)


def bar(minutes: int = 0, *, prices: tuple[int, int, int, int] = (100, 103, 99, 101)) -> Bar:
    opened, high, low, close = map(Decimal, prices)
    return Bar(OPEN + timedelta(minutes=minutes), opened, high, low, close, 103)


def path(*prices: int) -> list[Decimal]:
    given = bar(prices=(prices[0], prices[1], prices[2], prices[3]))
    return [tick.ltp for tick in ticks_of("NSE:TCS", given, begins=OPEN, ends=OPEN + FIVE)]


def stored(key: str, *bars: Bar) -> Instrument:
    instrument = make_instrument(key)
    write_candles(instrument, Interval.M5, bars)
    return instrument


def plan_of(*instruments: Instrument) -> ReplayPlan:
    return ReplayPlan(instruments, Interval.M5)


def play(*instruments: Instrument) -> list[TickBatch]:
    return list(ReplayFeed(plan_of(*instruments)).batches())


class TestTicksOf:
    def test_goes_to_the_nearer_extreme_first(self) -> None:
        assert path(100, 102, 95, 101) == [100, 102, 95, 101]
        assert path(100, 110, 99, 101) == [100, 99, 110, 101]

    def test_stays_inside_the_bar(self) -> None:
        ticks = list(ticks_of("NSE:TCS", bar(), begins=OPEN, ends=OPEN + FIVE))
        assert ticks[0].at == OPEN
        assert ticks[-1].at == OPEN + FIVE - timedelta(seconds=1)

    def test_shares_the_volume_out_to_the_last_share(self) -> None:
        ticks = ticks_of("NSE:TCS", bar(), begins=OPEN, ends=OPEN + FIVE)
        assert [tick.volume for tick in ticks] == [25, 25, 25, 28]


@pytest.mark.django_db
class TestReplayFeed:
    def test_plays_nothing_where_nothing_is_stored(self) -> None:
        assert play(make_instrument("NSE:TCS")) == []

    def test_holds_all_instruments_of_a_moment_in_one_batch(self) -> None:
        batches = play(stored("NSE:TCS", bar()), stored("NSE:INFY", bar()))
        assert [{tick.key for tick in batch.ticks} for batch in batches[:-1]] == [
            {"NSE:TCS", "NSE:INFY"}
        ] * 4

    def test_goes_forward_in_time_and_ends_each_day_with_an_empty_batch(self) -> None:
        batches = play(stored("NSE:TCS", bar(), bar(5)))
        moments = [batch.at for batch in batches]
        assert moments == sorted(moments)
        assert batches[-1] == TickBatch(OPEN + 2 * FIVE)

    def test_gives_back_the_candles_that_it_was_made_of(self) -> None:
        instrument = stored("NSE:TCS", bar(), bar(5, prices=(101, 107, 101, 102)))
        candles = CandleBuilder([Interval.M5])
        built = [closed.bar for batch in play(instrument) for closed in candles.add(batch)]
        assert built == read_candles(instrument, Interval.M5)

    def test_keeps_to_the_stretch_that_is_asked_for(self) -> None:
        whole = plan_of(stored("NSE:TCS", bar(), bar(5), bar(10)))
        plan = replace(whole, start=OPEN + FIVE, end=OPEN + 2 * FIVE)
        batches = list(ReplayFeed(plan).batches())
        assert (batches[0].at, batches[-1].at) == (OPEN + FIVE, OPEN + 2 * FIVE)
        assert len(batches) == 5

    def test_plays_days_one_after_the_other(self) -> None:
        later = bar(24 * 60)
        batches = play(stored("NSE:TCS", later, bar()))
        assert {batch.at.astimezone(IST).date().day for batch in batches} == {17, 18}

    def test_walks_a_days_bar_through_the_session(self) -> None:
        instrument = make_instrument("NSE:TCS")
        midnight = OPEN.replace(hour=0, minute=0)
        daily = Bar(midnight, Decimal(100), Decimal(103), Decimal(99), Decimal(101), 8)
        write_candles(instrument, Interval.D1, [daily])
        batches = list(ReplayFeed(ReplayPlan([instrument], Interval.D1)).batches())
        assert batches[0].at == OPEN
        assert batches[-1].at == OPEN.replace(hour=15, minute=30)

    def test_keeps_the_pace_that_is_asked_for(self) -> None:
        plan = replace(plan_of(stored("NSE:TCS", bar())), speed=3000)
        started = time.monotonic()
        list(ReplayFeed(plan).batches())
        assert time.monotonic() - started >= 0.09

    def test_ends_at_once_when_it_is_stopped(self) -> None:
        stopped = threading.Event()
        stopped.set()
        plan = replace(plan_of(stored("NSE:TCS", bar())), stopped=stopped)
        assert list(ReplayFeed(plan).batches()) == []
