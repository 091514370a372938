"""Read the lists this product ships into rows of a table: a column each, empty cells by default."""

import csv
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models

Value = bool | int | float | Decimal | str | date | datetime | None


def read_shipped_rows(model: type[models.Model], path: Path) -> Iterator[models.Model]:
    """Yield an unsaved row for each line; an empty cell is left to the column's default.

    :raises ValidationError: when a cell is no value of its column.
    :raises FieldDoesNotExist: when the list has a column that the table has not.
    """
    columns = {column.name: column for column in model._meta.fields}
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.DictReader(file)
        if strange := set(lines.fieldnames or ()) - set(columns):
            raise FieldDoesNotExist(f"there is no column {', '.join(sorted(strange))}")
        for line in lines:
            yield model(
                **{name: columns[name].to_python(text) for name, text in line.items() if text}
            )


def insert_shipped_rows(model: type[models.Model], path: Path, *, using: str) -> int:
    """Insert a list's rows as fast as the database takes them, and return how many."""
    connection = connections[using]
    columns = tuple(field for field in model._meta.concrete_fields if not field.primary_key)
    rows = _values(model, columns, path, using)
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(field.column)) for field in columns)
    places = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({places})",  # noqa: S608  # names of columns
            rows,
        )
    return len(rows)


# A list never changes under a running process, and every flushed test database is filled again.
@cache
def _values(
    model: type[models.Model],
    columns: tuple["models.Field[object, object]", ...],
    path: Path,
    using: str,
) -> tuple[tuple[Value, ...], ...]:
    connection = connections[using]
    return tuple(
        tuple(field.get_db_prep_save(getattr(row, field.attname), connection) for field in columns)
        for row in read_shipped_rows(model, path)
    )
