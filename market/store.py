"""Candles and ticks in and out, whatever the database: COPY on PostgreSQL, bulk on SQLite.

A candle is known by (instrument, interval, opening moment); writing it again replaces it only
where it differs. Prices are stored as traded and adjusted for corporate actions when read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice

from django.db import connection, transaction

from brokers.gateway import QuoteTick
from market.bars import Bar, adjust, aggregate, grid_of
from market.models import Candle, CorporateAction, Instrument, Interval, Tick
from market.partitions import ensure_months

_FIELDS = ("timestamp", "open", "high", "low", "close", "volume", "open_interest")
_CHUNK = 20_000

_COLUMNS = """(instrument_id, "interval", "timestamp",
    "open", high, low, "close", volume, open_interest)"""
_INSERT = f"INSERT INTO price_history {_COLUMNS} "
# Only what differs is replaced, so that the count of rows tells what a second import changed.
_REPLACE_WHERE = """
    ON CONFLICT (instrument_id, "interval", "timestamp") DO UPDATE SET
        "open" = excluded."open", high = excluded.high, low = excluded.low,
        "close" = excluded."close", volume = excluded.volume,
        open_interest = excluded.open_interest
    WHERE (price_history."open", price_history.high, price_history.low,
           price_history."close", price_history.volume, price_history.open_interest)
"""
_FROM_EXCLUDED = """
    (excluded."open", excluded.high, excluded.low,
     excluded."close", excluded.volume, excluded.open_interest)
"""
_UPSERT_VALUES = (
    _INSERT
    + "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
    + _REPLACE_WHERE
    + "IS NOT"
    + _FROM_EXCLUDED
)
_UPSERT_STAGED = (
    _INSERT + "TABLE staged_candles" + _REPLACE_WHERE + "IS DISTINCT FROM" + _FROM_EXCLUDED
)
_STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS staged_candles (
        instrument_id bigint, "interval" varchar(4), "timestamp" timestamptz,
        "open" numeric(15, 4), high numeric(15, 4), low numeric(15, 4), "close" numeric(15, 4),
        volume bigint, open_interest bigint
    ) ON COMMIT DELETE ROWS
"""

# Whose candle it is, how long, and when it opens.
CandleKey = tuple[int, Interval, datetime]
_KEYS_AT_ONCE = 500
_Row = tuple[int, str, datetime, Decimal, Decimal, Decimal, Decimal, int, int | None]


@dataclass(frozen=True, slots=True)
class StoredBar:
    """A bar and whose it is, for writing those of many instruments together."""

    instrument_id: int
    interval: Interval
    bar: Bar


def write_candles(instrument: Instrument, interval: Interval, bars: Iterable[Bar]) -> int:
    """Store bars and return how many were new or differed from what was stored."""
    return write_bars(StoredBar(instrument.pk, interval, bar) for bar in bars)


def write_bars(stored: Iterable[StoredBar]) -> int:
    """Store bars of many instruments and return how many were new or differed."""
    rows = (_row(item) for item in stored)
    written = 0
    with transaction.atomic():
        while chunk := list(islice(rows, _CHUNK)):
            # A bar that comes twice counts once, as it came last.
            written += _upsert(list({row[:3]: row for row in chunk}.values()))
    return written


def stored_bars(wanted: Iterable[CandleKey]) -> dict[CandleKey, Bar]:
    """Return those of the bars that are stored, of many instruments together."""
    found: dict[CandleKey, Bar] = {}
    for interval, keys in _by_interval(wanted).items():
        ids = sorted({identity for identity, _, _ in keys})
        moments = {at for _, _, at in keys}
        for start in range(0, len(ids), _KEYS_AT_ONCE):
            rows = Candle.objects.filter(
                instrument__in=ids[start : start + _KEYS_AT_ONCE],
                interval=interval,
                timestamp__range=(min(moments), max(moments)),
            ).values_list("instrument_id", *_FIELDS)
            for identity, *values in rows.iterator(chunk_size=_CHUNK):
                key = (identity, interval, values[0])
                if key in keys:
                    found[key] = Bar(*values)
    return found


def delete_candles(keys: Iterable[CandleKey]) -> int:
    """Delete those bars and return how many there were."""
    deleted = 0
    for interval, members in _by_interval(keys).items():
        moments: dict[int, list[datetime]] = {}
        for identity, _, at in members:
            moments.setdefault(identity, []).append(at)
        for identity, times in moments.items():
            for start in range(0, len(times), _KEYS_AT_ONCE):
                part = times[start : start + _KEYS_AT_ONCE]
                rows = Candle.objects.filter(
                    instrument=identity, interval=interval, timestamp__in=part
                )
                deleted += rows.delete()[0]
    return deleted


def read_candles(
    instrument: Instrument,
    interval: Interval,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    adjusted: bool = False,
    limit: int | None = None,
) -> list[Bar]:
    """Return bars in order of time, from ``start`` and before ``end``; the last ``limit`` of them.

    An interval that is not stored there is made from the largest stored one that divides it.
    """
    grid = grid_of(instrument.exchange)
    if start is not None:
        start = grid.start_of(start, interval)
    bars: list[Bar] = []
    for source in _sources(interval):
        ratio = interval.length // source.length
        bars = _stored(instrument, source, start=start, end=end, limit=limit and limit * ratio)
        if bars:
            bars = bars if source == interval else aggregate(bars, interval, grid=grid)
            break
    if limit is not None:
        bars = bars[-limit:] if limit else []
    if not adjusted:
        return bars
    actions = CorporateAction.objects.filter(instrument=instrument).exclude(factor=1)
    return adjust(bars, actions, grid=grid, interval=interval)


def write_ticks(ticks: Sequence[QuoteTick]) -> int:
    """Append ticks of known instruments and return how many were written."""
    keys = {tick.key for tick in ticks}
    ids = dict(Instrument.objects.filter(key__in=keys).values_list("key", "pk"))
    known = [
        Tick(
            instrument_id=ids[tick.key],
            ltp=tick.ltp,
            bid=tick.bid,
            ask=tick.ask,
            volume=tick.volume,
            timestamp=tick.at,
        )
        for tick in ticks
        if tick.key in ids
    ]
    with transaction.atomic():
        ensure_months("ticks", [tick.timestamp for tick in known])
        Tick.objects.bulk_create(known, batch_size=1000)
    return len(known)


def _by_interval(keys: Iterable[CandleKey]) -> dict[Interval, set[CandleKey]]:
    found: dict[Interval, set[CandleKey]] = {}
    for key in keys:
        found.setdefault(key[1], set()).add(key)
    return found


def _row(stored: StoredBar) -> _Row:
    bar = stored.bar
    return (
        stored.instrument_id,
        str(stored.interval),
        bar.at,
        bar.open,
        bar.high,
        bar.low,
        bar.close,
        bar.volume,
        bar.open_interest,
    )


def _sources(interval: Interval) -> list[Interval]:
    """List the intervals that this one can be made of, itself first and the largest next."""
    divisors = [item for item in Interval if not interval.length % item.length]
    return sorted(divisors, key=lambda item: item.length, reverse=True)


def _stored(
    instrument: Instrument,
    interval: Interval,
    *,
    start: datetime | None,
    end: datetime | None,
    limit: int | None,
) -> list[Bar]:
    candles = Candle.objects.filter(instrument=instrument, interval=interval)
    if start is not None:
        candles = candles.filter(timestamp__gte=start)
    if end is not None:
        candles = candles.filter(timestamp__lt=end)
    latest_first = candles.order_by("-timestamp").values_list(*_FIELDS)
    rows = latest_first if limit is None else latest_first[:limit]
    return [Bar(*row) for row in reversed(rows)]


def _upsert(rows: list[_Row]) -> int:
    if connection.vendor == "postgresql":
        return _copy(rows)
    with connection.cursor() as cursor:
        cursor.executemany(_UPSERT_VALUES, [_adapted(row) for row in rows])
        return int(cursor.rowcount)


def _adapted(row: _Row) -> tuple[int | str | None, ...]:
    """Turn values into what SQLite stores, as the ORM would."""
    identity, interval, at, opened, high, low, close, volume, open_interest = row
    moment = connection.ops.adapt_datetimefield_value(at)
    prices = (format(price, ".4f") for price in (opened, high, low, close))
    return (identity, interval, moment, *prices, volume, open_interest)


def _copy(rows: list[_Row]) -> int:
    ensure_months("price_history", [row[2] for row in rows])
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        cursor.execute("TRUNCATE staged_candles")
        with cursor.copy("COPY staged_candles FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(_UPSERT_STAGED)
        return int(cursor.rowcount)
