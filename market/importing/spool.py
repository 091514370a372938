"""Parsed rows that wait on disk for their transaction, so that a large file fits in memory."""

import pickle
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from market.bars import Bar
from market.importing.rows import Priced, PricedInstrument
from market.models import Interval

_CHUNK = 5_000
_IN_MEMORY = 32 * 1024 * 1024


class Spool:
    """Rows in the order they came. The file has no name: it is gone with the process."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._waiting: list[tuple[object, ...]] = []
        self._instruments: dict[str, PricedInstrument] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, row: Priced) -> None:
        bar = row.bar
        self._instruments[row.instrument.key] = row.instrument
        # A plain tuple is written and read many times faster than three dataclasses.
        self._waiting.append(
            (
                row.instrument.key,
                row.interval.value,
                (bar.at, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.open_interest),
            )
        )
        if len(self._waiting) >= _CHUNK:
            self._flush()

    def items(self) -> Iterator[Priced]:
        """Give all the rows; nothing can be added any more."""
        self._flush()
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            # Nobody but this object wrote to the file.
            for key, interval, bar in pickle.load(self._file):  # noqa: S301
                yield Priced(self._instruments[key], Interval(interval), Bar(*bar))

    def _flush(self) -> None:
        pickle.dump(self._waiting, self._file, protocol=pickle.HIGHEST_PROTOCOL)
        self._waiting = []
