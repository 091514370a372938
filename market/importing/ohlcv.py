"""Prices from any CSV: columns named by the person, or recognised by their usual names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import chain, islice, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from market.bars import Bar
from market.importing.archives import instrument_named
from market.importing.prices import Texts, bar_of, in_session
from market.importing.reading import Source, delimiter_of
from market.importing.rows import (
    FileRefused,
    Priced,
    PricedInstrument,
    RowRefused,
    Skipped,
    each_row,
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


def ohlcv_rows(source: Source, *, options: Options) -> Iterator[Priced | Skipped]:
    """Read prices of one or many instruments; without a zone times are Indian.

    :raises FileRefused: when a column, the interval or the instrument cannot be told.
    """
    columns = _columns(source, options.columns)
    zone = _zone(options.zone)
    records = source.records(*columns.values())
    first = list(islice(records, _ROWS_TO_LOOK_AT))
    interval = _interval(options.interval, first, columns, zone)
    symbol = options.symbol or ("" if "symbol" in columns else source.stem)

    def priced(row: dict[str, str]) -> Priced:
        at = _moment(row, columns, zone)
        if interval is Interval.D1:
            at = datetime.combine(at.astimezone(zone).date(), time.min, IST).astimezone(UTC)
        instrument = _instrument(symbol or row[columns["symbol"]])
        return in_session(Priced(instrument, interval, _bar(row, columns, at)))

    return each_row(chain(first, records), priced)


def usual_columns(head: str) -> dict[str, str]:
    """Recognise the columns of a header line by their usual names."""
    names = [name.strip().strip('"') for name in head.partition("\n")[0].split(delimiter_of(head))]
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
    first: list[tuple[int, dict[str, str]]],
    columns: Mapping[str, str],
    zone: ZoneInfo,
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
            moments.append(_moment(row, columns, zone))
        except RowRefused:
            continue
    steps = [later - earlier for earlier, later in pairwise(sorted(set(moments)))]
    step = min(steps, default=timedelta(0))
    fitting = [item for item in Interval if item.length == step]
    if step >= timedelta(days=1):
        return Interval.D1
    if not fitting:
        raise FileRefused("The time between two rows fits no interval: name it")
    return fitting[0]


def _moment(row: Mapping[str, str], columns: Mapping[str, str], zone: ZoneInfo) -> datetime:
    text = row.get(columns["at"], "")
    if "time" in columns:
        text = f"{text.strip()} {row.get(columns['time'], '').strip()}"
    return moment_of(text, zone=zone)


def _instrument(symbol: str) -> PricedInstrument:
    try:
        return instrument_named(name_of(symbol, "The symbol", at_most=100))
    except FileRefused as refusal:
        raise RowRefused(str(refusal)) from refusal


def _bar(row: Mapping[str, str], columns: Mapping[str, str], at: datetime) -> Bar:
    texts = Texts(
        open=row.get(columns["open"], ""),
        high=row.get(columns["high"], ""),
        low=row.get(columns["low"], ""),
        close=row.get(columns["close"], ""),
        volume=row.get(columns.get("volume", ""), "0"),
    )
    return bar_of(texts, at=at)
