"""A fall into oversold and the recovery from it, and the same upside down."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from math import isnan
from pathlib import Path

import pytest

from brokers.terms import Side
from market.bars import Bar
from strategies.algorithms.rsi_dmi import Readings, RsiDmi
from tests.strategies.bars import bars_closing_at, mirrored

DATA = Path(__file__).parent / "data"
QUICK = RsiDmi(
    rsi_period=3, rsi_overbought=Decimal(80), dmi_period=3, adx_minimum=Decimal(10), memory=5
)
BOTH_WAYS = replace(QUICK, allow_short=True, rsi_oversold=Decimal(20), rsi_overbought=Decimal(70))
FLAT: list[str | int] = [100, "100.5"] * 20
FALL = [99, 97, 95, 93]
FALLEN = bars_closing_at(*FLAT, *FALL)
RECOVERED = bars_closing_at(*FLAT, *FALL, 96, 99)
OVERBOUGHT = bars_closing_at(*FLAT, *FALL, 96, 99, 103, 108)
TURNED = bars_closing_at(*FLAT, 104, 108, 103, 95)


class TestEntry:
    def test_waits_until_its_indicators_have_settled(self) -> None:
        needed = QUICK.lookback.bars
        assert QUICK.decide(RECOVERED[-needed + 1 :], 0) is None
        assert QUICK.decide(RECOVERED[-needed:], 0) is not None

    def test_is_not_judged_on_the_first_reading_of_the_adx(self) -> None:
        eager = RsiDmi(adx_minimum=Decimal(0), rsi_oversold=Decimal(50))
        for length in range(27, eager.lookback.bars):
            bars = spy_bars()[:length]
            assert eager.decide(bars, 0) is None

    def test_waits_in_a_market_without_movement(self) -> None:
        eager = replace(BOTH_WAYS, adx_minimum=Decimal(0))
        assert eager.decide(bars_closing_at(*[100] * 60), 0) is None

    def test_waits_while_the_price_still_falls(self) -> None:
        assert QUICK.decide(FALLEN, 0) is None

    def test_buys_the_recovery_once_buyers_lead(self) -> None:
        decision = QUICK.decide(RECOVERED, 0)
        assert decision is not None
        assert (decision.side, decision.is_exit) == (Side.BUY, False)
        assert "rising from an oversold" in decision.reason

    def test_waits_when_the_trend_is_too_weak(self) -> None:
        assert replace(QUICK, adx_minimum=Decimal(80)).decide(RECOVERED, 0) is None

    def test_waits_when_it_would_be_time_to_leave_already(self) -> None:
        assert replace(QUICK, rsi_overbought=Decimal(70)).decide(RECOVERED, 0) is None

    def test_forgets_an_oversold_that_is_long_past(self) -> None:
        assert replace(QUICK, memory=1).decide(RECOVERED, 0) is None

    def test_sells_short_the_mirror_image_when_allowed(self) -> None:
        decision = BOTH_WAYS.decide(mirrored(RECOVERED), 0)
        assert decision is not None
        assert (decision.side, decision.is_exit) == (Side.SELL, False)

    def test_does_not_sell_short_unless_allowed(self) -> None:
        assert QUICK.decide(mirrored(RECOVERED), 0) is None


class TestExit:
    def test_sells_what_it_holds_when_overbought(self) -> None:
        decision = QUICK.decide(OVERBOUGHT, 10)
        assert decision is not None
        assert (decision.side, decision.is_exit) == (Side.SELL, True)
        assert "overbought" in decision.reason

    def test_sells_what_it_holds_when_sellers_take_the_lead(self) -> None:
        decision = QUICK.decide(TURNED, 10)
        assert decision is not None
        assert decision.reason.startswith("The trend turned")

    def test_buys_back_when_oversold(self) -> None:
        decision = BOTH_WAYS.decide(mirrored(OVERBOUGHT), -10)
        assert decision is not None
        assert (decision.side, decision.is_exit) == (Side.BUY, True)

    def test_buys_back_when_buyers_take_the_lead(self) -> None:
        decision = BOTH_WAYS.decide(mirrored(TURNED), -10)
        assert decision is not None
        assert decision.reason.startswith("The trend turned")

    def test_is_left_alone_in_a_market_without_movement(self) -> None:
        assert QUICK.decide(bars_closing_at(*[100] * 30), 10) is None

    @pytest.mark.parametrize("spread", ["0", "0.5"])
    def test_does_not_take_a_market_without_movement_for_oversold(self, spread: str) -> None:
        assert BOTH_WAYS.decide(bars_closing_at(*[100] * 30, spread=spread), -10) is None

    def test_does_not_take_movement_long_past_for_oversold(self) -> None:
        closes = [100, 101, 103, *[102] * 200]
        assert BOTH_WAYS.decide(bars_closing_at(*closes), -10) is None

    def test_does_not_wait_for_indicators_to_settle(self) -> None:
        decision = QUICK.decide(OVERBOUGHT[-QUICK.warm_up :], 10)
        assert decision is not None
        assert decision.is_exit


class TestContradictions:
    def test_refuse_oversold_above_overbought(self) -> None:
        crossed = RsiDmi(rsi_oversold=Decimal(50), rsi_overbought=Decimal(50))
        assert "rsi_overbought" in crossed.contradictions()


class TestReadings:
    def test_of_the_rsi_are_not_defined_without_a_move(self) -> None:
        readings = Readings.of(bars_closing_at(*[100] * 40), rsi_period=14, dmi_period=14)
        assert all(isnan(reading) for reading in readings.rsi)

    def test_of_the_rsi_are_zero_in_a_market_that_only_falls(self) -> None:
        readings = Readings.of(bars_closing_at(*range(140, 100, -1)), rsi_period=14, dmi_period=14)
        assert readings.rsi[-1] == 0

    def test_of_the_rsi_begin_with_the_first_move(self) -> None:
        bars = bars_closing_at(*[100] * 30, 101)
        assert Readings.of(bars, rsi_period=14, dmi_period=14).rsi[-1] == 100


class TestRsi:
    """Against the published figures of tests/strategies/data (see its NOTICE)."""

    def test_equals_the_published_figures(self) -> None:
        expected = [row["rsi"] for row in json.loads((DATA / "spy_rsi14.json").read_text())]
        actual = Readings.of(spy_bars(), rsi_period=14, dmi_period=14).rsi
        assert len(actual) == len(expected) == 502
        for mine, theirs in zip(actual, expected, strict=True):
            assert isnan(mine) if theirs is None else mine == pytest.approx(theirs, abs=1e-6)

    def test_hardly_depends_on_what_lies_before_the_lookback(self) -> None:
        algorithm, bars = RsiDmi(), spy_bars()
        whole = Readings.of(bars, rsi_period=14, dmi_period=14)
        cut = Readings.of(bars[-algorithm.lookback.bars :], rsi_period=14, dmi_period=14)
        assert cut.rsi[-1] == pytest.approx(whole.rsi[-1], abs=0.05)
        assert cut.adx[-1] == pytest.approx(whole.adx[-1], abs=0.05)


def spy_bars() -> list[Bar]:
    with (DATA / "spy_daily.csv").open() as file:
        return [
            Bar(
                at=datetime.fromisoformat(row["date"]).replace(tzinfo=UTC),
                open=Decimal(row["open"]),
                high=Decimal(row["high"]),
                low=Decimal(row["low"]),
                close=Decimal(row["close"]),
                volume=int(Decimal(row["volume"])),
            )
            for row in csv.DictReader(file)
        ]
