from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from market.importing.files import path_of
from market.models import Candle, ImportRun, ImportStatus, Instrument
from market.services import (
    Starter,
    fail_abandoned_imports,
    run_import,
    run_queued_imports,
    start_import,
)
from market.tasks import sweep_imports
from operations.models import Event
from tests.builders import NOW, make_user, make_workspace
from tests.market.files import DAILY, KITE, OHLCV, import_text

pytestmark = pytest.mark.django_db


def queued(content: str = OHLCV, by: Starter | None = None) -> ImportRun:
    file = ContentFile(content.encode(), name="file.csv")
    return start_import(file, kind=None, by=by or Starter(), now=NOW)


class Killed(BaseException):
    """What a worker feels when its process ends."""


def killed_while_running(run: ImportRun) -> None:
    """Let the process end where all is parsed and about to be written."""
    ticks = iter([NOW])

    def clock() -> datetime:
        for moment in ticks:
            return moment
        raise Killed

    with pytest.raises(Killed):
        run_import(run.pk, clock=clock)


class TestRunImport:
    def test_of_a_run_that_is_done_does_nothing(self) -> None:
        run = import_text(OHLCV)
        Candle.objects.all().delete()

        run_import(run.pk, clock=lambda: NOW)

        assert not Candle.objects.exists()

    def test_of_a_file_that_is_gone_fails_in_words(self) -> None:
        run = queued()
        path_of(run).unlink()

        run = run_import(run.pk, clock=lambda: NOW)

        assert (run.status, run.error_message) == (
            "FAILED",
            "The uploaded file is gone: upload it again",
        )

    def test_killed_leaves_nothing(self) -> None:
        killed_while_running(queued())

        assert not Candle.objects.exists()
        assert not Instrument.objects.exists()

    def test_counts_every_row_once(self) -> None:
        run = import_text(OHLCV + "NIFTY,20260617,09:17,x,1,1,1\n")

        assert (run.rows_read, run.rows_written, run.rows_unchanged, run.rows_skipped) == (
            3,
            2,
            0,
            1,
        )

    def test_says_how_far_it_is(self) -> None:
        run = import_text(OHLCV, at=NOW)

        assert (run.bytes_read, run.percent_read, run.finished_at) == (len(OHLCV), 100, NOW)

    def test_throws_the_file_away(self) -> None:
        assert not path_of(import_text(OHLCV)).exists()

    def test_keeps_a_fingerprint_of_the_file(self) -> None:
        assert import_text(OHLCV).file_hash == import_text(OHLCV).file_hash != ""

    def test_is_refused_to_who_merely_owns_a_desk(self) -> None:
        user = make_user()
        with pytest.raises(PermissionDenied, match="operator"):
            queued(by=Starter(make_workspace(user), user))
        assert not ImportRun.objects.exists()

    def test_tells_the_workspace_that_started_it(self) -> None:
        user = make_user(is_staff=True)
        workspace = make_workspace(user)
        run = queued(by=Starter(workspace, user))

        run_import(run.pk, clock=lambda: NOW)

        events = Event.objects.filter(workspace_id=workspace.pk, kind="imports")
        assert set(events.values_list("subject_id", flat=True)) == {str(run.pk)}
        assert ImportRun.objects.get().started_by == user


class TestAbandonedImport:
    def test_is_left_alone_while_it_may_live(self) -> None:
        killed_while_running(queued())

        assert fail_abandoned_imports(now=NOW + timedelta(minutes=9)) == []

    def test_is_marked_as_failed(self) -> None:
        run = queued()
        killed_while_running(run)

        fail_abandoned_imports(now=NOW + timedelta(minutes=11))

        run.refresh_from_db()
        assert run.status == ImportStatus.FAILED
        assert "nothing of it was kept" in run.error_message
        assert not path_of(run).exists()

    def test_is_marked_at_once_when_no_worker_can_live(self) -> None:
        killed_while_running(queued())

        dead = fail_abandoned_imports(now=NOW + timedelta(seconds=1), quiet_for=timedelta(0))

        assert len(dead) == 1


class TestQueuedImports:
    def test_are_run_by_the_sweep(self) -> None:
        run = queued()

        sweep_imports()

        run.refresh_from_db()
        assert run.status == ImportStatus.COMPLETED

    def test_are_run_once(self) -> None:
        queued()

        assert run_queued_imports(clock=lambda: NOW) == 1
        assert run_queued_imports(clock=lambda: NOW) == 0


class TestCommands:
    def test_import_file_tells_what_it_did(self, tmp_path: Path) -> None:
        (tmp_path / "kite.csv").write_text(KITE)
        out = StringIO()

        call_command("import_file", str(tmp_path / "kite.csv"), stdout=out)

        assert "kite.csv: Kite instruments (CSV). 4 rows read, 4 new or changed" in out.getvalue()

    def test_import_file_ends_with_an_error_when_one_fails(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("words\n")
        errors = StringIO()

        with pytest.raises(CommandError, match="1 of 1 files were not imported"):
            call_command("import_file", str(tmp_path / "a.csv"), stderr=errors)

        assert "No file that is known here" in errors.getvalue()

    def test_import_file_names_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        errors = StringIO()

        with pytest.raises(CommandError):
            call_command("import_file", str(tmp_path / "none.csv"), stderr=errors)

        assert "none.csv" in errors.getvalue()

    def test_import_prices_reads_a_folder(self, tmp_path: Path) -> None:
        for symbol in ("INFY", "TCS"):
            (tmp_path / f"{symbol}.csv").write_text(DAILY)

        call_command("import_prices", str(tmp_path), stdout=StringIO())

        keys = Instrument.objects.order_by("key").values_list("key", flat=True)
        assert list(keys) == ["NSE:INFY", "NSE:TCS"]

    def test_import_instruments_reads_a_master(self, tmp_path: Path) -> None:
        (tmp_path / "kite.csv").write_text(KITE)

        call_command(
            "import_instruments", str(tmp_path / "kite.csv"), "--broker=kite", stdout=StringIO()
        )

        assert Instrument.objects.count() == 4
