"""How many rows of a price file lie in no session that is known, by day."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command

from market.services import Starter, run_import, start_import
from tests.market.files import OHLCV, import_text

pytestmark = pytest.mark.django_db

HEADER = "date,open,high,low,close,volume\n"
ROW = "{},100,101,99,100,10\n"
TIMES = (
    "2026-06-16 09:15:00",
    "2026-06-16 18:00:00",
    "2026-06-13 09:15:00",
    "2026-06-13 09:20:00",
)


def prices(*times: str) -> str:
    return HEADER + "".join(ROW.format(each) for each in times)


class TestRowsOutsideSessions:
    def test_are_counted_by_day(self) -> None:
        run = import_text(prices(*TIMES), symbol="NSE:INFY", interval="5m")

        assert run.rows_outside == {"2026-06-13": 2, "2026-06-16": 1}
        assert (run.rows_written, run.rows_skipped) == (1, 3)

    def test_are_none_where_all_fit(self) -> None:
        assert import_text(OHLCV).rows_outside == {}

    def test_do_not_count_what_is_wrong_otherwise(self) -> None:
        text = prices(TIMES[0]) + "2026-06-13 09:15:00,100,99,101,100,10\n"
        assert import_text(text, symbol="NSE:INFY", interval="5m").rows_outside == {}

    def test_of_a_day_without_hours_are_refused_in_words(self) -> None:
        times = ("2026-06-16 09:15:00", "2026-11-08 18:00:00")
        later = datetime(2026, 12, 1, 6, tzinfo=UTC)
        file = ContentFile(prices(*times).encode(), name="INFY.csv")
        options = {"symbol": "NSE:INFY", "interval": "5m"}
        queued = start_import(file, kind=None, by=Starter(), now=later, options=options)

        run = run_import(queued.pk, clock=lambda: later)

        assert run.rows_outside == {"2026-11-08": 1}
        assert "its hours are not known here" in run.issues.get().reason

    def test_of_the_parts_of_a_special_day_are_taken(self) -> None:
        times = [f"2024-05-18 {clock}:00" for clock in ("09:55", "10:05", "11:30", "12:25")]
        run = import_text(prices(*times), symbol="NSE:INFY", interval="5m")

        assert run.rows_outside == {"2024-05-18": 1}

    def test_are_told_by_the_command(self, tmp_path: Path) -> None:
        (tmp_path / "INFY.csv").write_text(prices(*TIMES))
        out = StringIO()

        call_command("import_file", str(tmp_path), "--symbol=NSE:INFY", "--interval=5m", stdout=out)

        assert "3 rows outside known sessions, by day:" in out.getvalue()
        assert "13 Jun 2026: 2" in out.getvalue()
