"""Put the built-in strategies into the catalogue."""

from django.db import migrations

LARGE_CAPS = ["NSE:RELIANCE", "NSE:TCS", "NSE:INFY", "NSE:HDFCBANK", "NSE:ICICIBANK"]

BUILT_IN = [
    {
        "slug": "price_threshold",
        "name": "Price threshold",
        "description": (
            "Buys when a candle closes above one price and sells when one closes below another. "
            "The prices are given in rupees for one instrument, or in per cent of the day's open "
            "for any number of them. If you allow it, it also sells short below the lower price "
            "and buys back above the upper one."
        ),
        "category": "Momentum",
        "risk_level": "Medium",
        "min_capital": "10000",
        "symbols": LARGE_CAPS[:1],
        "parameters": {
            "measure": "percent",
            "buy_threshold": "0.5",
            "sell_threshold": "-0.5",
            "allow_short": False,
        },
    },
    {
        "slug": "price_breakout",
        "name": "Price breakout",
        "description": (
            "Follows a price out of its range: buys when a candle closes above the highest high "
            "of the last candles, and sells when one closes below the lowest low of a shorter "
            "run of them. It gains in a trend and loses a little, often, in a market without one."
        ),
        "category": "Trend following",
        "risk_level": "Medium",
        "min_capital": "25000",
        "symbols": LARGE_CAPS,
        "parameters": {
            "entry_bars": 20,
            "exit_bars": 10,
            "buffer_percent": "0",
            "allow_short": False,
        },
    },
    {
        "slug": "rsi_dmi",
        "name": "RSI with DMI",
        "description": (
            "Buys a recovery: the RSI was oversold a short while ago and is rising, buyers lead "
            "(+DI above −DI) and the ADX says that there is a trend. Sells when the RSI is "
            "overbought or sellers take the lead."
        ),
        "category": "Mean reversion",
        "risk_level": "High",
        "min_capital": "25000",
        "symbols": LARGE_CAPS[:3],
        "parameters": {
            "rsi_period": 14,
            "rsi_oversold": "30",
            "rsi_overbought": "70",
            "dmi_period": 14,
            "adx_minimum": "20",
            "memory": 10,
            "allow_short": False,
        },
    },
]


def add(apps, schema_editor):
    Strategy = apps.get_model("strategies", "Strategy")
    for row in BUILT_IN:
        Strategy.objects.update_or_create(
            slug=row["slug"], defaults={**row, "type": "built-in", "algorithm": row["slug"]}
        )


def remove(apps, schema_editor):
    Strategy = apps.get_model("strategies", "Strategy")
    Strategy.objects.filter(slug__in=[row["slug"] for row in BUILT_IN], activations=None).delete()


class Migration(migrations.Migration):
    dependencies = [("strategies", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
