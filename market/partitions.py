"""Month partitions of the tables that grow with time; PostgreSQL only, nothing elsewhere.

Every partitioned table has a default partition, so that a row written past this module is kept.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import connection
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.utils import CursorWrapper

# Makes two writers that need the same new month take turns; any constant of our own will do.
_LOCK = 7_203_411


def ensure_months(table: str, moments: Iterable[datetime]) -> None:
    """Create the partitions that rows of these moments (UTC months) go to."""
    if connection.vendor != "postgresql":
        return
    months = {(moment.year, moment.month) for moment in _in_utc(moments)}
    with connection.cursor() as cursor:
        missing = [month for month in sorted(months) if not _exists(cursor, table, month)]
        if missing and _is_partitioned(cursor, table):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            for month in missing:
                _create_month(cursor, table, month)


def partition_by_month(schema_editor: BaseDatabaseSchemaEditor, table: str) -> None:
    """Turn a plain table into one partitioned by ``timestamp``, keeping its rows and foreign keys.

    The primary key becomes (id, timestamp): PostgreSQL wants the partition key in every key.
    """
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        keys, indexes = _definitions(cursor, table)
        cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_plain")
        cursor.execute(
            f"CREATE TABLE {table} (LIKE {table}_plain INCLUDING DEFAULTS INCLUDING IDENTITY) "
            f"PARTITION BY RANGE (timestamp)"
        )
        cursor.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
        _move_rows(cursor, table)
        cursor.execute(f"DROP TABLE {table}_plain")
        cursor.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id, timestamp)")
        for name, definition in keys:
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        for definition in indexes:
            cursor.execute(definition)


def _in_utc(moments: Iterable[datetime]) -> Iterable[datetime]:
    return (moment.astimezone(UTC) for moment in moments)


def _name(table: str, month: tuple[int, int]) -> str:
    return f"{table}_{month[0]:04d}_{month[1]:02d}"


def _exists(cursor: CursorWrapper, table: str, month: tuple[int, int]) -> bool:
    cursor.execute("SELECT to_regclass(%s)", [_name(table, month)])
    return cursor.fetchone()[0] is not None


def _is_partitioned(cursor: CursorWrapper, table: str) -> bool:
    cursor.execute("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(%s)", [table])
    found = cursor.fetchone()
    return bool(found and found[0])


def _create_month(cursor: CursorWrapper, table: str, month: tuple[int, int]) -> None:
    if _exists(cursor, table, month):
        return
    year, number = month
    first = datetime(year, number, 1, tzinfo=UTC)
    after = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    cursor.execute(
        f"SELECT EXISTS (SELECT FROM {table}_default "  # noqa: S608
        f"WHERE timestamp >= %s AND timestamp < %s)",
        [first, after],
    )
    if cursor.fetchone()[0]:
        return  # That month began in the default partition, and stays there.
    cursor.execute(
        f"CREATE TABLE {_name(table, month)} PARTITION OF {table} "
        f"FOR VALUES FROM ('{first.isoformat()}') TO ('{after.isoformat()}')"
    )


def _definitions(cursor: CursorWrapper, table: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the table's constraints and plain indexes, without its primary key."""
    cursor.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = %s::regclass AND contype <> 'p' AND contype <> 'n' ORDER BY contype",
        [table],
    )
    keys = list(cursor.fetchall())
    cursor.execute(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index LEFT JOIN pg_constraint "
        "ON conindid = indexrelid WHERE indrelid = %s::regclass AND pg_constraint.oid IS NULL",
        [table],
    )
    return keys, [row[0] for row in cursor.fetchall()]


def _move_rows(cursor: CursorWrapper, table: str) -> None:
    cursor.execute(
        f"SELECT DISTINCT date_trunc('month', timestamp AT TIME ZONE 'UTC') "  # noqa: S608
        f"FROM {table}_plain"
    )
    for (month,) in cursor.fetchall():
        _create_month(cursor, table, (month.year, month.month))
    cursor.execute(f"INSERT INTO {table} SELECT * FROM {table}_plain")  # noqa: S608
    cursor.execute(
        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), "  # noqa: S608
        f"(SELECT coalesce(max(id), 0) + 1 FROM {table}), false)"
    )
