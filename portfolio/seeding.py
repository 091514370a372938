"""Fill the dated tables from the lists this product ships, after every migration.

Rows that are on file are never changed: an operator corrects one by giving it a last day and
adding the next. It also fills a database that a test has emptied.
"""

import csv
from pathlib import Path

from django.apps import AppConfig
from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS, models

_FOLDER = Path(__file__).parent


def add_shipped_rows(
    sender: AppConfig,
    *,
    using: str = DEFAULT_DB_ALIAS,
    apps: Apps = installed_apps,
    **signal: object,
) -> None:
    """Write what the shipped lists have and the tables have not."""
    for name, file_name in (
        ("ChargeRate", "charge_rates.csv"),
        ("SquareOffTime", "square_off_times.csv"),
    ):
        try:
            model = apps.get_model(sender.label, name)
        except LookupError:  # migrated back to before the table
            continue
        rows = [_row_of(model, row) for row in _shipped(file_name)]
        model._default_manager.using(using).bulk_create(rows, ignore_conflicts=True)


def _row_of(model: type[models.Model], row: dict[str, str]) -> models.Model:
    """Leave an empty cell to the column's default: no last day, no cap, both sides."""
    columns = {column.name: column for column in model._meta.fields}
    return model(**{name: columns[name].to_python(text) for name, text in row.items() if text})


def _shipped(name: str) -> list[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
