from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import OuterRef, Subquery


def copy_days(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Until a broker's next list, its numbers are as old as their instrument's last list."""
    numbers = apps.get_model("market", "BrokerInstrument")
    instruments = apps.get_model("market", "Instrument").objects.filter(pk=OuterRef("instrument"))
    numbers.objects.filter(refreshed_on=None).update(
        refreshed_on=Subquery(instruments.values("refreshed_on")[:1])
    )


class Migration(migrations.Migration):

    dependencies = [
        ("market", "0004_date_brokers_numbers"),
    ]

    operations = [
        migrations.RunPython(copy_days, migrations.RunPython.noop),
    ]
