"""Known facts of files that nobody here made; skipped where they are not at hand."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files import File

from market.calendar import IST
from market.models import (
    BrokerInstrument,
    Candle,
    CorporateActionKind,
    ImportRun,
    Instrument,
    Interval,
    SymbolRule,
)
from market.rules.freeze import freeze_quantity
from market.services import Starter, record_corporate_action, run_import, start_import
from market.store import read_candles
from tests.market.files import READ_AT

FOLDER = Path(settings.BASE_DIR).parent / "shared" / "data"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="The sample files are not at hand"),
]


def import_real(name: str) -> ImportRun:
    path = FOLDER / name
    with path.open("rb") as file:
        run = start_import(File(file, name=path.name), kind=None, by=Starter(), now=READ_AT)
    return run_import(run.pk, clock=lambda: READ_AT)


def close_on(instrument: Instrument, day: date, *, adjusted: bool) -> Decimal:
    start = datetime(day.year, day.month, day.day, tzinfo=IST)
    return read_candles(instrument, Interval.D1, start=start, adjusted=adjusted)[0].close


class TestRealMasters:
    def test_of_kite_are_read_whole_and_again_without_a_change(self) -> None:
        first = import_real("instruments/kite_instruments_nfo_bfo_2026-08.csv")
        again = import_real("instruments/kite_instruments_nfo_bfo_2026-08.csv")

        assert (first.rows_written, first.rows_skipped) == (39_941, 0)
        assert (again.rows_written, again.rows_unchanged) == (0, 39_941)

    def test_of_kite_hold_the_contracts_that_are_known_of_it(self) -> None:
        import_real("instruments/kite_instruments_nfo_bfo_2026-08.csv")
        known = SymbolRule.objects.filter(broker="Kite", certainty="sure", expiry__isnull=False)
        assert known.count() == 14
        for rule in known:
            row = BrokerInstrument.objects.select_related("instrument").get(
                broker_type="kite", security_id=rule.number
            )
            contract = row.instrument
            told = (rule.name, rule.underlying, rule.expiry, rule.strike, rule.lot_size)
            read = (contract.underlying, contract.expiry, contract.strike, contract.lot_size)
            assert (row.broker_symbol, *read) == told

    def test_leave_the_freeze_quantities_of_indices_known(self) -> None:
        import_real("instruments/kite_instruments_nfo_bfo_2026-08.csv")
        for underlying, quantity in (("NIFTY", 3510), ("BANKNIFTY", 1440), ("SENSEX", 1000)):
            contracts = Instrument.objects.filter(underlying=underlying, instrument_type="CE")
            first = contracts.order_by("pk").first()
            assert first is not None
            assert freeze_quantity(first, on=date(2026, 12, 1)) == quantity

    def test_of_dhan_are_read_but_for_what_a_spreadsheet_spoilt(self) -> None:
        run = import_real("instruments/dhan_api-scrip-master_cash_index_2026-07.csv")

        assert (run.rows_written, run.rows_skipped) == (23_114, 2)
        assert Instrument.objects.get(key="NSE:RELIANCE").tick_size == Decimal("0.10")


class TestRealDailyPrices:
    def test_are_continuous_through_a_bonus_once_adjusted(self) -> None:
        import_real("prices_daily/RELIANCE.csv")
        share = Instrument.objects.get(key="NSE:RELIANCE")
        ex_date, before = date(2017, 9, 7), date(2017, 9, 6)
        record_corporate_action(
            share, kind=CorporateActionKind.BONUS, ex_date=ex_date, factor=Decimal(2)
        )

        fall = close_on(share, ex_date, adjusted=False) / close_on(share, before, adjusted=False)
        step = close_on(share, ex_date, adjusted=True) / close_on(share, before, adjusted=True)

        assert fall < Decimal("0.52")
        assert Decimal("0.95") < step < Decimal("1.05")

    def test_keep_the_weekend_sessions(self) -> None:
        import_real("prices_daily/TCS.csv")

        days = [
            bar.at.astimezone(IST).date()
            for bar in read_candles(Instrument.objects.get(), Interval.D1)
        ]

        weekends = [day for day in days if day.weekday() > 4]
        assert weekends == [date(2019, 10, 27), date(2020, 2, 1), date(2020, 11, 14)]


class TestRealIntradayPrices:
    def test_of_five_minutes_lose_their_noise(self) -> None:
        run = import_real("prices_5min/AXISBANK.csv")

        assert (run.rows_written, run.rows_skipped) == (1_650, 0)
        prices = Candle.objects.values_list("high", flat=True)
        assert all(price == price.quantize(Decimal("0.01")) for price in prices)

    def test_of_five_minutes_give_seven_hours_a_day(self) -> None:
        import_real("prices_5min/TCS.csv")

        hours = read_candles(Instrument.objects.get(), Interval.H1)

        assert len(hours) == 22 * 7

    def test_of_one_minute_lose_the_bad_tail_of_a_saturday(self) -> None:
        run = import_real("prices_1min/NIFTY_2024.csv")

        assert (run.rows_written, run.rows_skipped) == (29_355, 167)
        saturday = Candle.objects.filter(
            timestamp__range=(datetime(2024, 1, 20, tzinfo=UTC), datetime(2024, 1, 21, tzinfo=UTC))
        )
        assert saturday.latest("timestamp").timestamp == datetime(2024, 1, 20, 15, 29, tzinfo=IST)

    def test_of_one_minute_keep_the_short_session(self) -> None:
        import_real("prices_1min/NIFTY_2024.csv")

        start = datetime(2024, 3, 2, tzinfo=IST)
        drill = read_candles(
            Instrument.objects.get(),
            Interval.M1,
            start=start,
            end=datetime(2024, 3, 3, tzinfo=IST),
        )
        assert len(drill) == 105


class TestRealBhavcopies:
    def test_hold_no_contract_twice(self) -> None:
        futures = import_real("bhavcopy/fo14112025.csv")
        options = import_real("bhavcopy/op14112025.csv")
        contracts = Instrument.objects.exclude(expiry=None)
        assert contracts.count() == futures.rows_read + options.rows_read
        terms = contracts.values_list("underlying", "expiry", "strike", "instrument_type")
        assert len(set(terms)) == contracts.count()

    @pytest.mark.parametrize(
        ("name", "rows"),
        [
            ("cm_sec_bhavdata_full_14112025.csv", 3_050),
            ("fo14112025.csv", 632),
            ("op14112025.csv", 15_130),
        ],
    )
    def test_are_read_whole(self, name: str, rows: int) -> None:
        run = import_real(f"bhavcopy/{name}")

        assert (run.rows_written, run.rows_skipped) == (rows, 0)

    def test_tell_the_lot(self) -> None:
        import_real("bhavcopy/fo14112025.csv")

        assert Instrument.objects.get(key="NFO:BANKNIFTY25NOV25FUT").lot_size == 35
