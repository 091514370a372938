"""How fast a broker's instrument master is read and written, against the bare writing of it."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from django.conf import settings
from django.core.files import File
from django.db import connection
from django.db.utils import ConnectionHandler
from django.utils import timezone

from bench.figures import Figures, figure, median_of
from bench.large_list import measure_large_list
from bench.master_file import ROWS, write_master_file
from market.importing.kite import kite_rows
from market.importing.reading import open_source
from market.importing.rows import Listed
from market.models import ImportKind, ImportRun, ImportStatus, Instrument
from market.services import Starter, run_import, start_import

ROUNDS = 3
# Kite's own file, where somebody has put one beside the project.
REAL_FILES = Path(settings.BASE_DIR).parent / "shared" / "data" / "instruments"

_INSERT = """
    INSERT INTO instruments
        (key, trading_symbol, name, exchange, segment, instrument_type, lot_size, tick_size,
         expiry, strike, option_type, underlying, isin, currency, metadata, is_active,
         created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 'INR', '{}', 1, '2026-06-17', '2026-06-17')
"""


@dataclass(frozen=True, slots=True)
class Importing:
    first: float = field(
        metadata=figure("first import", "rows/s", "file kept, parsed, checked and written")
    )
    again: float = field(
        metadata=figure("unchanged import", "rows/s", "the same file again: nothing is new")
    )
    bare: float = field(
        metadata=figure(
            "bare insert", "rows/s", "parsed rows, `executemany`, an SQLite table indexed alike"
        )
    )
    first_ratio: float = field(
        metadata=figure("first ÷ bare", "×", "time of the first by that of the bare", at_most=10)
    )
    again_ratio: float = field(
        metadata=figure("unchanged ÷ bare", "×", "time of the second by the bare", at_most=10)
    )


class ImportFailed(Exception):
    """The import did not take every row: there is nothing to time."""


def measure() -> dict[str, Figures]:
    # The large one first: a process tells only the most memory that it ever had.
    large = measure_large_list()
    with tempfile.TemporaryDirectory(prefix="pinnacle-bench-") as folder:
        path = _real_file() or write_master_file(Path(folder) / "instruments.csv")
        rounds = [_round(path) for _ in range(ROUNDS)]
    source = "generated, in Kite’s form" if path.parent != REAL_FILES else "Kite’s own"
    return {f"An instrument master ({ROWS:,} rows, {source})": median_of(rounds), **large}


def _real_file() -> Path | None:
    return next(iter(sorted(REAL_FILES.glob("kite_*.csv"))), None)


def _round(path: Path) -> Importing:
    _forget_instruments()
    first = _import(path, changed=ROWS)
    again = _import(path, changed=0)
    bare = _insert_bare(_parse(path))
    return Importing(
        first=ROWS / first,
        again=ROWS / again,
        bare=ROWS / bare,
        first_ratio=first / bare,
        again_ratio=again / bare,
    )


def _forget_instruments() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM broker_instruments")
        cursor.execute("DELETE FROM instruments")


def _import(path: Path, *, changed: int) -> float:
    """Return the seconds it took.

    :raises ImportFailed: when it was refused, or changed more or fewer rows than it should.
    """
    started = perf_counter()
    with path.open("rb") as file:
        queued = start_import(
            File(file, name=path.name),
            kind=ImportKind.KITE_MASTER,
            by=Starter(),
            now=timezone.now(),
        )
    run = run_import(queued.pk, clock=timezone.now)
    seconds = perf_counter() - started
    _check(run, changed)
    return seconds


def _check(run: ImportRun, changed: int) -> None:
    told = (run.status, run.rows_read, run.rows_written, run.rows_skipped)
    if told != (ImportStatus.COMPLETED, ROWS, changed, 0):
        raise ImportFailed(f"{told} {run.error_message}")


def _parse(path: Path) -> list[Listed]:
    with path.open("rb") as file:
        rows = kite_rows(open_source(file, name=path.name))
        return [row for row in rows if isinstance(row, Listed)]


def _insert_bare(listed: list[Listed]) -> float:
    """Insert into an empty SQLite file with the table of instruments; return the seconds."""
    rows = [[_plain(value) for value in row[:12]] for row in listed]
    with tempfile.TemporaryDirectory(prefix="pinnacle-bench-") as folder:
        bare = ConnectionHandler(
            {
                "default": {
                    "ENGINE": "django.db.backends.sqlite3",
                    "NAME": f"{folder}/bare.sqlite3",
                }
            }
        )["default"]
        with bare.schema_editor() as editor:
            editor.create_model(Instrument)
        started = perf_counter()
        bare.connection.execute("BEGIN")  # Django's connection would commit every row
        bare.connection.executemany(_INSERT, rows)
        bare.connection.commit()
        seconds = perf_counter() - started
        bare.close()
    return seconds


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, int | str) else str(value)
