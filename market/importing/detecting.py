"""Tell what a file is by its first lines, so that nobody has to."""

import re

from market.importing import alpaca, angel, bhavcopy, dhan, dhan_detailed, kite
from market.importing.ohlcv import usual_columns
from market.importing.reading import delimiter_of, fields_of, head_text
from market.importing.rows import FileRefused
from market.models import ImportKind

_ARCHIVE_LINE = re.compile(r'"?[0-9]{6}"?(,"?[0-9.]+"?){7}\s*', re.ASCII)
_BY_COLUMNS = (
    (ImportKind.KITE_MASTER, kite.COLUMNS),
    (ImportKind.DHAN_MASTER, dhan.COLUMNS),
    (ImportKind.DHAN_MASTER, dhan_detailed.COLUMNS),
    (ImportKind.BHAVCOPY_CASH, bhavcopy.CASH_COLUMNS),
    (ImportKind.BHAVCOPY_OPTIONS, bhavcopy.OPTIONS_COLUMNS),
    (ImportKind.BHAVCOPY_FUTURES, bhavcopy.FUTURES_COLUMNS),
)


def detect_kind(head: bytes) -> ImportKind:
    """Tell the kind by the file's beginning (64 KB are plenty).

    :raises FileRefused: when it is none that is known here, with what was found instead.
    """
    text = head_text(head)
    if text.lstrip().startswith("["):
        return _json_kind(text)
    lines = text.splitlines()
    delimiter = delimiter_of(text)
    names = fields_of(lines[0], delimiter)
    for kind, columns in _BY_COLUMNS:
        if set(names).issuperset(columns):
            return kind
    second = fields_of(lines[1], delimiter) if len(lines) > 1 else []
    if names[:2] == ["Price", "Close"] and second[:1] == ["Ticker"]:
        return ImportKind.INTRADAY_PRICES
    if _ARCHIVE_LINE.fullmatch(lines[0]):
        return ImportKind.DAILY_PRICES
    if {"at", "open", "high", "low", "close"} <= usual_columns(text).keys():
        return ImportKind.OHLCV
    raise FileRefused(f"No file that is known here begins with: {lines[0][:120]}")


def _json_kind(text: str) -> ImportKind:
    if all(f'"{field}"' in text for field in angel.FIELDS):
        return ImportKind.ANGEL_MASTER
    if all(f'"{field}"' in text for field in alpaca.FIELDS):
        return ImportKind.ALPACA_MASTER
    raise FileRefused("The file is JSON, but not Angel One's scrip master, nor Alpaca's assets")
