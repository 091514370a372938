"""Tell which instrument each row of a broker's list is, whatever the list calls it.

First the broker's lasting id or number, where it can be the same thing; then what a contract is
(exchange, underlying, expiry, strike, kind) or a share's name; then the ISIN. What is left is new.
An instrument is matched once: of strikes that a bonus moves onto one another each keeps its own.
"""

from datetime import date

from django.db.backends.utils import CursorWrapper

# A contract's number is the same contract while its kind stays and one of its other terms moves:
# the strike by a bonus, the underlying's name, or the day by a holiday, and then nothing in the
# list expires on the old one. A share's is the same unless both its ISIN and its name are others.
_SAME_THING = """
    i.exchange = s.exchange AND i.instrument_type = s.instrument_type AND (
        (s.expiry IS NULL AND i.expiry IS NULL
            AND (s.isin = '' OR i.isin IN ('', s.isin) OR i.trading_symbol = s.trading_symbol))
        OR (i.expiry = s.expiry
            AND (i.underlying = s.underlying OR COALESCE(i.strike, 0) = COALESCE(s.strike, 0)))
        OR (i.expiry >= %s AND i.underlying = s.underlying
            AND COALESCE(i.strike, 0) = COALESCE(s.strike, 0)
            AND NOT EXISTS (
                SELECT 1 FROM staged_instruments o
                WHERE o.underlying = i.underlying AND o.expiry = i.expiry
                    AND o.exchange = i.exchange AND o.instrument_type = i.instrument_type
                    AND COALESCE(o.strike, 0) = COALESCE(i.strike, 0))))
"""
_BY_ASSET = """
    UPDATE staged_instruments AS s SET instrument_id = (
        SELECT b.instrument_id FROM broker_instruments b
        WHERE b.broker_type = %s AND b.asset_id = s.asset_id AND b.is_listed
        ORDER BY b.id DESC LIMIT 1)
    WHERE s.asset_id <> ''
"""
_BY_NUMBER = f"""
    UPDATE staged_instruments AS s SET instrument_id = (
        SELECT i.id FROM broker_instruments b JOIN instruments i ON i.id = b.instrument_id
        WHERE b.broker_type = %s AND b.exchange = s.token_exchange AND b.security_id = s.token
            AND b.is_listed AND (s.asset_id = '' OR b.asset_id = '') AND {_SAME_THING}
    ) WHERE s.instrument_id IS NULL
"""  # noqa: S608
# Two numbers of one thing: the one that goes by its name keeps it, else the first.
_ONE_NUMBER_EACH = """
    UPDATE staged_instruments AS s SET instrument_id = NULL
    WHERE instrument_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM staged_instruments o JOIN instruments i ON i.id = o.instrument_id
        WHERE o.instrument_id = s.instrument_id
            AND (CASE WHEN i.trading_symbol = o.trading_symbol THEN 0 ELSE 1 END, o.token)
              < (CASE WHEN i.trading_symbol = s.trading_symbol THEN 0 ELSE 1 END, s.token))
"""
_UNMATCHED = "s.instrument_id IS NULL"
_FREE = """
    NOT EXISTS (SELECT 1 FROM staged_instruments o WHERE o.instrument_id = i.id)
    ORDER BY i.is_active DESC, i.id DESC LIMIT 1
"""
_BY_CONTRACT = f"""
    UPDATE staged_instruments AS s SET instrument_id = (
        SELECT i.id FROM instruments i
        WHERE i.underlying = s.underlying AND i.expiry = s.expiry AND i.exchange = s.exchange
            AND i.instrument_type = s.instrument_type AND i.strike {{strike}} AND {_FREE})
    WHERE {_UNMATCHED} AND s.expiry IS NOT NULL AND s.strike {{kind}}
"""  # noqa: S608
_BY_STRIKE = _BY_CONTRACT.format(strike="= s.strike", kind="IS NOT NULL")
_BY_EXPIRY = _BY_CONTRACT.format(strike="IS NULL", kind="IS NULL")
# An index and a share may share a name. What no list has vouched for yet may be either.
_BY_NAME = f"""
    UPDATE staged_instruments AS s SET instrument_id = (
        SELECT i.id FROM instruments i
        WHERE i.trading_symbol = s.trading_symbol AND i.exchange = s.exchange
            AND i.expiry IS NULL
            AND (i.instrument_type = s.instrument_type OR i.refreshed_on IS NULL) AND {_FREE})
    WHERE {_UNMATCHED} AND s.expiry IS NULL
"""  # noqa: S608
_BY_ISIN = f"""
    UPDATE staged_instruments AS s SET instrument_id = (
        SELECT i.id FROM instruments i
        WHERE i.isin = s.isin AND i.exchange = s.exchange AND i.expiry IS NULL AND {_FREE})
    WHERE {_UNMATCHED} AND s.expiry IS NULL AND s.isin <> '' AND NOT EXISTS (
        SELECT 1 FROM staged_instruments o
        WHERE o.isin = s.isin AND o.exchange = s.exchange AND o.token < s.token
            AND o.instrument_id IS NULL)
"""  # noqa: S608
_TAKEN = f"""
    SELECT s.key FROM staged_instruments s JOIN instruments i ON i.key = s.key WHERE {_UNMATCHED}
"""  # noqa: S608
_MOVED_KEY = f"UPDATE staged_instruments AS s SET key = %s WHERE key = %s AND {_UNMATCHED}"  # noqa: S608
_HAS_KEY = "SELECT 1 FROM instruments WHERE key = %s"


def match_staged(cursor: CursorWrapper, *, broker: str, day: date) -> None:
    """Write into each staged row whose instrument it is; new ones get a key that is free."""
    cursor.execute(_BY_ASSET, [broker])
    cursor.execute(_BY_NUMBER, [broker, day])
    cursor.execute(_ONE_NUMBER_EACH)
    match_by_terms(cursor)


def match_by_terms(cursor: CursorWrapper) -> None:
    """Match what has no instrument yet by what it is; new ones get a key that is free."""
    for statement in (_BY_STRIKE, _BY_EXPIRY, _BY_NAME, _BY_ISIN):
        cursor.execute(statement)
    cursor.execute(_TAKEN)
    for (key,) in cursor.fetchall():
        cursor.execute(_MOVED_KEY, [_free_key(cursor, key), key])


def _free_key(cursor: CursorWrapper, key: str) -> str:
    """Another instrument had the key first, and is called otherwise by now: count on."""
    number = 2
    while True:
        cursor.execute(_HAS_KEY, [f"{key}@{number}"])
        if cursor.fetchone() is None:
            return f"{key}@{number}"
        number += 1
