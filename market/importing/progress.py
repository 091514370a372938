"""Tell how far an import is, at most once a second, and keep what it left out."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from time import monotonic
from typing import TypeVar

from market.importing.reading import Source
from market.importing.rows import Skipped
from market.models import ImportIssue, ImportRun

Item = TypeVar("Item")
Clock = Callable[[], datetime]
Listener = Callable[["Progress"], None]

# Enough to see what is wrong with a file; a file of another kind would fill the table.
ISSUES_KEPT = 1000
_SECONDS_BETWEEN = 1.0
_ROWS_BETWEEN = 500


class Progress:
    """Counts the rows of one run as they pass."""

    def __init__(
        self,
        run_id: uuid.UUID,
        source: Source,
        *,
        clock: Clock,
        listener: Listener | None = None,
    ) -> None:
        self.rows_read = 0
        self.rows_skipped = 0
        self.issues: list[Skipped] = []
        self.outside: Counter[date] = Counter()
        self._run_id = run_id
        self.source = source
        self._clock = clock
        self._listener = listener
        self._told = monotonic()

    @property
    def line(self) -> int:
        """Where the last row ended; of a file without lines, its place among the rows."""
        return self.source.lines_read or self.rows_read

    def good_rows(self, rows: Iterable[Item | Skipped]) -> Iterator[Item]:
        """Let the good rows pass; keep the others as issues."""
        for row in rows:
            self.rows_read += 1
            if self.rows_read % _ROWS_BETWEEN == 0:
                self._tell()
            if isinstance(row, Skipped):
                self.skip(row)
            else:
                yield row

    def skip(self, row: Skipped) -> None:
        self.rows_skipped += 1
        if row.outside_on is not None:
            self.outside[row.outside_on] += 1
        if len(self.issues) < ISSUES_KEPT:
            self.issues.append(row)

    def keep_issues(self) -> None:
        ImportIssue.objects.bulk_create(
            (
                ImportIssue(
                    run_id=self._run_id, line=issue.line, reason=issue.reason, raw=issue.raw
                )
                for issue in self.issues
            ),
            batch_size=500,
        )

    def _tell(self) -> None:
        if monotonic() - self._told < _SECONDS_BETWEEN:
            return
        self._told = monotonic()
        ImportRun.objects.filter(pk=self._run_id).update(
            bytes_read=self.source.bytes_read,
            rows_read=self.rows_read,
            rows_skipped=self.rows_skipped,
            progress_at=self._clock(),
        )
        if self._listener is not None:
            self._listener(self)
