"""Let PostgreSQL plan the check of a voucher by the size that the ledger has by then.

A plan kept from when the table was small reads all of an account's lines for each new one.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.apps.registry import Apps

_CHECK = "ALTER FUNCTION refuse_unbalanced(uuid, varchar)"


def plan_afresh(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _alter(schema_editor, "SET plan_cache_mode = force_custom_plan")


def plan_once(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _alter(schema_editor, "RESET plan_cache_mode")


def _alter(schema_editor: BaseDatabaseSchemaEditor, change: str) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"{_CHECK} {change}", params=None)


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0004_keep_position_differences")]

    operations = [migrations.RunPython(plan_afresh, plan_once)]
