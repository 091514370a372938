"""What an import asks before it stores anything, and what it does with the answer."""

from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from market.answering import (
    AnswerRefused,
    answer_import,
    cancel_import,
    give_up_unanswered,
)
from market.importing.files import path_of
from market.models import Candle, CorporateActionKind, ImportRun, Instrument
from market.services import record_corporate_action, run_import
from tests.builders import make_user
from tests.market.files import OHLCV, READ_AT, import_text

pytestmark = pytest.mark.django_db

HEADER = "Date,Open,High,Low,Close\n"
# Both readings of each are trading days.
DOUBTFUL = ("03/02/2026", "04/02/2026", "05/02/2026")


def days_file(*days: str, prices: str = "100,102,99,101") -> str:
    return HEADER + "".join(f"{day},{prices}\n" for day in days)


def answered(run: ImportRun, choice: str) -> ImportRun:
    answer_import(run, choice=choice, by=make_user("operator", is_staff=True), now=READ_AT)
    return run_import(run.pk, clock=lambda: READ_AT)


def stored_days() -> list[str]:
    moments = Candle.objects.order_by("timestamp").values_list("timestamp", flat=True)
    return [f"{moment + timedelta(hours=5, minutes=30):%d %b}" for moment in moments]


class TestDatesInDoubt:
    def test_ask_and_store_nothing(self) -> None:
        run = import_text(days_file(*DOUBTFUL), name="INFY.csv")
        assert (run.status, Candle.objects.count()) == ("ASKING", 0)
        assert run.question is not None
        assert run.question["samples"][0] == "line 2: 03/02/2026"

    @pytest.mark.parametrize(
        ("choice", "days"),
        [
            ("day_first", ["03 Feb", "04 Feb", "05 Feb"]),
            ("month_first", ["02 Mar", "02 Apr"]),
        ],
    )
    def test_are_read_as_the_person_says(self, choice: str, days: list[str]) -> None:
        run = answered(import_text(days_file(*DOUBTFUL), name="INFY.csv"), choice)
        assert (run.status, stored_days()) == ("COMPLETED", days)

    def test_are_proven_by_one_row(self) -> None:
        rows = days_file("01/02/2024", "01/03/2024", "01/12/2024", "01/16/2024")
        run = import_text(rows, name="INFY.csv")
        assert stored_days() == ["02 Jan", "03 Jan", "12 Jan", "16 Jan"]
        assert run.notes == ["Dates are read month first: line 5 reads 01/16/2024"]

    def test_that_prove_another_order_than_was_said_are_refused(self) -> None:
        run = import_text(days_file("01/02/2024", "01/16/2024"), name="A.csv", dates="day_first")
        assert run.error_message == "The dates are month first: line 3 reads 01/16/2024"

    def test_that_are_the_same_both_ways_ask_nothing(self) -> None:
        run = import_text(days_file("02/02/2026", "03/03/2026"), name="INFY.csv", interval="1d")
        assert (run.status, run.rows_skipped) == ("COMPLETED", 1)  # 3 March 2026 was Holi.

    def test_are_asked_for_with_a_clock_too(self) -> None:
        rows = days_file("03/02/2026 09:15", "03/02/2026 9:20 AM", "04/02/2026 03:25 PM")
        run = import_text(rows, name="INFY.csv", dates="day_first")
        assert (run.status, run.rows_written) == ("COMPLETED", 3)

    def test_turn_an_archive_of_six_digits_round(self) -> None:
        rows = '"010224",1,2,1,2,1,1,1\n"011624",1,2,1,2,1,1,1\n'
        import_text(rows, name="INFY.csv")
        assert stored_days() == ["02 Jan", "16 Jan"]


class TestAnotherInstrumentsFile:
    """NIFTY's candles are stored at 24,100; BANKNIFTY stands at 56,000."""

    def test_asks_before_it_replaces_the_history(self) -> None:
        import_text(OHLCV)
        run = import_text(OHLCV.replace(",24", ",56"))
        assert run.status == "ASKING"
        assert "2 stored candles that would get a very different price" in run.error_message
        assert Candle.objects.earliest("timestamp").close == Decimal("24105")

    def test_asks_where_it_would_go_on(self) -> None:
        import_text(OHLCV)
        later = OHLCV.replace("20260617", "20260618").replace(",24", ",56")
        assert import_text(later).status == "ASKING"
        assert Candle.objects.count() == 2

    def test_asks_where_another_interval_is_stored(self) -> None:
        import_text(OHLCV)
        rows = days_file("2026-06-18", "2026-06-19", prices="56000,56100,55900,56050")
        assert import_text(rows, name="x.csv", symbol="NIFTY").status == "ASKING"

    def test_asks_where_a_price_lost_its_point(self) -> None:
        rows = OHLCV + "NIFTY,20260617,09:17,241000.5,241200,241000,241180\n"
        assert import_text(rows).status == "ASKING"

    def test_is_stored_once_somebody_says_that_it_is_right(self) -> None:
        import_text(OHLCV)
        run = answered(import_text(OHLCV.replace(",24", ",56")), "jumps")
        assert (run.status, run.rows_written) == ("COMPLETED", 2)

    def test_of_another_source_differs_little_and_asks_nothing(self) -> None:
        import_text(OHLCV)
        assert import_text(OHLCV.replace("24105.00", "24106.00")).status == "COMPLETED"

    def test_is_not_what_a_recorded_bonus_makes(self) -> None:
        import_text(days_file("2026-06-16"), name="INFY.csv", interval="1d")
        record_corporate_action(
            Instrument.objects.get(),
            kind=CorporateActionKind.BONUS,
            ex_date=datetime(2026, 6, 17).date(),  # noqa: DTZ001
            factor=Decimal(2),
        )
        rows = days_file("2026-06-17", prices="50,51,49,50")
        assert import_text(rows, name="INFY.csv", interval="1d").status == "COMPLETED"

    def test_is_not_what_looks_like_a_bonus_within_it(self) -> None:
        rows = (
            days_file("2026-06-15", "2026-06-16")
            + "2026-06-17,50,51,49,50\n2026-06-18,50,51,49,50\n"
        )
        run = import_text(rows, name="INFY.csv")
        assert run.status == "COMPLETED"
        assert "if that was a split or bonus, record it" in run.notes[0]


class TestAnAnswer:
    def test_is_refused_to_who_does_not_run_the_installation(self) -> None:
        run = import_text(days_file(*DOUBTFUL), name="INFY.csv")
        with pytest.raises(PermissionDenied):
            answer_import(run, choice="day_first", by=make_user(), now=READ_AT)

    def test_that_was_not_offered_is_refused(self) -> None:
        run = import_text(days_file(*DOUBTFUL), name="INFY.csv")
        with pytest.raises(AnswerRefused):
            answered(run, "jumps")

    def test_is_taken_once(self) -> None:
        run = import_text(days_file(*DOUBTFUL), name="INFY.csv")
        answered(run, "day_first")
        with pytest.raises(AnswerRefused, match="not wait for an answer any more"):
            answer_import(
                run, choice="month_first", by=make_user("other", is_staff=True), now=READ_AT
            )

    def test_of_no_ends_it_and_lets_the_file_go(self) -> None:
        run = import_text(days_file(*DOUBTFUL), name="INFY.csv")
        cancel_import(run, by=make_user(is_staff=True), now=READ_AT)
        run.refresh_from_db()
        assert (run.status, path_of(run).exists()) == ("FAILED", False)

    def test_is_not_waited_for_for_ever(self) -> None:
        run = import_text(days_file(*DOUBTFUL), name="INFY.csv")
        assert give_up_unanswered(now=READ_AT + timedelta(days=6)) == 0
        assert give_up_unanswered(now=READ_AT + timedelta(days=7)) == 1
        assert not path_of(run).exists()


class TestTheCommand:
    def test_says_what_to_answer_and_how(self, tmp_path: Path) -> None:
        (tmp_path / "INFY.csv").write_text(days_file(*DOUBTFUL))
        errors = StringIO()
        with pytest.raises(CommandError):
            call_command("import_file", str(tmp_path / "INFY.csv"), stderr=errors)
        assert "import it again with --dates month_first" in errors.getvalue()
        assert not Candle.objects.exists()

    def test_takes_the_answer(self, tmp_path: Path) -> None:
        (tmp_path / "INFY.csv").write_text(days_file(*DOUBTFUL))
        call_command(
            "import_file", str(tmp_path / "INFY.csv"), "--dates=day_first", stdout=StringIO()
        )
        assert stored_days() == ["03 Feb", "04 Feb", "05 Feb"]

    def test_takes_an_acceptance(self, tmp_path: Path) -> None:
        import_text(OHLCV)
        (tmp_path / "nifty.csv").write_text(OHLCV.replace(",24", ",56"))
        call_command(
            "import_file", str(tmp_path / "nifty.csv"), "--accept", "jumps", stdout=StringIO()
        )
        assert Candle.objects.earliest("timestamp").close > 56_000
