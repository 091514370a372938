"""Fill the dated tables from the lists this product ships, after every migration.

Rows that are on file are never changed: an operator corrects one by giving it a last day and
adding the next. It also fills a database that a test has emptied.
"""

from pathlib import Path

from django.apps import AppConfig
from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS

from operations.shipped_rows import read_shipped_rows

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
        rows = read_shipped_rows(model, _FOLDER / file_name)
        model._default_manager.using(using).bulk_create(rows, ignore_conflicts=True)
