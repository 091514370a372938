from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from market.partitions import partition_by_month


def partition(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Candles and ticks grow without end: on PostgreSQL they are kept by month."""
    partition_by_month(schema_editor, "price_history")
    partition_by_month(schema_editor, "ticks")


class Migration(migrations.Migration):
    dependencies = [("market", "0001_initial")]

    # A partitioned table serves as a plain one, so there is nothing to take back.
    operations = [migrations.RunPython(partition, migrations.RunPython.noop)]
