"""Undo one import: put back exactly what it changed, or refuse in words and change nothing."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper

from market.auction import forget_auction_shares
from market.importing.snapshots import LISTED_MODELS, columns_of
from market.importing.undo import CandleChange, kept_candles, kept_made, kept_parts
from market.models import ImportRun, ImportStatus, Instrument
from market.store import StoredBar, delete_candles, stored_bars, write_bars
from operations.events import publish

_BATCH = 5_000


class UndoRefused(Exception):
    """The import cannot be undone; the message says why."""


def undo(run: ImportRun, *, now: datetime) -> None:
    """Restore what the import replaced and delete what it added.

    :raises UndoRefused: when it is not there to be undone, or later data depends on it.
    """
    with transaction.atomic():
        claimed = ImportRun.objects.filter(pk=run.pk, status=ImportStatus.COMPLETED).update(
            status=ImportStatus.UNDONE
        )
        if not claimed:
            raise UndoRefused("Only an import that is done can be undone, and only once")
        if run.is_list:
            _refuse_later_list(run)
        if not run.undo_parts.exists():
            raise UndoRefused(
                "What this import changed was not kept: lists that are fetched by themselves and "
                "imports from before this was possible cannot be undone"
            )
        if run.is_list:
            _undo_list(run)
        else:
            _undo_prices(run)
        run.undo_parts.all().delete()
        publish("imports", workspace_id=run.workspace_id, subject_id=run.pk, now=now)
    forget_auction_shares()


def _undo_prices(run: ImportRun) -> None:
    for changes in kept_candles(run):
        _refuse_changed_since(changes)
        added = [key for key, before, _ in changes if before is None]
        delete_candles(added)
        write_bars(
            StoredBar(key[0], key[1], before) for key, before, _ in changes if before is not None
        )
    with connection.cursor() as cursor:
        _delete_made(cursor, Instrument, kept_made(run))


def _refuse_changed_since(changes: Sequence[CandleChange]) -> None:
    stored = stored_bars(key for key, _, _ in changes)
    since = [key for key, _, after in changes if stored.get(key) != after]
    if since:
        name = Instrument.objects.filter(pk=since[0][0]).values_list("key", flat=True).first()
        raise UndoRefused(
            f"{len(since):,} of its candles were replaced since, such as those of {name or 'one'}: "
            "undo the later import first"
        )


def _refuse_later_list(run: ImportRun) -> None:
    later = ImportRun.objects.filter(
        kind__endswith="_master", status=ImportStatus.COMPLETED, started_at__gt=run.started_at
    ).order_by("-started_at")
    if newest := later.first():
        raise UndoRefused(
            f"The later list {newest.file_name} of {newest.started_at:%-d %b %Y} builds on it: "
            "undo that one first, or import the right list"
        )


def _undo_list(run: ImportRun) -> None:
    run.missing.clear()
    by_table = {model._meta.db_table: model for model in LISTED_MODELS}
    with connection.cursor() as cursor:
        made: dict[str, list[int]] = {table: [] for table in by_table}
        for body in kept_parts(run):
            made[body["table"]] += body.get("made", [])
            _restore(cursor, by_table[body["table"]], body.get("before", []))
        for table, model in by_table.items():
            _delete_made(cursor, model, made[table])
        for body in kept_parts(run):
            _insert(cursor, by_table[body["table"]], body.get("deleted", []))


def _restore(cursor: CursorWrapper, model: type[models.Model], rows: Iterable[list[Any]]) -> None:
    columns = columns_of(model)[1:]
    sets = ", ".join(f"{name} = %s" for name in columns)
    statement = f"UPDATE {model._meta.db_table} SET {sets} WHERE id = %s"  # noqa: S608
    cursor.executemany(
        statement, [(*map(_parameter, values), identity) for identity, *values in rows]
    )


def _insert(cursor: CursorWrapper, model: type[models.Model], rows: Iterable[list[Any]]) -> None:
    columns = columns_of(model)
    places = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608
    cursor.executemany(statement, [[*map(_parameter, values)] for values in rows])


def _parameter(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _delete_made(cursor: CursorWrapper, model: type[models.Model], ids: Sequence[int]) -> None:
    """:raises UndoRefused: when something else came to refer to one of the rows."""
    cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS undone_rows (id bigint)")
    cursor.execute("DELETE FROM undone_rows")
    cursor.executemany("INSERT INTO undone_rows VALUES (%s)", [(identity,) for identity in ids])
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel):
            continue
        table, column = relation.field.model._meta.db_table, relation.field.column
        cursor.execute(
            f"SELECT COUNT(*) FROM {table} WHERE {column} IN (SELECT id FROM undone_rows)"  # noqa: S608
        )
        (count,) = cursor.fetchone()
        if count:
            names = relation.field.model._meta.verbose_name_plural
            raise UndoRefused(
                f"{count:,} {names} refer to an instrument that this import made: remove them first"
            )
    table = model._meta.db_table
    cursor.execute(f"DELETE FROM {table} WHERE id IN (SELECT id FROM undone_rows)")  # noqa: S608
