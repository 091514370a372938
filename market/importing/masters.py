"""Write a broker's instrument master in one short transaction of set statements.

While the file is parsed its rows go to a temporary table, which holds no lock; from there, all or
nothing, to instruments, to the broker's numbers and to the dated terms. A row that says nothing
new is not written. What the broker no longer lists keeps its row, marked so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from market.auction import forget_auction_shares
from market.importing.losses import Edition, ask_about_losses, delist_losses
from market.importing.matching import match_by_terms, match_staged
from market.importing.renaming import rename_staged
from market.importing.rows import Listed
from market.importing.snapshots import keep_differences, take_snapshot
from market.models import ImportRun, ImportUndo

_STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS staged_instruments (
        key varchar(120), trading_symbol varchar(100), name varchar(200), exchange varchar(10),
        segment varchar(10), instrument_type varchar(10), lot_size integer,
        tick_size decimal(15, 4), expiry date, strike decimal(15, 4), option_type varchar(2),
        underlying varchar(100), token_exchange varchar(20), token varchar(50),
        broker_symbol varchar(120), isin varchar(12), asset_id varchar(40),
        instrument_id bigint
    )
"""
_COLUMNS = ", ".join(Listed._fields)
_FILL = f"""
    INSERT INTO staged_instruments ({_COLUMNS})
    VALUES ({", ".join(["%s"] * len(Listed._fields))})
"""  # noqa: S608
_INDEX = "CREATE INDEX IF NOT EXISTS staged_instruments_key ON staged_instruments (key)"
_INSTRUMENT_INDEX = """
    CREATE INDEX IF NOT EXISTS staged_instruments_instrument ON staged_instruments (instrument_id)
"""
_NUMBER_INDEX = """
    CREATE INDEX IF NOT EXISTS staged_instruments_token
    ON staged_instruments (token_exchange, token)
"""
# What held until now is dated to the day it was last confirmed, unless it is dated already.
_OLD_TERMS = """
    INSERT INTO instrument_terms
        (instrument_id, effective_from, lot_size, tick_size, freeze_quantity)
    SELECT i.id, i.refreshed_on, i.lot_size, i.tick_size, i.freeze_quantity
    FROM staged_instruments s JOIN instruments i ON i.id = s.instrument_id
    WHERE (i.lot_size, i.tick_size) <> (s.lot_size, s.tick_size) AND i.refreshed_on < %s
        AND NOT EXISTS (SELECT 1 FROM instrument_terms t WHERE t.instrument_id = i.id)
"""
_NEW_TERMS = """
    INSERT INTO instrument_terms
        (instrument_id, effective_from, lot_size, tick_size, freeze_quantity)
    SELECT i.id, %s, s.lot_size, s.tick_size, i.freeze_quantity
    FROM staged_instruments s JOIN instruments i ON i.id = s.instrument_id
    WHERE (i.lot_size, i.tick_size) <> (s.lot_size, s.tick_size) AND i.refreshed_on IS NOT NULL
    ON CONFLICT (instrument_id, effective_from) DO UPDATE SET
        lot_size = excluded.lot_size, tick_size = excluded.tick_size
"""
_MADE = """
    INSERT INTO instruments
        (key, trading_symbol, name, exchange, segment, instrument_type, lot_size, tick_size,
         expiry, strike, option_type, underlying, isin, currency, metadata, is_active,
         refreshed_on, created_at, updated_at)
    SELECT key, trading_symbol, name, exchange, segment, instrument_type, lot_size, tick_size,
        expiry, strike, option_type, underlying, isin,
        CASE segment WHEN 'US_EQ' THEN 'USD' ELSE 'INR' END, '{}', TRUE, %s, %s, %s
    FROM staged_instruments WHERE instrument_id IS NULL
"""
_CHANGED = """
    UPDATE instruments AS i SET
        name = s.name, segment = s.segment, instrument_type = s.instrument_type,
        lot_size = s.lot_size, tick_size = s.tick_size,
        isin = CASE s.isin WHEN '' THEN i.isin ELSE s.isin END,
        is_active = TRUE, refreshed_on = %s, updated_at = %s
    FROM staged_instruments s
    WHERE s.instrument_id = i.id
        AND ((i.name, i.segment, i.instrument_type, i.lot_size, i.tick_size, i.is_active)
           <> (s.name, s.segment, s.instrument_type, s.lot_size, s.tick_size, TRUE)
         OR (s.isin <> '' AND i.isin <> s.isin))
"""
_IDENTIFIED = """
    UPDATE staged_instruments SET instrument_id = (
        SELECT i.id FROM instruments i WHERE i.key = staged_instruments.key)
    WHERE instrument_id IS NULL
"""
# What only a price file knows has no ``refreshed_on``: no master vouches for its lot and tick.
_UNLISTED = """
    INSERT INTO instruments
        (key, trading_symbol, name, exchange, segment, instrument_type, lot_size, tick_size,
         expiry, strike, option_type, underlying, isin, currency, metadata, is_active,
         created_at, updated_at)
    SELECT key, trading_symbol, name, exchange, segment, instrument_type, lot_size, tick_size,
        expiry, strike, option_type, underlying, '',
        CASE segment WHEN 'US_EQ' THEN 'USD' ELSE 'INR' END, '{}', TRUE, %s, %s
    FROM staged_instruments WHERE instrument_id IS NULL
    ON CONFLICT (key) DO NOTHING
"""
_CONFIRM = """
    UPDATE instruments SET refreshed_on = %s
    WHERE id IN (SELECT instrument_id FROM staged_instruments)
        AND COALESCE(refreshed_on, '1900-01-01') <> %s
"""
_TOKENS = """
    INSERT INTO broker_instruments
        (instrument_id, broker_type, exchange, security_id, broker_symbol, asset_id, refreshed_on,
         is_listed)
    SELECT instrument_id, %s, token_exchange, token, broker_symbol, asset_id, %s, TRUE
    FROM staged_instruments WHERE TRUE
    ON CONFLICT (broker_type, exchange, security_id) DO UPDATE SET
        instrument_id = excluded.instrument_id, broker_symbol = excluded.broker_symbol,
        asset_id = excluded.asset_id, refreshed_on = excluded.refreshed_on, is_listed = TRUE
    WHERE (broker_instruments.instrument_id, broker_instruments.broker_symbol,
           broker_instruments.asset_id, broker_instruments.is_listed,
           COALESCE(broker_instruments.refreshed_on, '1900-01-01'))
       <> (excluded.instrument_id, excluded.broker_symbol, excluded.asset_id, TRUE,
           excluded.refreshed_on)
"""
_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Written:
    """How many of the rows told something new, and how many nothing."""

    changed: int
    unchanged: int
    made: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The ids of instruments by the words asked for (``broker_symbol``), and the keys made."""

    ids: dict[str, int]
    made: list[str]


def stage_master(listed: Iterable[Listed]) -> int:
    """Lay rows ready for :func:`write_staged` and return how many. Holds few of them in memory.

    Keys and numbers must each come once; the importer has left repetitions out.
    """
    with connection.cursor() as cursor:
        _clear_stage(cursor)
        rows, staged = iter(listed), 0
        while batch := list(islice(rows, _BATCH)):
            _fill(cursor, batch)
            staged += len(batch)
    return staged


def write_staged(edition: Edition, *, run: ImportRun, staged: int, now: datetime) -> Written:
    """Store instruments, their broker's numbers, and the terms that changed as from the day.

    What the last list had and this one lacks stays listed, and is kept as the run's ``missing``
    until a person agrees: see :mod:`market.importing.losses`.

    :raises NeedsAnswer: when too much of the broker's last list is missing.
    """
    stamp = connection.ops.adapt_datetimefield_value(now)
    day, broker = edition.day, edition.broker_type
    with transaction.atomic(), connection.cursor() as cursor:
        match_staged(cursor, broker=broker, day=day)
        ask_about_losses(cursor, edition)
        if edition.can_undo:
            take_snapshot(cursor)
        cursor.execute(_OLD_TERMS, [day])
        cursor.execute(_NEW_TERMS, [day])
        rename_staged(cursor, broker=broker, day=day, stamp=stamp)
        cursor.execute(_CHANGED, [day, stamp])
        changed = cursor.rowcount
        cursor.execute(_MADE, [day, stamp, stamp])
        changed += cursor.rowcount
        cursor.execute(_IDENTIFIED)
        cursor.execute(_CONFIRM, [day, day])
        cursor.execute(_TOKENS, [broker, day])
        delist_losses(cursor, run, edition, stamp=stamp)
        cursor.execute("DELETE FROM staged_instruments")
        if edition.can_undo:
            keep_differences(run, cursor)
        else:  # No list before one that cannot be undone can be, either.
            ImportUndo.objects.filter(run__kind__endswith="_master").delete()
    forget_auction_shares()
    return Written(changed, staged - changed)


def write_unlisted(listed: Sequence[Listed], *, now: datetime) -> Found:
    """Find instruments, and make those that no master has listed yet.

    Those that are there stay as they are, whatever they are called by now.
    """
    stamp = connection.ops.adapt_datetimefield_value(now)
    with transaction.atomic(), connection.cursor() as cursor:
        _clear_stage(cursor)
        _fill(cursor, listed)
        match_by_terms(cursor)
        cursor.execute("SELECT key FROM staged_instruments WHERE instrument_id IS NULL")
        made = [key for (key,) in cursor.fetchall()]
        cursor.execute(_UNLISTED, [stamp, stamp])
        cursor.execute(_IDENTIFIED)
        cursor.execute("SELECT broker_symbol, instrument_id FROM staged_instruments")
        ids = dict(cursor.fetchall())
        cursor.execute("DELETE FROM staged_instruments")
    return Found(ids, made)


def _clear_stage(cursor: CursorWrapper) -> None:
    cursor.execute(_STAGE)
    cursor.execute(_INDEX)
    cursor.execute(_NUMBER_INDEX)
    cursor.execute(_INSTRUMENT_INDEX)
    cursor.execute("DELETE FROM staged_instruments")


def _fill(cursor: CursorWrapper, listed: Sequence[Listed]) -> None:
    if connection.vendor == "postgresql":
        with cursor.copy(f"COPY staged_instruments ({_COLUMNS}) FROM STDIN") as copy:
            for row in listed:
                copy.write_row(row)
        cursor.execute("ANALYZE staged_instruments")
    else:
        with transaction.atomic():  # else every row would be a transaction of its own
            cursor.executemany(_FILL, listed)
