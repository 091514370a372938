"""Hours at which a simulated broker can be tried: an exchange that trades all day, and again not.

What was written down for a day by somebody else, a holiday or a special session, stays as it is.
"""

from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction

from brokers.models import BrokerConnection
from brokers.registry import brokers
from market.calendar import local_day
from market.models import ScheduleOverride

OPENED = "Opened all day to try a simulated broker"


class OpeningRefused(Exception):
    """The hours of an exchange are its own while orders may go to a real broker."""


@transaction.atomic
def open_all_day(exchange: str, *, now: datetime) -> tuple[date, date]:
    """Let an exchange trade all of today and tomorrow, on its own calendar, and return the days.

    :raises OpeningRefused: where no broker is simulated, where live trading is on at a real one,
        or where a day is written down already.
    """
    _refuse_real_brokers()
    today = local_day(exchange, now)
    days = (today, today + timedelta(days=1))
    _refuse_written_days(exchange, days)
    for day in days:
        ScheduleOverride.objects.update_or_create(
            exchange=exchange,
            day=day,
            defaults={
                "is_open": True,
                "opens_at": time.min,
                "closes_at": time.max,
                "reason": OPENED,
            },
        )
    return days


def restore_hours(exchange: str) -> int:
    """Take back every day that was opened here and return how many; possible at any time."""
    _, deleted = ScheduleOverride.objects.filter(exchange=exchange, reason=OPENED).delete()
    return deleted.get("market.ScheduleOverride", 0)


def _refuse_real_brokers() -> None:
    """:raises OpeningRefused: where no broker is simulated, or a real one takes orders."""
    simulated = [each.name for each in brokers() if settings.BROKER_ENDPOINTS.get(each.name)]
    if not simulated:
        raise OpeningRefused(
            "No broker is simulated here, and real exchanges keep their own hours: name a"
            ' simulator first, BROKER_ENDPOINTS="angel=http://127.0.0.1:9101"'
        )
    real = BrokerConnection.objects.filter(accounts__live_enabled=True).exclude(
        broker_type__in=simulated
    )
    for connection in real[:1]:
        raise OpeningRefused(
            f"Live trading is on at {connection}, which is no simulator: turn it off there first"
        )


def _refuse_written_days(exchange: str, days: tuple[date, ...]) -> None:
    """:raises OpeningRefused: where a day is a holiday or a special session by hand."""
    written = ScheduleOverride.objects.filter(exchange=exchange, day__in=days)
    for each in written.exclude(reason=OPENED)[:1]:
        raise OpeningRefused(
            f"{exchange} on {each.day:%-d %b %Y} is written down already ({each.reason}):"
            " take that out on the trading calendar's page first"
        )
