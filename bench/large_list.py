"""The largest instrument list there is, Angel One's: 200,000 entries of JSON, imported."""

import json
import resource
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter

from django.core.files import File
from django.utils import timezone

from bench.figures import Figures, figure
from market.models import ImportKind, ImportStatus
from market.services import Starter, run_import, start_import

ROWS = 200_000
_UNDERLYINGS = 220
_FIRST_EXPIRY = date(2026, 8, 25)
_MEGABYTE = 1024 if sys.platform == "linux" else 1024 * 1024  # getrusage tells KB, on macOS bytes


@dataclass(frozen=True, slots=True)
class LargeList:
    first: float = field(metadata=figure("first import", "s", "file kept, parsed and written"))
    again: float = field(
        metadata=figure("the next day's", "s", "the same rows again: their day is written anew")
    )
    memory: float = field(
        metadata=figure("memory", "MB", "by how much the process grew at most", at_most=200)
    )


class ListRefused(Exception):
    """The import did not take every row: there is nothing to time."""


def measure_large_list() -> dict[str, Figures]:
    with tempfile.TemporaryDirectory(prefix="pinnacle-bench-") as folder:
        path = _write(Path(folder) / "OpenAPIScripMaster.json")
        before = _peak()
        first = _import(path, days=0)
        memory = _peak() - before
        again = _import(path, days=1)
    figures = LargeList(first=first, again=again, memory=memory)
    return {f"Angel One’s instrument list ({ROWS:,} rows, generated in its form)": figures}


def _import(path: Path, *, days: int) -> float:
    at = timezone.now() + timedelta(days=days)
    started = perf_counter()
    with path.open("rb") as file:
        queued = start_import(
            File(file, name=path.name),
            kind=ImportKind.ANGEL_MASTER,
            by=Starter(),
            now=at,
            options={"is_whole": True},
        )
    run = run_import(queued.pk, clock=lambda: at)
    seconds = perf_counter() - started
    if (run.status, run.rows_read, run.rows_skipped) != (ImportStatus.COMPLETED, ROWS, 0):
        raise ListRefused(f"{run.status} {run.rows_read} {run.rows_skipped} {run.error_message}")
    return seconds


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE


def _write(path: Path) -> Path:
    with path.open("w") as file:
        for number, entry in enumerate(islice(_entries(), ROWS)):
            file.write("[" if number == 0 else ",\n")
            json.dump({"token": str(number), **entry}, file)
        file.write("]")
    return path


def _entries() -> Iterator[dict[str, str]]:
    """Give options of every underlying, strike by strike, over twelve weeks."""
    for strike in range(1000, 100_000, 50):
        expiry = _FIRST_EXPIRY + timedelta(weeks=strike // 50 % 12)
        for underlying in range(_UNDERLYINGS):
            name = f"SHARE{underlying:03}"
            for kind in ("CE", "PE"):
                yield {
                    "symbol": f"{name}{expiry:%d%b%y}{strike}{kind}".upper(),
                    "name": name,
                    "expiry": f"{expiry:%d%b%Y}".upper(),
                    "strike": f"{strike * 100}.000000",
                    "lotsize": str(25 * (1 + underlying % 60)),
                    "instrumenttype": "OPTSTK",
                    "exch_seg": "NFO",
                    "tick_size": "5.000000",
                }
