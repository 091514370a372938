"""The prices of a replay: a folder of price files, imported as any other, and what they span."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.core.files import File

from market.calendar import local_day
from market.importing.kinds import Options, price_rows
from market.importing.reading import open_source
from market.importing.rows import Priced
from market.models import ImportKind, ImportRun, ImportStatus, Instrument, Interval
from market.services import FileRefused, Starter, run_import, start_import


class ReplayRefused(Exception):
    """The replay cannot be played as asked; the message says why."""


@dataclass(frozen=True, slots=True)
class PriceSet:
    """What a folder's files hold: whose candles, how long each is, and on which days."""

    instruments: tuple[Instrument, ...]
    interval: Interval
    days: tuple[date, ...]
    runs: tuple[ImportRun, ...]

    @property
    def rows_read(self) -> int:
        return sum(run.rows_read for run in self.runs)

    @property
    def rows_skipped(self) -> int:
        return sum(run.rows_skipped for run in self.runs)


def import_prices(folder: Path, *, now: datetime) -> PriceSet:
    """Import every CSV file of the folder; files imported before change nothing.

    :raises ReplayRefused: when there is none, one is unreadable, or their candles differ in length.
    """
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise ReplayRefused(f"There is no .csv file in {folder}")
    runs = tuple(_import(path, now=now) for path in paths)
    priced = [row for path, run in zip(paths, runs, strict=True) for row in _rows(path, run)]
    intervals = {row.interval for row in priced}
    if len(intervals) != 1 or Interval.D1 in intervals:
        named = ", ".join(sorted(intervals))
        raise ReplayRefused(f"A replay needs candles of one length, shorter than a day: {named}")
    keys = {row.instrument.key for row in priced}
    return PriceSet(
        instruments=tuple(Instrument.objects.filter(key__in=keys).order_by("key")),
        interval=intervals.pop(),
        days=tuple(sorted({local_day(row.instrument.exchange, row.bar.at) for row in priced})),
        runs=runs,
    )


def _import(path: Path, *, now: datetime) -> ImportRun:
    try:
        with path.open("rb") as file:
            queued = start_import(File(file, name=path.name), kind=None, by=Starter(), now=now)
    except FileRefused as refusal:
        raise ReplayRefused(f"{path.name}: {refusal}") from refusal
    run = run_import(queued.pk, clock=lambda: now)
    if run.status != ImportStatus.COMPLETED:
        raise ReplayRefused(f"{path.name}: {run.error_message}")
    return run


def _rows(path: Path, run: ImportRun) -> list[Priced]:
    with path.open("rb") as file:
        source = open_source(file, name=path.name)
        rows = price_rows(source, ImportKind(run.kind), Options())
        return [row for row in rows if isinstance(row, Priced)]
