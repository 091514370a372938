"""What an import changed, kept so that it can be undone: each row as it was, and as it became."""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from market.bars import Bar
from market.models import ImportRun, ImportUndo, Interval
from market.store import CandleKey

CandleChange = tuple[CandleKey, Bar | None, Bar]

_CANDLES, _MADE = "candles", "made"
_PRICES = ("open", "high", "low", "close")


def keep_candles(run: ImportRun, changes: Sequence[CandleChange]) -> None:
    if changes:
        rows = [
            [identity, str(interval), at.isoformat(), _values(before), _values(after)]
            for (identity, interval, at), before, after in changes
        ]
        keep_part(run, {_CANDLES: rows})


def keep_made(run: ImportRun, instrument_ids: Sequence[int]) -> None:
    if instrument_ids:
        keep_part(run, {_MADE: list(instrument_ids)})


def kept_candles(run: ImportRun) -> Iterator[list[CandleChange]]:
    """Give the changes, part by part."""
    for body in kept_parts(run):
        if _CANDLES in body:
            yield [_change(row) for row in body[_CANDLES]]


def kept_made(run: ImportRun) -> list[int]:
    """Return the ids of the instruments that the run made."""
    return [identity for body in kept_parts(run) for identity in body.get(_MADE, ())]


def kept_parts(run: ImportRun) -> Iterator[dict[str, Any]]:
    for part in run.undo_parts.order_by("pk").iterator(chunk_size=1):
        yield json.loads(zlib.decompress(part.body))


def keep_part(run: ImportRun, body: Mapping[str, object]) -> None:
    # A decimal or a moment is kept as the text that the database takes it from.
    ImportUndo.objects.create(run=run, body=zlib.compress(json.dumps(body, default=str).encode()))


def _change(row: list[Any]) -> CandleChange:
    identity, interval, moment, before, after = row
    at = datetime.fromisoformat(moment)
    return (identity, Interval(interval), at), before and _bar(at, before), _bar(at, after)


def _values(bar: Bar | None) -> list[object] | None:
    if bar is None:
        return None
    prices = [str(getattr(bar, name)) for name in _PRICES]
    return [*prices, bar.volume, bar.open_interest]


def _bar(at: datetime, values: list[Any]) -> Bar:
    opened, high, low, close = map(Decimal, values[:4])
    return Bar(at, opened, high, low, close, values[4], values[5])
