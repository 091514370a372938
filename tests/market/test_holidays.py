from datetime import date, datetime, time
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from brokers.venue import Phase
from market.calendar import IST, is_trading_day, next_trading_day, phase
from market.holidays import HolidaysRefused, publish_year
from market.models import ScheduleOverride

pytestmark = pytest.mark.django_db

YEAR = 2090
REPUBLIC_DAY = date(YEAR, 1, 26)
HOLIDAYS = {REPUBLIC_DAY: "Republic Day"}


class TestPublishYear:
    def test_refuses_an_empty_list(self) -> None:
        with pytest.raises(HolidaysRefused, match="The list is empty"):
            publish_year("NSE", year=YEAR, holidays={})

    def test_refuses_a_day_of_another_year(self) -> None:
        with pytest.raises(HolidaysRefused, match="1 Jan 2091 is not in 2090"):
            publish_year("NSE", year=YEAR, holidays={**HOLIDAYS, date(2091, 1, 1): "New year"})

    def test_refuses_an_exchange_without_a_calendar(self) -> None:
        with pytest.raises(HolidaysRefused, match="MCX has no trading calendar"):
            publish_year("MCX", year=YEAR, holidays=HOLIDAYS)

    def test_makes_the_year_known(self) -> None:
        publish_year("NSE", year=YEAR, holidays=HOLIDAYS)

        assert not is_trading_day("NSE", REPUBLIC_DAY)
        assert next_trading_day("NSE", date(YEAR, 1, 25)) == date(YEAR, 1, 27)

    def test_keeps_every_phase_of_its_days(self) -> None:
        publish_year("NSE", year=YEAR, holidays=HOLIDAYS)

        moment = datetime(YEAR, 1, 25, 15, 35, tzinfo=IST)
        assert phase("NFO", "NSE_FNO", moment) is Phase.OPEN

    def test_again_changes_nothing(self) -> None:
        publish_year("NSE", year=YEAR, holidays=HOLIDAYS)
        days = ScheduleOverride.objects.count()

        publish_year("NSE", year=YEAR, holidays=HOLIDAYS)

        assert ScheduleOverride.objects.count() == days

    def test_leaves_a_special_session_alone(self) -> None:
        day = date(YEAR, 1, 25)
        ScheduleOverride.objects.create(
            exchange="NSE",
            day=day,
            is_open=True,
            opens_at=time(18),
            closes_at=time(19),
            reason="Muhurat trading",
        )

        publish_year("NSE", year=YEAR, holidays=HOLIDAYS)

        assert ScheduleOverride.objects.get(day=day).opens_at == time(18)


class TestCommand:
    def test_reads_the_list_with_its_column_names(self, tmp_path: Path) -> None:
        (tmp_path / "list.csv").write_text("Date,Occasion\n26-Jan-2090,Republic Day\n")
        out = StringIO()

        call_command("import_holidays", str(tmp_path / "list.csv"), "--year=2090", stdout=out)

        assert "NSE 2090: 1 holidays" in out.getvalue()
        assert not is_trading_day("NSE", REPUBLIC_DAY)

    def test_refuses_a_list_that_holds_no_dates(self, tmp_path: Path) -> None:
        (tmp_path / "list.csv").write_text("26 January,Republic Day\n")

        with pytest.raises(CommandError, match="is not a date"):
            call_command("import_holidays", str(tmp_path / "list.csv"), "--year=2090")

        assert not ScheduleOverride.objects.exists()

    def test_asks_which_comes_first_where_no_date_proves_it(self, tmp_path: Path) -> None:
        (tmp_path / "list.csv").write_text("Date,Occasion\n03/02/2090,A day\n")
        with pytest.raises(CommandError, match="say --dates day_first or month_first"):
            call_command("import_holidays", str(tmp_path / "list.csv"), "--year=2090")
        assert not ScheduleOverride.objects.exists()
