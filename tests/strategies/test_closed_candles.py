"""Closed candles find the activations that wait for them, however they are told."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from market.building import ClosedBar
from market.models import Instrument, Interval
from market.store import read_candles
from notifications.models import Notification
from operations.models import ErrorLog
from strategies.evaluation import HOUSE, Evaluator, on_candles_closed
from strategies.history import LoadedBars
from strategies.models import ActivationStatus, CandleEvaluation, Signal
from tests.builders import make_account, make_instrument, make_user, make_workspace
from tests.strategies.bars import FIVE_MINUTES, OPENING
from tests.strategies.desk import (
    FIRST_CLOSE,
    make_activation,
    make_strategy,
    only_instrument,
    store,
)

pytestmark = pytest.mark.django_db


def close(instrument: Instrument, at: datetime = OPENING) -> ClosedBar:
    """The five-minute candle that opened then, as the pipeline tells of it."""
    [bar] = read_candles(instrument, Interval.M5, start=at, end=at + FIVE_MINUTES)
    return ClosedBar(instrument.key, Interval.M5, bar)


class TestOnCandlesClosed:
    def test_does_nothing_without_candles(self, django_assert_num_queries) -> None:
        with django_assert_num_queries(0):
            assert on_candles_closed([], now=FIRST_CLOSE) == []

    def test_leaves_alone_who_does_not_trade_the_instrument(self) -> None:
        make_activation()
        other = make_instrument("NSE:TCS")
        store(other, 101)
        assert on_candles_closed([close(other)], now=FIRST_CLOSE) == []

    def test_leaves_replays_alone(self) -> None:
        account = make_account(make_workspace(make_user()), own_clock=True)
        activation = make_activation(account=account)
        store(only_instrument(activation), 101)
        assert on_candles_closed([close(only_instrument(activation))], now=FIRST_CLOSE) == []

    def test_judges_every_activation_of_the_instrument(self) -> None:
        first = make_activation()
        instrument = only_instrument(first)
        make_activation(instrument, account=first.account, strategy=make_strategy("other"))
        store(instrument, 101)
        assert len(on_candles_closed([close(instrument)], now=FIRST_CLOSE)) == 2

    def test_and_the_timed_task_judge_a_candle_once_between_them(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), 101)
        assert len(HOUSE.evaluate_latest(now=FIRST_CLOSE)) == 1
        assert on_candles_closed([close(only_instrument(activation))], now=FIRST_CLOSE) == []
        assert Signal.objects.count() == 1

    def test_with_a_replays_evaluator_judges_the_replay_only(self) -> None:
        instrument = make_instrument()
        house = make_activation(instrument)
        account = make_account(house.workspace, "Replay", own_clock=True)
        replayed = make_activation(instrument, account=account, strategy=house.strategy)
        store(instrument, 101)
        evaluator = Evaluator(accounts=(account,), history=LoadedBars())
        [signal] = on_candles_closed([close(instrument)], now=FIRST_CLOSE, evaluator=evaluator)
        assert signal.user_strategy == replayed


class TestLongerCandle:
    """An activation on fifteen-minute candles, told of five-minute ones."""

    def judged(self, *, bars: int) -> list[datetime]:
        activation = make_activation(interval=Interval.M15)
        instrument = only_instrument(activation)
        store(instrument, *[101] * bars)
        last = OPENING + (bars - 1) * FIVE_MINUTES
        on_candles_closed([close(instrument, last)], now=last + FIVE_MINUTES)
        return list(CandleEvaluation.objects.values_list("candle_at", flat=True))

    def test_waits_for_its_third_part(self) -> None:
        assert self.judged(bars=2) == []

    def test_is_judged_once_it_is_whole(self) -> None:
        assert self.judged(bars=3) == [OPENING]

    def test_that_the_session_cuts_short_is_judged_at_the_close(self) -> None:
        activation = make_activation(interval=Interval.H1)
        instrument = only_instrument(activation)
        last_hour = OPENING + timedelta(hours=6)  # 15:15, and the market closes at 15:30
        store(instrument, 101, 101, 101, start=last_hour)
        closed = close(instrument, last_hour + 2 * FIVE_MINUTES)
        on_candles_closed([closed], now=last_hour + 3 * FIVE_MINUTES)
        assert CandleEvaluation.objects.get().candle_at == last_hour


class TestEvaluateLatest:
    def test_judges_nothing_from_before_the_activation(self) -> None:
        activation = make_activation(activated_at=FIRST_CLOSE)
        store(only_instrument(activation), 101)
        assert HOUSE.evaluate_latest(now=FIRST_CLOSE) == []
        assert not CandleEvaluation.objects.exists()

    def test_judges_the_newest_and_writes_the_missed_ones_down(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), 101, 95, 102)
        [signal] = HOUSE.evaluate_latest(now=OPENING + 3 * FIVE_MINUTES)
        assert signal.candle_at == OPENING + 2 * FIVE_MINUTES
        missed = CandleEvaluation.objects.filter(note__startswith="Missed")
        assert missed.count() == 2

    def test_leaves_the_open_candle_for_later(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), 95, 101)
        assert HOUSE.evaluate_latest(now=FIRST_CLOSE + timedelta(minutes=1)) == []
        assert CandleEvaluation.objects.count() == 1


class TestBrokenActivation:
    def test_is_paused_and_its_owner_told_while_the_others_go_on(self) -> None:
        broken = make_activation(strategy=make_strategy("broken", algorithm="astrology"))
        instrument = only_instrument(broken)
        make_activation(instrument, account=broken.account)
        store(instrument, 101)
        assert len(on_candles_closed([close(instrument)], now=FIRST_CLOSE)) == 1
        broken.refresh_from_db()
        assert broken.status == ActivationStatus.PAUSED
        assert Notification.objects.filter(title="Broken was paused").count() == 1
        assert ErrorLog.objects.get().error_type == "UnknownAlgorithm"


class TestWholeSession:
    def test_is_read_from_the_days_first_candle(self) -> None:
        percent = make_strategy(
            parameters={"measure": "percent", "buy_threshold": "1", "sell_threshold": "-1"}
        )
        activation = make_activation(strategy=percent)
        instrument = only_instrument(activation)
        store(instrument, 90, 90, start=OPENING - timedelta(days=1))
        store(instrument, 100, "100.5", "101.05")
        [signal] = HOUSE.evaluate_latest(now=OPENING + 3 * FIVE_MINUTES)
        assert signal.price == Decimal("101.05")
