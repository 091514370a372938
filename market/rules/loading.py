"""Fill the dated tables from the lists beside this file, after every migration or by command.

A list is the whole truth about its own rows: they are replaced by it. Rows that an operator
added stay.
"""

from pathlib import Path

from django.apps import AppConfig
from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import DEFAULT_DB_ALIAS, models, transaction

from market.overrides import announce_rules
from operations.shipped_rows import insert_shipped_rows, read_shipped_rows

_FOLDER = Path(__file__).parent
# Each list, by its file's name, and the model that keeps it.
LISTS = {
    "sessions": "SessionRule",
    "holidays": "HolidayRule",
    "ticks": "TickRule",
    "expiries": "ExpiryRule",
    "square_off": "SquareOffRule",
    "freeze": "FreezeRule",
    "lots": "LotRule",
    "symbols": "SymbolRule",
}


class RulesRefused(Exception):
    """A list of an operator's cannot be read; the message says why."""


def load_shipped_rules(
    sender: AppConfig,
    *,
    using: str = DEFAULT_DB_ALIAS,
    apps: Apps = installed_apps,
    **signal: object,
) -> dict[str, int]:
    """Replace the shipped rows of every table and return how many each has."""
    counts = {}
    with transaction.atomic(using=using):
        for name, model_name in LISTS.items():
            try:
                model = apps.get_model(sender.label, model_name)
            except LookupError:  # migrated back to before the table
                continue
            model._default_manager.using(using).filter(is_shipped=True).delete()
            counts[name] = insert_shipped_rows(model, list_path(name), using=using)
    announce_rules()
    return counts


@transaction.atomic
def add_rules(name: str, path: Path) -> int:
    """Add an operator's rows, of the columns of the shipped list, and return how many.

    :raises RulesRefused: when the file does not fit the table.
    """
    model: type[models.Model] = installed_apps.get_model("market", LISTS[name])
    try:
        rows = list(read_shipped_rows(model, path))
        for row in rows:
            row.is_shipped = False  # type: ignore[attr-defined]
            row.full_clean()
    except (OSError, UnicodeDecodeError, ValidationError, FieldDoesNotExist) as error:
        raise RulesRefused(f"{path.name} is no list of {name}: {error}") from error
    announce_rules()
    return len(model._default_manager.bulk_create(rows))


def list_path(name: str) -> Path:
    return _FOLDER / f"{name}.csv"
