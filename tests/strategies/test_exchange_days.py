"""A session in New York goes on over midnight in India, and stays one day."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from market.bars import Bar
from market.feeds.replay import ReplayFeed, ReplayPlan
from market.models import CorporateActionKind, Instrument, Interval
from market.services import record_corporate_action
from market.store import read_candles, write_candles
from strategies.algorithms.price_threshold import PriceThreshold
from strategies.history import BarHistory, LoadedBars, Span, StoredBars
from tests.builders import make_instrument
from tests.strategies.bars import bars_closing_at

pytestmark = pytest.mark.django_db

# Tuesday in New York: 09:30 is 19:00 in India, and 14:30 is midnight there.
OPENS = datetime(2026, 6, 16, 13, 30, tzinfo=UTC)
DAY = date(2026, 6, 16)
PERCENT = PriceThreshold(buy_threshold=Decimal(1), sell_threshold=Decimal(-1))
HISTORIES = [StoredBars, LoadedBars]


def session() -> list[Bar]:
    """78 candles of five minutes: 100 at the open, 100.50 at midnight in India, 101 after it."""
    closes = [100] + ["100.50"] * 59 + [101] * 18
    return bars_closing_at(*closes, start=OPENS)


@pytest.fixture
def apple() -> Instrument:
    return make_instrument("NASDAQ:AAPL", segment="US_EQ", currency="USD")


def window(history: BarHistory, instrument: Instrument, bar: Bar) -> list[Bar]:
    return history.window(instrument, Span(Interval.M5, bar.at, PERCENT.lookback))


@pytest.mark.parametrize("history", HISTORIES)
class TestSessionAbroad:
    def test_keeps_the_open_of_its_day_over_midnight(
        self, history: type[StoredBars | LoadedBars], apple: Instrument
    ) -> None:
        bars = session()
        write_candles(apple, Interval.M5, bars)

        for bar in bars:
            assert window(history(), apple, bar)[0].at == OPENS

    def test_gives_no_signal_by_an_open_that_midnight_made(
        self, history: type[StoredBars | LoadedBars], apple: Instrument
    ) -> None:
        bars = [*session()[:60], *bars_closing_at(99, *["99.9"] * 17, start=session()[60].at)]
        write_candles(apple, Interval.M5, bars)

        decided = [PERCENT.decide(window(history(), apple, bar), 0) for bar in bars]

        assert decided == [None] * len(bars)

    def test_is_not_joined_to_the_day_before(
        self, history: type[StoredBars | LoadedBars], apple: Instrument
    ) -> None:
        before = bars_closing_at(90, 90, start=OPENS - timedelta(days=1))
        write_candles(apple, Interval.M5, [*before, *session()])

        assert window(history(), apple, session()[-1])[0].at == OPENS

    def test_is_restated_for_a_split_from_its_own_day_on(
        self, history: type[StoredBars | LoadedBars], apple: Instrument
    ) -> None:
        write_candles(apple, Interval.M5, session())
        next_day = DAY + timedelta(days=1)
        record_corporate_action(
            apple, kind=CorporateActionKind.SPLIT, ex_date=next_day, factor=Decimal(2)
        )

        assert window(history(), apple, session()[-1])[-1].close == Decimal(101)


class TestAdjustedCandles:
    @pytest.mark.parametrize(("ex_date", "close"), [(DAY, "101"), (date(2026, 6, 17), "50.5")])
    def test_of_a_session_are_all_before_a_split_or_all_after(
        self, apple: Instrument, ex_date: date, close: str
    ) -> None:
        write_candles(apple, Interval.M5, session())
        record_corporate_action(
            apple, kind=CorporateActionKind.SPLIT, ex_date=ex_date, factor=Decimal(2)
        )

        bars = read_candles(apple, Interval.M5, adjusted=True)

        assert {bar.close for bar in bars[60:]} == {Decimal(close)}
        assert bars[0].close == (Decimal(100) if ex_date == DAY else Decimal(50))

    def test_of_days_are_known_by_the_day_they_are_named_for(self, apple: Instrument) -> None:
        write_candles(apple, Interval.M5, session())
        record_corporate_action(
            apple, kind=CorporateActionKind.SPLIT, ex_date=DAY, factor=Decimal(2)
        )

        (day,) = read_candles(apple, Interval.D1, adjusted=True)

        assert day.close == Decimal(101)


class TestReplayedDays:
    def test_hold_a_whole_session_abroad(self, apple: Instrument) -> None:
        write_candles(apple, Interval.M5, session())
        feed = ReplayFeed(ReplayPlan([apple], Interval.M5, day=DAY))

        batches = list(feed.batches())

        assert batches[0].at == OPENS
        assert batches[-1].at == OPENS + timedelta(hours=6, minutes=30)
        assert list(ReplayFeed(ReplayPlan([apple], Interval.M5)).batches()) == batches

    def test_do_not_mix_exchanges(self, apple: Instrument) -> None:
        write_candles(apple, Interval.M5, session())
        indian = make_instrument("NSE:TCS")
        write_candles(indian, Interval.M5, bars_closing_at(100, 100))  # the day after, 09:15

        batches = list(ReplayFeed(ReplayPlan([apple, indian], Interval.M5)).batches())

        moments = [batch.at for batch in batches]
        assert moments == sorted(moments)
