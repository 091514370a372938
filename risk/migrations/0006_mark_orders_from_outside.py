"""Mark what the broker's own app has placed and is still held against the limits."""

from django.db import migrations


def mark(apps, schema_editor):
    outside = apps.get_model("orders", "Order").objects.filter(source="EXTERNAL")
    apps.get_model("risk", "Reservation").objects.filter(
        order_id__in=outside.values("pk")
    ).update(is_outside=True)


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0002_initial"),
        ("risk", "0005_count_each_stop_by_itself"),
    ]

    # Undone, the column goes with what is marked in it.
    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
