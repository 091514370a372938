"""The tables that an instrument list changes, compared before and after, for the list's undo."""

from collections.abc import Sequence

from django.db import connection, models
from django.db.backends.utils import CursorWrapper

from brokers.models import PaperContract
from market.importing.undo import keep_part
from market.models import (
    BrokerInstrument,
    ImportRun,
    Instrument,
    InstrumentName,
    InstrumentTerms,
)

# In the order in which what was made can be deleted again.
LISTED_MODELS: tuple[type[models.Model], ...] = (
    InstrumentTerms,
    InstrumentName,
    BrokerInstrument,
    PaperContract,
    Instrument,
)
_BATCH = 5_000


def take_snapshot(cursor: CursorWrapper) -> None:
    """Copy the tables aside, as they are before a list is written."""
    for model in LISTED_MODELS:
        table = model._meta.db_table
        cursor.execute(f"DROP TABLE IF EXISTS {_aside(table)}")
        cursor.execute(f"CREATE TEMPORARY TABLE {_aside(table)} AS SELECT * FROM {table}")  # noqa: S608
        cursor.execute(f"CREATE INDEX {_aside(table)}_id ON {_aside(table)} (id)")


def keep_differences(run: ImportRun, cursor: CursorWrapper) -> None:
    """Keep for the run's undo which rows were made, and as they were those changed or deleted."""
    for model in LISTED_MODELS:
        table, columns = model._meta.db_table, columns_of(model)
        cursor.execute(
            f"SELECT x.id FROM {table} x LEFT JOIN {_aside(table)} b ON b.id = x.id "  # noqa: S608
            "WHERE b.id IS NULL"
        )
        while rows := cursor.fetchmany(_BATCH):
            keep_part(run, {"table": table, "made": [row[0] for row in rows]})
        cursor.execute(_changed(table, columns))
        while rows := cursor.fetchmany(_BATCH):
            keep_part(run, {"table": table, "before": [list(row) for row in rows]})
        cursor.execute(_deleted(table, columns))
        while rows := cursor.fetchmany(_BATCH):
            keep_part(run, {"table": table, "deleted": [list(row) for row in rows]})
        cursor.execute(f"DROP TABLE {_aside(table)}")


def columns_of(model: type[models.Model]) -> list[str]:
    """Return the columns in the order in which a row is kept: the id first."""
    names = [str(field.column) for field in model._meta.concrete_fields]
    return ["id", *(name for name in names if name != "id")]


def _changed(table: str, columns: Sequence[str]) -> str:
    differ = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    before, now = (", ".join(f"{side}.{name}" for name in columns) for side in "bx")
    return (
        f"SELECT {before} FROM {_aside(table)} b JOIN {table} x ON x.id = b.id "  # noqa: S608
        f"WHERE ({before}) {differ} ({now})"
    )


def _deleted(table: str, columns: Sequence[str]) -> str:
    before = ", ".join(f"b.{name}" for name in columns)
    return (
        f"SELECT {before} FROM {_aside(table)} b LEFT JOIN {table} x ON x.id = b.id "  # noqa: S608
        "WHERE x.id IS NULL"
    )


def _aside(table: str) -> str:
    return f"before_{table}"
