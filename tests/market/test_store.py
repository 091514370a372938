from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from brokers.gateway import QuoteTick
from market.bars import Bar
from market.calendar import IST
from market.models import Candle, CorporateAction, Instrument, Interval, Tick
from market.store import StoredBar, read_candles, write_bars, write_candles, write_ticks
from tests.builders import NOW, make_instrument

pytestmark = pytest.mark.django_db

OPENING = datetime(2026, 6, 17, 9, 15, tzinfo=IST)
on_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="Only PostgreSQL keeps months apart"
)


def bar(at: datetime, price: str = "100.05", volume: int = 10) -> Bar:
    value = Decimal(price)
    return Bar(at, value, value + 1, value - 1, value, volume)


def day_of_five_minutes() -> list[Bar]:
    return [bar(OPENING + timedelta(minutes=5 * n), str(100 + n)) for n in range(75)]


@pytest.fixture
def share(db: None) -> Instrument:
    return make_instrument()


class TestWriteCandles:
    def test_refuses_a_bar_upside_down(self, share: Instrument) -> None:
        one = Decimal(1)
        broken = Bar(OPENING, one, one, one + 1, one)

        with pytest.raises(IntegrityError), transaction.atomic():
            write_candles(share, Interval.M5, [broken])

        assert not Candle.objects.exists()

    def test_counts_what_is_new(self, share: Instrument) -> None:
        assert write_candles(share, Interval.M5, day_of_five_minutes()) == 75

    def test_counts_nothing_when_nothing_changed(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, day_of_five_minutes())

        assert write_candles(share, Interval.M5, day_of_five_minutes()) == 0
        assert Candle.objects.count() == 75

    def test_replaces_what_differs(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, [bar(OPENING)])

        assert write_candles(share, Interval.M5, [bar(OPENING, volume=11)]) == 1
        assert read_candles(share, Interval.M5)[0].volume == 11

    def test_sees_open_interest_appear(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, [bar(OPENING)])
        price = Decimal("100.05")
        again = Bar(OPENING, price, price + 1, price - 1, price, 10, open_interest=5)

        assert write_candles(share, Interval.M5, [again]) == 1

    def test_keeps_the_last_of_two_bars_of_one_moment(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, [bar(OPENING, "1.5"), bar(OPENING, "2.5")])

        assert [each.open for each in read_candles(share, Interval.M5)] == [Decimal("2.5")]

    def test_stores_what_the_orm_reads(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, [bar(OPENING, "100.0575")])

        candle = Candle.objects.get()
        assert (candle.open, candle.timestamp) == (Decimal("100.0575"), OPENING)

    def test_takes_the_bars_of_many_instruments(self, share: Instrument) -> None:
        other = make_instrument("NSE:INFY")

        written = write_bars(
            StoredBar(each.pk, Interval.M1, bar(OPENING)) for each in (share, other)
        )

        assert written == 2
        assert len(read_candles(other, Interval.M1)) == 1


class TestReadCandles:
    def test_is_empty_where_nothing_is_stored(self, share: Instrument) -> None:
        assert read_candles(share, Interval.H1) == []

    def test_gives_quarters_of_an_hour_from_five_minutes(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, day_of_five_minutes())

        quarters = read_candles(share, Interval.M15)

        assert len(quarters) == 25
        assert quarters[0] == Bar(
            OPENING.astimezone(UTC), Decimal(100), Decimal(103), Decimal(99), Decimal(102), 30
        )

    def test_gives_hours_from_the_opening(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, day_of_five_minutes())

        hours = read_candles(share, Interval.H1)

        assert [each.at for each in hours[:2]] == [OPENING, OPENING + timedelta(hours=1)]
        assert hours[-1].volume == 30  # 15:15 to 15:30

    def test_gives_the_day(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, day_of_five_minutes())

        day = read_candles(share, Interval.D1)[0]

        assert day.at == datetime(2026, 6, 17, tzinfo=IST)
        assert (day.open, day.close, day.volume) == (Decimal(100), Decimal(174), 750)

    def test_prefers_what_is_stored(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, day_of_five_minutes())
        write_candles(share, Interval.M15, [bar(OPENING, "55")])

        assert [each.close for each in read_candles(share, Interval.M15)] == [Decimal(55)]

    def test_makes_an_hour_of_half_hours_before_minutes(self, share: Instrument) -> None:
        write_candles(share, Interval.M1, [bar(OPENING, "1.5")])
        write_candles(share, Interval.M30, [bar(OPENING, "7.5")])

        assert read_candles(share, Interval.H1)[0].close == Decimal("7.5")

    def test_never_makes_ten_minutes_of_three(self, share: Instrument) -> None:
        write_candles(share, Interval.M3, [bar(OPENING)])

        assert read_candles(share, Interval.M10) == []

    def test_ends_before_the_end(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, day_of_five_minutes())

        bars = read_candles(share, Interval.M5, start=OPENING, end=OPENING + timedelta(minutes=10))

        assert [each.at for each in bars] == [OPENING, OPENING + timedelta(minutes=5)]

    def test_gives_a_whole_first_bar_when_the_start_is_within_it(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, day_of_five_minutes())

        bars = read_candles(share, Interval.H1, start=OPENING + timedelta(minutes=20))

        assert (bars[0].at, bars[0].volume) == (OPENING, 120)

    def test_gives_the_last_bars_in_order_of_time(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, day_of_five_minutes())

        bars = read_candles(share, Interval.M15, limit=2)

        assert [each.close for each in bars] == [Decimal(171), Decimal(174)]

    def test_gives_none_when_none_are_wanted(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, day_of_five_minutes())

        assert read_candles(share, Interval.M5, limit=0) == []

    def test_adjusts_for_splits_only_when_asked(self, share: Instrument) -> None:
        write_candles(share, Interval.M5, [bar(OPENING, "100")])
        CorporateAction.objects.create(
            instrument=share, ex_date=date(2026, 6, 18), kind="SPLIT", factor=Decimal(2)
        )

        assert read_candles(share, Interval.M5)[0].close == Decimal(100)
        assert read_candles(share, Interval.M5, adjusted=True)[0].close == Decimal(50)

    def test_costs_one_query(
        self, share: Instrument, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        write_candles(share, Interval.M5, day_of_five_minutes())

        with django_assert_num_queries(1):
            read_candles(share, Interval.M5)


class TestWriteTicks:
    def test_leaves_out_what_nobody_knows(self, share: Instrument) -> None:
        assert write_ticks([QuoteTick("NSE:NOBODY", Decimal(1), NOW)]) == 0

    def test_appends_each(self, share: Instrument) -> None:
        tick = QuoteTick(share.key, Decimal("100.05"), NOW, volume=5, bid=Decimal(100))

        assert write_ticks([tick, tick]) == 2
        assert Tick.objects.filter(instrument=share, ltp=Decimal("100.05")).count() == 2


@on_postgresql
class TestMonths:
    def test_get_a_partition_each(self, share: Instrument) -> None:
        write_candles(share, Interval.D1, [bar(OPENING), bar(OPENING + timedelta(days=30))])

        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM price_history_2026_06")
            june = cursor.fetchone()[0]
            cursor.execute("SELECT count(*) FROM price_history_default")
            assert (june, cursor.fetchone()[0]) == (1, 0)

    def test_that_began_in_the_default_partition_stay_there(self, share: Instrument) -> None:
        at = datetime(2031, 1, 15, tzinfo=UTC)
        one = Decimal(1)
        Candle.objects.create(
            instrument=share, interval="1d", timestamp=at, open=one, high=one, low=one, close=one
        )

        write_candles(share, Interval.D1, [bar(at + timedelta(days=1))])

        assert Candle.objects.count() == 2
