"""The Celery application: `celery -A trading_site worker` and `celery -A trading_site beat`."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trading_site.settings")

app = Celery("pinnacle")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Seconds, or a time of day in India. A sweep that is late harms nothing: it expires unrun before
# the next one, so that a stopped worker does not find a heap of them.
SCHEDULE: dict[str, float | crontab] = {
    "orders.tasks.sweep_orders": 2.0,
    "orders.tasks.settle_unknown_orders": 5.0,
    "orders.tasks.reconcile_accounts": 30.0,
    "orders.tasks.end_order_day": 300.0,
    "orders.tasks.settle_expired_contracts": 60.0,
    "orders.tasks.follow_corporate_actions": 60.0,
    "orders.tasks.sweep_postbacks": 60.0,
    "strategies.tasks.place_recorded_signals": 5.0,
    "strategies.tasks.evaluate_closed_candles": 20.0,
    "strategies.tasks.refresh_strategy_results": 10.0,
    "market.tasks.sweep_imports": 60.0,
    "market.tasks.refresh_masters": 60.0,
    "trading_site.tasks.note_pulse": 10.0,
    "trading_site.tasks.mark_holdings_and_rules": 60.0,
    "portfolio.tasks.close_finished_sessions": 300.0,
    "portfolio.tasks.settle_shares": 300.0,
    "brokers.tasks.renew_sessions": 60.0,
    "brokers.tasks.look_at_addresses": 600.0,
    "operations.tasks.apply_retention_task": crontab(hour="3", minute="30"),
}


def _entry(task: str, when: float | crontab) -> dict[str, object]:
    expires = when if isinstance(when, float) else 3600.0
    return {"task": task, "schedule": when, "options": {"expires": expires}}


app.conf.beat_schedule = {task: _entry(task, when) for task, when in SCHEDULE.items()}
