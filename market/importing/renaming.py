"""Take over what a broker's list now calls an instrument that it called otherwise before.

The instrument keeps its key and its rows; its names stand in a dated table. A name is taken over
only where the broker itself has changed its own: brokers lag behind one another by days, and one
that still writes the old name changes nothing.
"""

from datetime import date, datetime, timedelta

from django.db.backends.utils import CursorWrapper

_STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS renamed_instruments (
        instrument_id bigint, old_name varchar(100), new_name varchar(100)
    )
"""
# A share is renamed where the broker's own symbol is another; a contract where its terms are.
_RENAMED = """
    INSERT INTO renamed_instruments (instrument_id, old_name, new_name)
    SELECT i.id, i.trading_symbol, s.trading_symbol
    FROM staged_instruments s JOIN instruments i ON i.id = s.instrument_id
    WHERE i.trading_symbol <> s.trading_symbol AND EXISTS (
        SELECT 1 FROM broker_instruments b
        WHERE b.broker_type = %s AND b.instrument_id = i.id AND b.is_listed
            AND (s.expiry IS NOT NULL OR b.broker_symbol <> s.broker_symbol))
"""
_FIRST_NAMES = """
    INSERT INTO instrument_names (instrument_id, name)
    SELECT r.instrument_id, r.old_name FROM renamed_instruments r
    WHERE NOT EXISTS (SELECT 1 FROM instrument_names n WHERE n.instrument_id = r.instrument_id)
"""
_OF_RENAMED = "instrument_id IN (SELECT instrument_id FROM renamed_instruments)"
# Renamed twice on one day: the name between was of no day.
_NAMES_OF_NO_DAY = f"DELETE FROM instrument_names WHERE effective_from = %s AND {_OF_RENAMED}"  # noqa: S608
_OLD_NAMES = f"""
    UPDATE instrument_names SET effective_to = %s WHERE effective_to IS NULL AND {_OF_RENAMED}
"""  # noqa: S608
_NEW_NAMES = """
    INSERT INTO instrument_names (instrument_id, name, effective_from)
    SELECT instrument_id, new_name, %s FROM renamed_instruments
"""
_TAKEN_OVER = """
    UPDATE instruments AS i SET
        trading_symbol = s.trading_symbol, expiry = s.expiry, strike = s.strike,
        option_type = s.option_type, underlying = s.underlying, updated_at = %s
    FROM staged_instruments s
    WHERE s.instrument_id = i.id
        AND i.id IN (SELECT instrument_id FROM renamed_instruments)
"""
# The paper broker has its own row of what it trades, and settles by its strike and expiry.
_AT_THE_PAPER_BROKER = """
    UPDATE paper_contracts AS p SET
        trading_symbol = i.trading_symbol, expiry = i.expiry, strike = i.strike,
        lot_size = i.lot_size
    FROM instruments i
    WHERE i.key = p.key AND i.id IN (SELECT instrument_id FROM renamed_instruments)
"""


def rename_staged(
    cursor: CursorWrapper, *, broker: str, day: date, stamp: str | datetime | None
) -> None:
    """Rename, as from the day, what the staged list calls otherwise."""
    cursor.execute(_STAGE)
    cursor.execute("DELETE FROM renamed_instruments")
    cursor.execute(_RENAMED, [broker])
    if not cursor.rowcount:
        return
    cursor.execute(_FIRST_NAMES)
    cursor.execute(_NAMES_OF_NO_DAY, [day])
    cursor.execute(_OLD_NAMES, [day - timedelta(days=1)])
    cursor.execute(_NEW_NAMES, [day])
    cursor.execute(_TAKEN_OVER, [stamp])
    cursor.execute(_AT_THE_PAPER_BROKER)
