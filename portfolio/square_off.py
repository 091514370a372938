"""When intraday positions are closed by force: dated times, read by exchange and group."""

import time as clock
from datetime import date, time
from functools import lru_cache

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from portfolio.models import SquareOffGroup, SquareOffTime

__all__ = ["SquareOffGroup", "square_off_time_on"]

# Another process learns of a changed time within this time.
_KEPT_SECONDS = 60
_LISTED_UNDER = {"NFO": "NSE", "BFO": "BSE"}


def square_off_time_on(exchange: str, group: SquareOffGroup, on: date) -> time | None:
    """Return the Indian time in force that day; None where none is on file."""
    freshness = int(clock.monotonic() // _KEPT_SECONDS)
    return _read(_LISTED_UNDER.get(exchange, exchange), group, on, freshness)


@lru_cache(maxsize=256)
def _read(exchange: str, group: SquareOffGroup, on: date, freshness: int) -> time | None:
    times = SquareOffTime.objects.filter(exchange=exchange, group=group, effective_from__lte=on)
    return times.order_by("-effective_from").values_list("at", flat=True).first()


@receiver([post_save, post_delete], sender=SquareOffTime)
def forget_times(**signal: object) -> None:
    _read.cache_clear()
