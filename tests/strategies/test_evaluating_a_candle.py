"""One closed candle becomes at most one signal, recorded before anything is ordered."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from brokers.terms import Product, Side
from market.models import CorporateAction, Instrument
from notifications.models import Notification
from orders.models import Order
from strategies.catalogue import UnknownAlgorithm
from strategies.models import (
    ActivationStatus,
    CandleEvaluation,
    Signal,
    SignalStatus,
    UserStrategy,
)
from strategies.parameters import ParametersInvalid
from strategies.services import evaluate_candle
from tests.builders import make_instrument
from tests.strategies.bars import FIVE_MINUTES, OPENING
from tests.strategies.desk import (
    FIRST_CLOSE,
    hold,
    make_activation,
    make_strategy,
    only_instrument,
    store,
)

pytestmark = pytest.mark.django_db


def judge(
    activation: UserStrategy, instrument: Instrument | None = None, **changes: datetime
) -> Signal | None:
    """Judge the day's first candle at the moment it closes."""
    instrument = instrument or only_instrument(activation)
    moments = {"candle_at": OPENING, "now": FIRST_CLOSE, **changes}
    return evaluate_candle(activation, instrument=instrument, **moments)


def note_of(activation: UserStrategy) -> str:
    return CandleEvaluation.objects.get(user_strategy=activation).note


class TestCandle:
    def test_that_is_still_open_is_not_judged(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), 101)
        assert judge(activation, now=FIRST_CLOSE - timedelta(seconds=1)) is None
        assert not CandleEvaluation.objects.exists()

    def test_that_is_not_in_the_store_stays_unjudged(self) -> None:
        activation = make_activation()
        assert judge(activation) is None
        assert not CandleEvaluation.objects.exists()

    def test_is_judged_once(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), 101)
        assert judge(activation) is not None
        assert judge(activation) is None
        assert Signal.objects.count() == CandleEvaluation.objects.count() == 1

    def test_is_judged_once_for_each_activation(self) -> None:
        first = make_activation()
        second = make_activation(
            only_instrument(first), account=first.account, strategy=make_strategy("other")
        )
        store(only_instrument(first), 101)
        assert judge(first) is not None
        assert judge(second) is not None

    def test_that_was_missed_is_written_down_without_a_signal(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), 101)
        assert judge(activation, now=FIRST_CLOSE + FIVE_MINUTES) is None
        assert note_of(activation).startswith("Missed")

    @pytest.mark.parametrize("status", [ActivationStatus.PAUSED, ActivationStatus.STOPPED])
    def test_is_left_alone_by_a_strategy_that_does_not_run(self, status) -> None:
        activation = make_activation(status=status)
        store(only_instrument(activation), 101)
        assert judge(activation) is None
        assert not CandleEvaluation.objects.exists()

    def test_is_judged_by_what_holds_now_and_not_when_the_row_was_read(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), 101)
        UserStrategy.objects.update(status=ActivationStatus.STOPPED)
        assert judge(activation) is None

    def test_gives_nothing_between_the_thresholds(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), 95)
        assert judge(activation) is None
        assert note_of(activation) == ""

    def test_that_closes_the_market_gives_no_signal(self) -> None:
        activation = make_activation(product=Product.CNC)
        last = OPENING + timedelta(hours=6, minutes=10)
        store(only_instrument(activation), 101, start=last)
        assert judge(activation, candle_at=last, now=last + FIVE_MINUTES) is None
        assert "market is not open" in note_of(activation)


class TestSignal:
    def test_says_what_to_do_at_which_price_and_why(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), "101.5")
        signal = judge(activation)
        assert signal is not None
        assert (signal.signal_type, signal.is_exit) == (Side.BUY, False)
        assert signal.price == Decimal("101.5")
        assert signal.reason == "Closed at 101.50, above 100.00"

    def test_is_recorded_and_no_order_exists_yet(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), 101)
        signal = judge(activation)
        assert signal is not None
        assert signal.status == SignalStatus.RECORDED
        assert not Order.objects.exists()

    def test_expires_when_the_next_candle_closes(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), 101)
        signal = judge(activation)
        assert signal is not None
        assert signal.expires_at == FIRST_CLOSE + FIVE_MINUTES

    def test_is_no_message_of_its_own(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), 101)
        assert judge(activation) is not None
        assert not Notification.objects.exists()


class TestQuantity:
    def test_is_what_the_instruments_share_buys(self) -> None:
        other = make_instrument("NSE:TCS")
        activation = make_activation(make_instrument(), other)
        store(other, 101)
        signal = judge(activation, other)
        assert signal is not None
        assert signal.quantity == 49  # half of 10,000 at 101

    def test_comes_in_whole_lots(self) -> None:
        activation = make_activation(make_instrument(lot_size=25))
        store(only_instrument(activation), 101)
        signal = judge(activation)
        assert signal is not None
        assert signal.quantity == 75

    def test_is_at_most_what_one_entry_may_ask_for_in_slices(self) -> None:
        activation = make_activation(make_instrument(freeze_quantity=3))
        store(only_instrument(activation), 101)
        signal = judge(activation)
        assert signal is not None
        assert signal.quantity == 30

    def test_of_less_than_a_lot_gives_no_signal_and_says_so(self) -> None:
        activation = make_activation(make_instrument(lot_size=100))
        store(only_instrument(activation), 101)
        assert judge(activation) is None
        assert "does not buy one lot" in note_of(activation)

    def test_of_an_exit_is_the_whole_position(self) -> None:
        activation = make_activation()
        hold(activation, only_instrument(activation), 37)
        store(only_instrument(activation), 89)
        signal = judge(activation)
        assert signal is not None
        assert (signal.signal_type, signal.quantity, signal.is_exit) == (Side.SELL, 37, True)


class TestPosition:
    def test_of_another_strategy_is_not_its_own(self) -> None:
        activation = make_activation()
        other = make_activation(
            only_instrument(activation), account=activation.account, strategy=make_strategy("other")
        )
        hold(other, only_instrument(activation), 10)
        store(only_instrument(activation), 89)
        assert judge(activation) is None

    def test_is_not_doubled_while_a_signal_waits_for_its_order(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), 101, 102)
        judge(activation)
        second = judge(activation, candle_at=OPENING + FIVE_MINUTES, now=FIRST_CLOSE + FIVE_MINUTES)
        assert second is None
        assert Signal.objects.count() == 1


class TestIntradayClock:
    LAST = OPENING + timedelta(hours=5, minutes=50)  # 15:05 to 15:10; the square-off is at 15:15

    def test_closes_an_intraday_position_with_the_last_candle(self) -> None:
        activation = make_activation()
        hold(activation, only_instrument(activation), -10)
        store(only_instrument(activation), 95, start=self.LAST)
        signal = judge(activation, candle_at=self.LAST, now=self.LAST + FIVE_MINUTES)
        assert signal is not None
        assert (signal.signal_type, signal.quantity, signal.is_exit) == (Side.BUY, 10, True)

    def test_keeps_a_delivery_position(self) -> None:
        activation = make_activation(product=Product.CNC)
        hold(activation, only_instrument(activation), 10)
        store(only_instrument(activation), 95, start=self.LAST)
        assert judge(activation, candle_at=self.LAST, now=self.LAST + FIVE_MINUTES) is None

    def test_opens_nothing_that_would_have_to_be_closed_at_once(self) -> None:
        activation = make_activation()
        store(only_instrument(activation), 101, start=self.LAST)
        assert judge(activation, candle_at=self.LAST, now=self.LAST + FIVE_MINUTES) is None
        assert "square-off" in note_of(activation)


class TestSplit:
    def test_of_the_morning_does_not_look_like_a_crash(self) -> None:
        breakout = make_strategy(
            "breakout",
            algorithm="price_breakout",
            parameters={"entry_bars": 3, "exit_bars": 2, "allow_short": True},
        )
        activation = make_activation(strategy=breakout)
        instrument = only_instrument(activation)
        store(instrument, *[200] * 4, start=OPENING - timedelta(days=1))
        CorporateAction.objects.create(
            instrument=instrument, ex_date=OPENING.date(), kind="SPLIT", factor=2
        )
        store(instrument, 100)
        assert judge(activation) is None
        assert note_of(activation) == ""

    def test_of_a_later_day_is_not_known_yet(self) -> None:
        activation = make_activation()
        instrument = only_instrument(activation)
        CorporateAction.objects.create(
            instrument=instrument,
            ex_date=OPENING.date() + timedelta(days=1),
            kind="SPLIT",
            factor=2,
        )
        store(instrument, 101)
        signal = judge(activation)
        assert signal is not None
        assert signal.price == 101


class TestBrokenStrategy:
    def test_without_code_is_refused(self) -> None:
        activation = make_activation(strategy=make_strategy(algorithm="astrology"))
        with pytest.raises(UnknownAlgorithm):
            judge(activation)

    def test_with_settings_that_do_not_fit_is_refused(self) -> None:
        activation = make_activation(custom_parameters={"buy_threshold": "10"})
        with pytest.raises(ParametersInvalid):
            judge(activation)
