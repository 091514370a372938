"""Write a broker's instrument master in one short transaction of set statements.

The file is parsed before; here its rows go to a temporary table, and from there to instruments,
to the broker's numbers and to the dated terms. A row that says nothing new is not written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from market.auction import forget_auction_shares
from market.importing.rows import Listed

_STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS staged_instruments (
        key varchar(120), trading_symbol varchar(100), name varchar(200), exchange varchar(10),
        segment varchar(10), instrument_type varchar(10), lot_size integer,
        tick_size decimal(15, 4), expiry date, strike decimal(15, 4), option_type varchar(2),
        underlying varchar(100), token_exchange varchar(20), token varchar(50),
        broker_symbol varchar(100)
    )
"""
_FILL = """
    INSERT INTO staged_instruments
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS staged_instruments_key ON staged_instruments (key)"
# What held until now is dated to the day it was last confirmed, unless it is dated already.
_OLD_TERMS = """
    INSERT INTO instrument_terms
        (instrument_id, effective_from, lot_size, tick_size, freeze_quantity)
    SELECT i.id, i.refreshed_on, i.lot_size, i.tick_size, i.freeze_quantity
    FROM staged_instruments s JOIN instruments i ON i.key = s.key
    WHERE (i.lot_size, i.tick_size) <> (s.lot_size, s.tick_size) AND i.refreshed_on < %s
        AND NOT EXISTS (SELECT 1 FROM instrument_terms t WHERE t.instrument_id = i.id)
"""
_NEW_TERMS = """
    INSERT INTO instrument_terms
        (instrument_id, effective_from, lot_size, tick_size, freeze_quantity)
    SELECT i.id, %s, s.lot_size, s.tick_size, i.freeze_quantity
    FROM staged_instruments s JOIN instruments i ON i.key = s.key
    WHERE (i.lot_size, i.tick_size) <> (s.lot_size, s.tick_size) AND i.refreshed_on IS NOT NULL
    ON CONFLICT (instrument_id, effective_from) DO UPDATE SET
        lot_size = excluded.lot_size, tick_size = excluded.tick_size
"""
_INSTRUMENTS = """
    INSERT INTO instruments
        (key, trading_symbol, name, exchange, segment, instrument_type, lot_size, tick_size,
         expiry, strike, option_type, underlying, isin, currency, metadata, is_active,
         refreshed_on, created_at, updated_at)
    SELECT key, trading_symbol, name, exchange, segment, instrument_type, lot_size, tick_size,
        expiry, strike, option_type, underlying, '', 'INR', '{}', TRUE, %s, %s, %s
    FROM staged_instruments WHERE TRUE
    ON CONFLICT (key) DO UPDATE SET
        name = excluded.name, segment = excluded.segment,
        instrument_type = excluded.instrument_type, lot_size = excluded.lot_size,
        tick_size = excluded.tick_size, expiry = excluded.expiry, strike = excluded.strike,
        option_type = excluded.option_type, underlying = excluded.underlying,
        is_active = TRUE, refreshed_on = excluded.refreshed_on, updated_at = excluded.updated_at
    WHERE (instruments.name, instruments.segment, instruments.instrument_type,
           instruments.lot_size, instruments.tick_size, instruments.option_type,
           instruments.underlying, instruments.is_active,
           COALESCE(instruments.expiry, '1900-01-01'), COALESCE(instruments.strike, 0))
       <> (excluded.name, excluded.segment, excluded.instrument_type,
           excluded.lot_size, excluded.tick_size, excluded.option_type,
           excluded.underlying, TRUE,
           COALESCE(excluded.expiry, '1900-01-01'), COALESCE(excluded.strike, 0))
"""
# What only a price file knows has no ``refreshed_on``: no master vouches for its lot and tick.
_UNLISTED = """
    INSERT INTO instruments
        (key, trading_symbol, name, exchange, segment, instrument_type, lot_size, tick_size,
         expiry, strike, option_type, underlying, isin, currency, metadata, is_active,
         created_at, updated_at)
    SELECT key, trading_symbol, name, exchange, segment, instrument_type, lot_size, tick_size,
        expiry, strike, option_type, underlying, '', 'INR', '{}', TRUE, %s, %s
    FROM staged_instruments WHERE TRUE
    ON CONFLICT (key) DO NOTHING
"""
_CONFIRM = """
    UPDATE instruments SET refreshed_on = %s
    WHERE key IN (SELECT key FROM staged_instruments)
        AND COALESCE(refreshed_on, '1900-01-01') <> %s
"""
_TOKENS = """
    INSERT INTO broker_instruments
        (instrument_id, broker_type, exchange, security_id, broker_symbol)
    SELECT i.id, %s, s.token_exchange, s.token, s.broker_symbol
    FROM staged_instruments s JOIN instruments i ON i.key = s.key WHERE TRUE
    ON CONFLICT (broker_type, exchange, security_id) DO UPDATE SET
        instrument_id = excluded.instrument_id, broker_symbol = excluded.broker_symbol
    WHERE (broker_instruments.instrument_id, broker_instruments.broker_symbol)
       <> (excluded.instrument_id, excluded.broker_symbol)
"""


@dataclass(frozen=True, slots=True)
class Written:
    """How many of the rows told something new, and how many nothing."""

    changed: int
    unchanged: int
    made: tuple[str, ...] = ()


def write_master(
    listed: Sequence[Listed], *, broker_type: str, now: datetime, day: date
) -> Written:
    """Store instruments, their broker's numbers, and the terms that changed as from ``day``.

    Keys and numbers must each come once; the importer has left repetitions out.
    """
    stamp = connection.ops.adapt_datetimefield_value(now)
    with transaction.atomic(), connection.cursor() as cursor:
        _stage(cursor, listed)
        cursor.execute(_OLD_TERMS, [day])
        cursor.execute(_NEW_TERMS, [day])
        cursor.execute(_INSTRUMENTS, [day, stamp, stamp])
        changed = cursor.rowcount
        cursor.execute(_CONFIRM, [day, day])
        cursor.execute(_TOKENS, [broker_type])
        cursor.execute("DELETE FROM staged_instruments")
    forget_auction_shares()
    return Written(changed, len(listed) - changed)


def write_unlisted(listed: Sequence[Listed], *, now: datetime) -> None:
    """Make instruments that no master has listed yet; those that are there stay as they are."""
    stamp = connection.ops.adapt_datetimefield_value(now)
    with transaction.atomic(), connection.cursor() as cursor:
        _stage(cursor, listed)
        cursor.execute(_UNLISTED, [stamp, stamp])
        cursor.execute("DELETE FROM staged_instruments")


def _stage(cursor: CursorWrapper, listed: Sequence[Listed]) -> None:
    cursor.execute(_STAGE)
    cursor.execute(_INDEX)
    cursor.execute("DELETE FROM staged_instruments")
    if connection.vendor == "postgresql":
        with cursor.copy("COPY staged_instruments FROM STDIN") as copy:
            for row in listed:
                copy.write_row(row)
        cursor.execute("ANALYZE staged_instruments")
    else:
        cursor.executemany(_FILL, listed)
