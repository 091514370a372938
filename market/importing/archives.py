"""Price files of one instrument each: NSE's daily archive, and the five-minute downloads."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time
from functools import lru_cache

from brokers.terms import InstrumentType, Segment
from market.importing.dates import DateOrder, order_in, readings_of
from market.importing.prices import Texts, bar_of
from market.importing.reading import Source
from market.importing.rows import (
    FileRefused,
    Priced,
    PricedInstrument,
    RowRefused,
    Rows,
)
from market.importing.symbols import INDEX_SYMBOLS, index_key
from market.importing.values import day_of, moment_of, name_of
from market.models import Interval
from market.schedules import IST

_DDMMYY = re.compile(r"[0-9]{6}", re.ASCII)
_DAILY_COLUMNS = 8
_INTRADAY_COLUMNS = ["Price", "Close", "High", "Low", "Open", "Volume"]
_SUFFIXES = {".NS": "NSE", ".BO": "BSE"}
_SUFFIXED_INDICES = {"^NSEI": "NSE:NIFTY 50", "^NSEBANK": "NSE:NIFTY BANK", "^BSESN": "BSE:SENSEX"}
_PAISA = "0.01"


def daily_rows(source: Source, *, symbol: str, dates: str = "") -> Rows[Priced]:
    """Read NSE's archive: no header; ddmmyy, open, high, low, close, value, volume, trades."""
    instrument = instrument_named(symbol)
    is_index = instrument.instrument_type is InstrumentType.INDEX
    order = order_in(source, _archive_dates, said=dates, usual=DateOrder.DAY_FIRST)

    def priced(row: list[str]) -> Priced:
        if len(row) != _DAILY_COLUMNS:
            raise RowRefused(f"The row has {len(row)} fields and not {_DAILY_COLUMNS}")
        texts = Texts(row[1], row[2], row[3], row[4], volume=row[6], is_index=is_index)
        return Priced(instrument, Interval.D1, bar_of(texts, at=_archive_day(row[0], order)))

    return Rows(source.table(), priced)


def intraday_rows(source: Source) -> Rows[Priced]:
    """Read a download with three header lines: column names, the ticker, the index's name.

    Times are UTC; prices are floats with noise, rounded to the paisa.
    """
    rows = source.table()
    header, ticker = next(rows, (0, [""]))[1], next(rows, (0, [""]))[1]
    next(rows, None)
    if header[: len(_INTRADAY_COLUMNS)] != _INTRADAY_COLUMNS or ticker[0] != "Ticker":
        raise FileRefused(f"The three header lines are not there: {source.head_line}")
    instrument = _by_ticker(ticker[1] if len(ticker) > 1 else "")
    is_index = instrument.instrument_type is InstrumentType.INDEX

    def priced(row: list[str]) -> Priced:
        if len(row) < len(_INTRADAY_COLUMNS):
            raise RowRefused(f"The row has {len(row)} fields and not {len(_INTRADAY_COLUMNS)}")
        at, close, high, low, opened, volume = row[: len(_INTRADAY_COLUMNS)]
        if "+" not in at:
            raise RowRefused("The time has no zone")
        moment = moment_of(at, zone=IST)
        texts = Texts(opened, high, low, close, volume=volume, places=_PAISA, is_index=is_index)
        return Priced(instrument, Interval.M5, bar_of(texts, at=moment))

    return Rows(rows, priced)


@lru_cache(maxsize=5000)
def instrument_named(symbol: str) -> PricedInstrument:
    """Say which instrument a person or a file means: NSE:RELIANCE, RELIANCE, NIFTY.

    :raises FileRefused: when it cannot be a symbol.
    """
    try:
        name = name_of(symbol, "The symbol", at_most=100).upper()
    except RowRefused as refusal:
        raise FileRefused(f"Say which instrument this is: {refusal}") from refusal
    exchange, _, bare = name.rpartition(":")
    exchange = exchange or "NSE"
    key = index_key(exchange, bare)
    if key.partition(":")[2] in INDEX_SYMBOLS:
        return PricedInstrument(key, Segment.IDX, InstrumentType.INDEX)
    segment = Segment.BSE_EQ if exchange == "BSE" else Segment.NSE_EQ
    return PricedInstrument(f"{exchange}:{bare}", segment)


def _by_ticker(ticker: str) -> PricedInstrument:
    if ticker in _SUFFIXED_INDICES:
        return instrument_named(_SUFFIXED_INDICES[ticker])
    exchange = _SUFFIXES.get(ticker[-3:])
    return instrument_named(f"{exchange}:{ticker[:-3]}" if exchange else ticker)


def _archive_dates(source: Source) -> Iterator[tuple[int, str]]:
    for line, row in source.table():
        yield line, _spread(row[0].strip())


def _spread(digits: str) -> str:
    """Write 310124 as 31/01/2024, the century as Python's own %y has it."""
    if not _DDMMYY.fullmatch(digits):
        return digits
    year = datetime.strptime(digits[4:], "%y").replace(tzinfo=UTC).year
    return f"{digits[:2]}/{digits[2:4]}/{year}"


def _archive_day(text: str, order: DateOrder | None) -> datetime:
    digits = text.strip()
    if not _DDMMYY.fullmatch(digits):
        raise RowRefused(f"The date '{digits[:40]}' is not of the form ddmmyy")
    if not readings_of(_spread(digits)):
        raise RowRefused(f"There is no day {digits} (ddmmyy)")
    day = day_of(_spread(digits), order=order)
    return datetime.combine(day, time.min, IST).astimezone(UTC)
