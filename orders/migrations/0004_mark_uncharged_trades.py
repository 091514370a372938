"""A trade without any charge was booked without rates: say so, on the trade and on its day."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Count

_CHARGES = (
    "brokerage",
    "exchange_charges",
    "clearing_charges",
    "sebi_fee",
    "stt",
    "stamp_duty",
    "gst",
)


def mark(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    trades = apps.get_model("orders", "Trade").objects.filter(**dict.fromkeys(_CHARGES, 0))
    sessions = apps.get_model("portfolio", "TradingSession").objects
    trades.update(charges_known=False)
    for day in trades.order_by().values("account_id", "session_date").annotate(fills=Count("pk")):
        sessions.filter(account_id=day["account_id"], session_date=day["session_date"]).update(
            uncharged_fills=day["fills"]
        )


def unmark(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("orders", "Trade").objects.update(charges_known=True)
    apps.get_model("portfolio", "TradingSession").objects.update(uncharged_fills=0)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0003_trade_charges_known"),
        ("portfolio", "0003_count_fills_without_charges"),
    ]

    operations = [migrations.RunPython(mark, unmark)]
