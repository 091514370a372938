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
FLAT: list[str | int] = [100, "100.5"] * 6
FALL = [99, 97, 95, 93]
FALLEN = bars_closing_at(*FLAT, *FALL)
RECOVERED = bars_closing_at(*FLAT, *FALL, 96, 99)
OVERBOUGHT = bars_closing_at(*FLAT, *FALL, 96, 99, 103, 108)
TURNED = bars_closing_at(*FLAT, 104, 108, 103, 95)


class TestEntry:
    def test_waits_until_it_is_warm(self) -> None:
        assert QUICK.decide(RECOVERED[-QUICK.warm_up + 1 :], 0) is None

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


class TestContradictions:
    def test_refuse_oversold_above_overbought(self) -> None:
        crossed = RsiDmi(rsi_oversold=Decimal(50), rsi_overbought=Decimal(50))
        assert "rsi_overbought" in crossed.contradictions()


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
