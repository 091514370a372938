"""Prices from any CSV: columns named by the person, or recognised by their usual names."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import chain, islice, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from brokers.terms import InstrumentType
from market.importing.archives import instrument_named
from market.importing.dates import DateOrder, order_in
from market.importing.prices import Texts, bar_of
from market.importing.reading import Source, delimiter_of, fields_of
from market.importing.rows import (
    FileRefused,
    Priced,
    PricedInstrument,
    RowRefused,
    Rows,
)
from market.importing.values import moment_of, name_of
from market.models import Interval
from market.schedules import IST

_USUAL_NAMES = {
    "at": ("timestamp", "datetime", "date time", "date", "time"),
    "time": ("time",),
    "open": ("open", "open price", "o"),
    "high": ("high", "high price", "h"),
    "low": ("low", "low price", "l"),
    "close": ("close", "close price", "ltp", "c"),
    "volume": ("volume", "vol", "quantity", "v", "shares traded"),
    "symbol": ("symbol", "instrument", "ticker", "tradingsymbol"),
}
_NEEDED = ("at", "open", "high", "low", "close")
# Enough rows to see the shortest step between two bars past an overnight gap.
_ROWS_TO_LOOK_AT = 50


@dataclass(frozen=True, slots=True)
class Options:
    """What the person said of the file; what is empty is worked out from it."""

    columns: Mapping[str, str]
    symbol: str = ""
    interval: str = ""
    zone: str = ""
    dates: str = ""


@dataclass(frozen=True, slots=True)
class _When:
    """Which columns hold a row's moment, and how it is read."""

    columns: Mapping[str, str]
    zone: ZoneInfo
    order: DateOrder | None

    def of(self, row: Mapping[str, str]) -> datetime:
        text = row.get(self.columns["at"], "")
        if "time" in self.columns:
            text = f"{text.strip()} {row.get(self.columns['time'], '').strip()}"
        return moment_of(text, zone=self.zone, order=self.order)


def ohlcv_rows(source: Source, *, options: Options) -> Rows[Priced]:
    """Read prices of one or many instruments; without a zone times are Indian.

    :raises FileRefused: when a column, the interval or the instrument cannot be told.
    """
    columns = _columns(source, options.columns)
    zone = _zone(options.zone)
    order = order_in(source, partial(_dates, columns["at"]), said=options.dates)
    when = _When(columns, zone, order)
    records = source.records(*columns.values())
    first = list(islice(records, _ROWS_TO_LOOK_AT))
    interval = _interval(options.interval, first, when)
    symbol = options.symbol or ("" if "symbol" in columns else source.stem)

    def priced(row: dict[str, str]) -> Priced:
        at = when.of(row)
        if interval is Interval.D1:
            at = datetime.combine(at.astimezone(zone).date(), time.min, IST).astimezone(UTC)
        instrument = _instrument(symbol or row[columns["symbol"]])
        is_index = instrument.instrument_type is InstrumentType.INDEX
        return Priced(instrument, interval, bar_of(_texts(row, columns, is_index), at=at))

    return Rows(chain(first, records), priced)


def usual_columns(head: str) -> dict[str, str]:
    """Recognise the columns of a header line by their usual names."""
    names = fields_of(head.partition("\n")[0], delimiter_of(head))
    known = {name.casefold().replace("_", " "): name for name in names}
    found = {
        part: next(known[name] for name in usual if name in known)
        for part, usual in _USUAL_NAMES.items()
        if any(name in known for name in usual)
    }
    if found.get("time") == found.get("at"):
        found.pop("time", None)
    return found


def _columns(source: Source, named: Mapping[str, str]) -> dict[str, str]:
    columns = {**usual_columns(source.head), **{part: name for part, name in named.items() if name}}
    missing = [part for part in _NEEDED if part not in columns]
    if missing:
        what = "date or time" if missing[0] == "at" else missing[0]
        raise FileRefused(f"Say which column holds the {what}: {source.head_line}")
    return columns


def _zone(name: str) -> ZoneInfo:
    if not name:
        return IST
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise FileRefused(f"There is no time zone {name[:40]}") from error


def _interval(
    named: str,
    first: Sequence[tuple[int, Mapping[str, str]]],
    when: _When,
) -> Interval:
    if named:
        if named not in Interval.values:
            raise FileRefused(
                f"There is no interval {named[:20]}; use {', '.join(Interval.values)}"
            )
        return Interval(named)
    moments = []
    for _, row in first:
        try:
            moments.append(when.of(row))
        except RowRefused:
            continue
    steps = [later - earlier for earlier, later in pairwise(sorted(set(moments)))]
    step = _usual_step(steps)
    fitting = [item for item in Interval if item.length == step]
    if step >= timedelta(days=1):
        return Interval.D1
    if not fitting:
        raise FileRefused("The time between two rows fits no interval: name it")
    return fitting[0]


def _usual_step(steps: Sequence[timedelta]) -> timedelta:
    """Return the step that the rows are made of; a stray row between them has steps of its own.

    Zero where there are no two rows.
    """
    shortest = min(steps, default=timedelta(0))
    lengths = {item.length for item in Interval}
    if shortest in lengths and not any(step % shortest for step in steps):
        return shortest
    counts = Counter(step for step in sorted(steps) if step in lengths)
    step, count = next(iter(counts.most_common(1)), (shortest, 0))
    return step if count * 2 >= len(steps) else shortest


def _dates(column: str, source: Source) -> Iterator[tuple[int, str]]:
    for line, row in source.records(column):
        yield line, row.get(column, "").strip().partition(" ")[0]


def _instrument(symbol: str) -> PricedInstrument:
    try:
        return instrument_named(name_of(symbol, "The symbol", at_most=100))
    except FileRefused as refusal:
        raise RowRefused(str(refusal)) from refusal


def _texts(row: Mapping[str, str], columns: Mapping[str, str], is_index: bool) -> Texts:
    return Texts(
        open=row.get(columns["open"], ""),
        high=row.get(columns["high"], ""),
        low=row.get(columns["low"], ""),
        close=row.get(columns["close"], ""),
        volume=row.get(columns.get("volume", ""), "0"),
        is_index=is_index,
    )
