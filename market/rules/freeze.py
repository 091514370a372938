"""The most that one order may carry, by contract and day: the dated rows, else the broker's list.

An exchange refuses an order above its freeze quantity; it does not split it.
"""

import time
from datetime import date
from functools import lru_cache

from django.db.models import F, Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from brokers.terms import Exchange
from market.models import FreezeRule, Instrument

# Another process learns of a changed rule within this time.
_KEPT_SECONDS = 60
_RULED_BY = {Exchange.NFO: Exchange.NSE, Exchange.BFO: Exchange.BSE}


def freeze_quantity(instrument: Instrument, *, on: date) -> int | None:
    """Return the freeze quantity of a day in units; None where none is known.

    A rule of the exchange's goes before what a list said, which may be of another month.
    """
    ruled_by = _RULED_BY.get(Exchange(instrument.exchange))
    if ruled_by is None:
        return instrument.freeze_quantity
    freshness = int(time.monotonic() // _KEPT_SECONDS)
    return _ruled(ruled_by, instrument.underlying, on, freshness) or instrument.freeze_quantity


@lru_cache(maxsize=512)
def _ruled(exchange: Exchange, underlying: str, on: date, freshness: int) -> int | None:
    in_force = FreezeRule.objects.filter(
        Q(effective_to=None) | Q(effective_to__gte=on),
        Q(effective_from=None) | Q(effective_from__lte=on),
        exchange=exchange,
        underlying=underlying,
    )
    # Of two rows the later one counts, and an operator's before ours.
    latest = in_force.order_by(F("effective_from").desc(nulls_last=True), "is_shipped", "-pk")
    return latest.values_list("freeze_quantity", flat=True).first()


@receiver([post_save, post_delete], sender=FreezeRule)
def forget_freeze_rules(**signal: object) -> None:
    _ruled.cache_clear()
