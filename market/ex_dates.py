"""Shares whose ex-date has come and that the books still hold in old shares.

Until the books have followed, a new price says nothing of the old quantity: it is not marked by it.
"""

import time as clock
from collections import defaultdict
from datetime import date, datetime

from django.db.models import QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from market.calendar import local_day
from market.models import CorporateAction, CorporateActionKind, Instrument

CHANGES_SHARES = (CorporateActionKind.SPLIT, CorporateActionKind.BONUS)
# Asked with every mark; another process learns of a new action within this time.
_KEPT_SECONDS = 5.0
# Replaced, never emptied: another thread may be reading it.
_known: list[tuple[float, dict[str, date]] | None] = [None]


def in_old_shares(now: datetime) -> frozenset[str]:
    """Name the instruments whose recorded split or bonus is due and not in the books yet."""
    waiting = _waiting()
    return frozenset(
        key for key, day in waiting.items() if local_day(key.partition(":")[0], now) >= day
    )


def _waiting() -> dict[str, date]:
    now = clock.monotonic()
    known = _known[0]
    if known is None or now - known[0] > _KEPT_SECONDS:
        actions = CorporateAction.objects.filter(kind__in=CHANGES_SHARES, booked_at=None)
        known = _known[0] = (now, _days_of(actions.exclude(factor=1)))
    return known[1]


def _days_of(actions: QuerySet[CorporateAction]) -> dict[str, date]:
    """Name each share with the day of its first action; one of any exchange is of all."""
    rows = list(actions.select_related("instrument").order_by("-ex_date"))
    isins = {row.instrument.isin for row in rows} - {""}
    listed = Instrument.objects.filter(isin__in=isins)
    keys: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for key, isin, kind in listed.values_list("key", "isin", "instrument_type"):
        keys[isin, kind].append(key)
    days: dict[str, date] = {}
    for row in rows:  # The earliest day of each comes last and stays.
        share = row.instrument
        all_keys = [share.key, *keys[share.isin, share.instrument_type]]
        days.update(dict.fromkeys(all_keys, row.ex_date))
    return days


def elsewhere(share: Instrument) -> QuerySet[Instrument]:
    """The same share on its other exchanges, known by its ISIN."""
    if not share.isin:
        return Instrument.objects.none()
    listed = Instrument.objects.filter(isin=share.isin, instrument_type=share.instrument_type)
    return listed.exclude(pk=share.pk)


@receiver([post_save, post_delete], sender=CorporateAction)
def forget_actions(**signal: object) -> None:
    """Read them again at the next question."""
    _known[0] = None
