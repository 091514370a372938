"""What the import commands share: files in, progress on one line, a sentence for each file."""

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from pathlib import Path

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from market.answering import give_up_asking
from market.importing.dates import DateOrder
from market.importing.doubts import JUMPS
from market.importing.losses import LOSSES
from market.importing.progress import Progress
from market.models import ImportKind, ImportRun, ImportStatus
from market.services import FileRefused, Starter, run_import, start_import

_ISSUES_SHOWN = 5
_DAYS_SHOWN = 20


class ImportCommand(BaseCommand):
    """Imports files one after another; ends with an error when one of them failed."""

    def import_files(
        self,
        paths: Iterable[Path],
        *,
        kind: ImportKind | None,
        options: Mapping[str, object] | None = None,
    ) -> None:
        """:raises CommandError: when there is no file, or one could not be imported."""
        files = list(paths)
        if not files:
            raise CommandError("There is no file to import")
        failed = [path for path in files if not self._import(path, kind, options or {})]
        if failed:
            raise CommandError(f"{len(failed)} of {len(files)} files were not imported")

    def _import(self, path: Path, kind: ImportKind | None, options: Mapping[str, object]) -> bool:
        try:
            with path.open("rb") as file:
                run = start_import(
                    File(file, name=path.name),
                    kind=kind,
                    by=Starter(),
                    now=timezone.now(),
                    options=options,
                )
        except (OSError, FileRefused) as error:
            self.stderr.write(f"{path.name}: {error}")
            return False
        return self._report(run_import(run.pk, clock=timezone.now, listener=self._progress))

    def _progress(self, progress: Progress) -> None:
        read, size = progress.source.bytes_read, max(1, progress.source.size)
        self.stdout.write(f"  {100 * read // size} %, {progress.rows_read:,} rows", ending="\r")
        self.stdout.flush()

    def _report(self, run: ImportRun) -> bool:
        if run.status == ImportStatus.ASKING:
            self._tell_question(run)
            return False
        if run.status != ImportStatus.COMPLETED:
            self.stderr.write(f"{run.file_name}: {run.error_message}")
            return False
        self.stdout.write(
            f"{run.file_name}: {ImportKind(run.kind).label}. {run.rows_read:,} rows read, "
            f"{run.rows_written:,} new or changed, {run.rows_unchanged:,} unchanged, "
            f"{run.rows_skipped:,} left out"
        )
        self._report_outside(run)
        for note in run.notes:
            self.stdout.write(f"  {note}")
        if missing := run.missing.count():
            self.stdout.write(
                f"  {missing:,} instruments of the last list are missing and stay listed: "
                "to delist them, import the list again with --accept losses"
            )
        for issue in run.issues.order_by("line")[:_ISSUES_SHOWN]:
            self.stdout.write(f"  line {issue.line}: {issue.reason}")
        return True

    def _report_outside(self, run: ImportRun) -> None:
        days = run.outside_days
        if days:
            rows = sum(count for _, count in days)
            self.stdout.write(f"  {rows:,} rows outside known sessions, by day:")
        for day, count in days[:_DAYS_SHOWN]:
            self.stdout.write(f"    {day:%-d %b %Y}: {count:,}")
        if len(days) > _DAYS_SHOWN:
            self.stdout.write(f"    and {len(days) - _DAYS_SHOWN:,} more days")

    def _tell_question(self, run: ImportRun) -> None:
        """Say what a person must answer; the file is where it was, so its copy is not kept."""
        question = run.question or {}
        self.stderr.write(f"{run.file_name}: {run.error_message}")
        for sample in question.get("samples", ()):
            self.stderr.write(f"  {sample}")
        for value, label in question.get("choices", ()):
            named = "accept" if value == question["code"] else question["code"]
            self.stderr.write(f"  {label}: import it again with --{named} {value}")
        give_up_asking(run, now=timezone.now())


def add_accept(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--accept",
        dest="accepted",
        nargs="*",
        default=[],
        choices=[JUMPS, LOSSES],
        help="what was asked about a file and is right: prices that jump, a list that lost much",
    )


def add_dates(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--dates",
        default="",
        choices=["", *DateOrder.values],
        help="which comes first in 01/02/2024, where no row of the file proves it",
    )


def files_in(paths: Iterable[str]) -> list[Path]:
    """List the files named, and those in the folders named."""
    found: list[Path] = []
    for path in map(Path, paths):
        found += sorted(path.glob("*.csv")) if path.is_dir() else [path]
    return found
