"""Read the lists this product ships into rows of a table: a column each, empty cells by default."""

import csv
from collections.abc import Iterator
from pathlib import Path

from django.core.exceptions import FieldDoesNotExist
from django.db import models


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
