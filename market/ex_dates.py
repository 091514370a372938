"""Shares whose ex-date has come and that the books still hold in old shares.

Until the books have followed, a new price says nothing of the old quantity: it is not marked by it.
"""

import time as clock
from datetime import date, datetime

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from market.calendar import local_day
from market.models import CorporateAction, CorporateActionKind

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
        rows = actions.exclude(factor=1).order_by("-ex_date")
        # The earliest day of each comes last and stays.
        known = _known[0] = (now, dict(rows.values_list("instrument__key", "ex_date")))
    return known[1]


@receiver([post_save, post_delete], sender=CorporateAction)
def forget_actions(**signal: object) -> None:
    """Read them again at the next question."""
    _known[0] = None
