from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from brokers.terms import InstrumentType, Segment
from market.calendar import IST
from market.models import Candle, ImportKind, ImportRun, Instrument, Interval, ScheduleOverride
from market.store import read_candles
from tests.builders import make_instrument
from tests.market.files import (
    CASH,
    DAILY,
    FUTURES,
    INTRADAY,
    OHLCV,
    OPTIONS,
    import_text,
)

pytestmark = pytest.mark.django_db

MIDNIGHT = datetime(2026, 6, 17, tzinfo=IST)


def only_reason(run: ImportRun) -> str:
    return run.issues.get().reason


class TestDailyPrices:
    def test_take_the_symbol_from_the_name_of_the_file(self) -> None:
        run = import_text(DAILY, name="M&M.csv")

        assert (run.kind, run.rows_written) == ("daily_prices", 2)
        assert Instrument.objects.get().key == "NSE:M&M"

    def test_take_the_symbol_that_is_said(self) -> None:
        import_text(DAILY, name="x.csv", symbol="BSE:RELIANCE")

        assert Instrument.objects.get().segment == Segment.BSE_EQ

    def test_are_named_by_midnight_in_india(self) -> None:
        import_text(DAILY, name="RELIANCE.csv")

        bar = read_candles(Instrument.objects.get(), Interval.D1)[0]
        assert (bar.at, bar.open, bar.volume) == (MIDNIGHT, Decimal(500), 100_000)

    def test_twice_change_nothing(self) -> None:
        import_text(DAILY, name="RELIANCE.csv")

        run = import_text(DAILY, name="RELIANCE.csv")

        assert (run.rows_written, run.rows_unchanged, Candle.objects.count()) == (0, 2, 2)

    def test_keep_the_terms_of_an_instrument_that_a_master_listed(self) -> None:
        make_instrument("NSE:RELIANCE", tick_size=Decimal("0.10"))

        import_text(DAILY, name="RELIANCE.csv")

        assert Instrument.objects.get().tick_size == Decimal("0.10")

    def test_leave_what_no_master_listed_unconfirmed(self) -> None:
        import_text(DAILY, name="RELIANCE.csv")

        assert Instrument.objects.get().refreshed_on is None

    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            ('"180626"', '"310226"', "There is no day 310226"),
            ('"180626"', '"18-Jun-26"', "is not of the form ddmmyy"),
            ('"515.00"', '"500.00"', "The high 500.0000 is below the low 505.4500"),
            ('"511.00"', '"600.00"', "outside the range"),
            ('"511.00"', '"0"', "a price is above zero"),
            ('"511.00"', '"NaN"', "The open 'NaN' is not a number"),
            ('"511.00"', '"५११"', "is not a number"),
            ('"511.00"', '""', "The open is missing"),
            ('"511.00"', '"999999999999"', "is too large"),
            ('"80000"', '"-5"', "it is a whole number from 0 on"),
            (',"1500"', "", "The row has 7 fields and not 8"),
        ],
    )
    def test_leave_a_bad_row_out_with_its_line(self, old: str, new: str, reason: str) -> None:
        run = import_text(DAILY.replace(old, new), name="RELIANCE.csv")

        assert (run.rows_written, run.issues.get().line) == (1, 2)
        assert reason in only_reason(run)


class TestIntradayPrices:
    def test_without_three_header_lines_are_refused(self) -> None:
        run = import_text("a,b\n1,2\n", kind=ImportKind.INTRADAY_PRICES)

        assert "The three header lines are not there" in run.error_message

    def test_round_float_noise_to_the_paisa(self) -> None:
        import_text(INTRADAY)

        bar = read_candles(Instrument.objects.get(key="NSE:AXISBANK"), Interval.M5)[0]
        assert (bar.high, bar.low) == (Decimal("203.90"), Decimal("199.10"))

    def test_read_times_in_their_zone(self) -> None:
        import_text(INTRADAY)

        assert Candle.objects.earliest("timestamp").timestamp == datetime(
            2026, 6, 17, 9, 15, tzinfo=IST
        )

    def test_refuse_a_time_without_a_zone(self) -> None:
        run = import_text(INTRADAY.replace("03:50:00+00:00", "03:50:00"))

        assert only_reason(run) == "The time has no zone"

    def test_leave_out_what_no_session_covers(self) -> None:
        run = import_text(INTRADAY.replace("03:50:00", "10:05:00"))

        assert only_reason(run) == "NSE was not trading at this time of 17 Jun 2026"

    def test_leave_out_a_day_that_was_shut(self) -> None:
        run = import_text(INTRADAY.replace("2026-06-17 03:50", "2026-06-20 03:50"))

        assert "NSE was shut on 20 Jun 2026" in only_reason(run)

    def test_take_a_special_session_that_the_calendar_was_told_of(self) -> None:
        ScheduleOverride.objects.create(
            exchange="NSE",
            day=date(2026, 6, 20),
            is_open=True,
            opens_at=time(9, 15),
            closes_at=time(10),
            reason="Drill",
        )

        run = import_text(INTRADAY.replace("2026-06-17 03:50", "2026-06-20 03:50"))

        assert (run.rows_written, run.rows_skipped) == (2, 0)


class TestCashBhavcopy:
    def test_reads_padded_fields(self) -> None:
        run = import_text(CASH)

        bar = read_candles(Instrument.objects.get(key="NSE:RELIANCE"), Interval.D1)[0]
        assert (run.kind, run.rows_written) == ("bhavcopy_cash", 2)
        assert (bar.at, bar.close, bar.volume) == (MIDNIGHT, Decimal("102.50"), 5000)

    def test_names_another_series_after_the_symbol(self) -> None:
        import_text(CASH)

        assert Instrument.objects.filter(key="NSE:700MH40-SG").exists()

    def test_lets_the_average_close_stray_from_the_range(self) -> None:
        run = import_text(CASH.replace("102.50", "103.05"))

        assert run.rows_skipped == 0


class TestContractBhavcopy:
    def test_without_a_day_is_refused(self) -> None:
        run = import_text(FUTURES, name="futures.csv")

        assert "keep the exchange's name, such as fo14112025.csv" in run.error_message

    def test_takes_the_day_from_its_name(self) -> None:
        import_text(FUTURES, name="fo17062026.csv")

        assert Candle.objects.get().timestamp == MIDNIGHT

    def test_takes_the_day_that_is_said(self) -> None:
        import_text(FUTURES, name="futures.csv", day="2026-06-16")

        assert Candle.objects.get().timestamp == datetime(2026, 6, 16, tzinfo=IST)

    def test_with_a_day_that_is_none_is_refused(self) -> None:
        run = import_text(FUTURES, name="futures.csv", day="31-02-2026")

        assert "is not a date" in run.error_message

    def test_leaves_the_footnote_out_silently(self) -> None:
        run = import_text(FUTURES, name="fo17062026.csv")

        assert (run.rows_read, run.rows_skipped) == (1, 0)

    def test_works_out_future_lot_and_interest(self) -> None:
        import_text(FUTURES, name="fo17062026.csv")

        future = Instrument.objects.get()
        assert (future.key, future.lot_size) == ("NFO:BANKNIFTY30JUN26FUT", 30)
        assert read_candles(future, Interval.D1)[0].open_interest == 700_110

    def test_names_options_by_expiry_and_strike(self) -> None:
        import_text(OPTIONS, name="op17062026.csv")

        option = Instrument.objects.get()
        assert (option.key, option.instrument_type) == (
            "NFO:NIFTY30JUN2624350PE",
            InstrumentType.PE,
        )
        assert (option.strike, option.expiry) == (Decimal(24350), date(2026, 6, 30))

    def test_knows_the_lot_of_what_nobody_traded(self) -> None:
        untraded = OPTIONS.replace(" 1300,               20,", "    0,                0,")
        import_text(untraded, name="op17062026.csv")

        assert Instrument.objects.get().lot_size == 65


class TestOtherPrices:
    def test_recognise_the_usual_columns(self) -> None:
        run = import_text(OHLCV)

        index = Instrument.objects.get(key="NSE:NIFTY 50")
        assert (run.kind, index.instrument_type) == ("ohlcv", InstrumentType.INDEX)

    def test_tell_the_interval_by_the_rows(self) -> None:
        import_text(OHLCV)

        assert set(Candle.objects.values_list("interval", flat=True)) == {"1m"}

    def test_read_times_as_indian(self) -> None:
        import_text(OHLCV)

        assert Candle.objects.earliest("timestamp").timestamp == datetime(
            2026, 6, 17, 3, 45, tzinfo=UTC
        )

    def test_take_columns_symbol_interval_and_zone_that_are_said(self) -> None:
        content = "wann;auf;hoch;tief;zu;menge\n2026-06-17 03:45;10;12;9;11;7\n"

        run = import_text(
            content,
            kind=ImportKind.OHLCV,
            symbol="NSE:INFY",
            interval="15m",
            zone="UTC",
            columns={
                "at": "wann",
                "open": "auf",
                "high": "hoch",
                "low": "tief",
                "close": "zu",
                "volume": "menge",
            },
        )

        candle = Candle.objects.get()
        assert run.status == "COMPLETED", run.error_message
        assert (candle.interval, candle.volume) == ("15m", 7)
        assert candle.timestamp == datetime(2026, 6, 17, 3, 45, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"interval": "7m"}, "There is no interval 7m"),
            ({"zone": "Mars/Olympus"}, "There is no time zone Mars/Olympus"),
            ({"zone": "../../etc/passwd"}, "There is no time zone"),
            ({"symbol": "=1+1"}, "begins as a spreadsheet formula does"),
            ({"columns": {"open": "missing"}}, "The column missing is missing"),
        ],
    )
    def test_refuse_what_cannot_be(self, options: dict[str, Any], words: str) -> None:
        run = import_text(OHLCV, kind=ImportKind.OHLCV, **options)

        assert run.status == "FAILED"
        assert words in run.error_message

    def test_refuse_rows_that_fit_no_interval(self) -> None:
        run = import_text(OHLCV.replace("09:16", "09:22"))

        assert "fits no interval" in run.error_message

    def test_name_days_by_midnight_in_india(self) -> None:
        import_text(
            "Date,Open,High,Low,Close\n2026-06-17,1,2,1,2\n2026-06-18,1,2,1,2\n", name="A.csv"
        )

        assert Candle.objects.earliest("timestamp").timestamp == MIDNIGHT

    def test_refuse_dates_in_two_orders(self) -> None:
        run = import_text(
            "Date,Open,High,Low,Close\n17/06/2026,1,2,1,2\n06/18/2026,1,2,1,2\n",
            name="A.csv",
            interval="1d",
        )

        assert run.error_message == (
            "The dates stand in two orders: line 2 is only day first (17/06/2026) "
            "and line 3 is only month first (06/18/2026)"
        )
