from django.db import migrations

from operations.configuration import INITIAL_SETTINGS


def create_settings(apps, schema_editor):
    setting = apps.get_model("operations", "Setting")
    for initial in INITIAL_SETTINGS:
        setting.objects.get_or_create(
            key=initial.key,
            defaults={
                "value": initial.value,
                "data_type": initial.data_type,
                "category": initial.category,
                "description": initial.description,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("operations", "0001_initial")]

    operations = [migrations.RunPython(create_settings, migrations.RunPython.noop)]
