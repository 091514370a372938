"""Say so loudly when a rule wants a position closed and it cannot be."""

from datetime import datetime, timedelta

from django.db.models import Q

from brokers.venue import IST
from market.rules.lots import odd_lot_words
from notifications.models import AlertLevel, Notification, NotificationType
from notifications.services import notify
from operations.figures import rupees
from portfolio.models import Position

_NOT_WITHIN = timedelta(hours=1)


def tell_not_exited(position: Position, reason: str, *, now: datetime) -> None:
    """Alarm the owner of a position that a rule could not close; a replay's is nobody's alarm.

    A rule asks with every price, so of one position this is told once an hour, and one reason
    once a day.
    """
    words = f"A rule wants it closed, and it is still open: {reason.rstrip('.')}. Close it by hand."
    if position.account.own_clock or _is_told(position, words, now=now):
        return
    notify(
        position.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=f"Not closed: {position.instrument.trading_symbol} on {position.account.name}",
        message=words,
        now=now,
        workspace=position.workspace,
        data={"open_position": str(position.pk)},
    )


def tell_odd_lot(position: Position, odd_lot: int, *, now: datetime) -> None:
    """Tell the owner, once a day, of what is less than a lot: no order can close it."""
    told = {"odd_lot_of": str(position.pk)}
    earlier = Notification.objects.filter(user=position.user, created_at__gte=_midnight(now))
    if position.account.own_clock or earlier.filter(data__odd_lot_of=told["odd_lot_of"]).exists():
        return
    symbol = position.instrument.trading_symbol
    notify(
        position.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.WARNING,
        title=f"{rupees(odd_lot, 0)} {symbol} cannot be closed on {position.account.name}",
        message=f"{odd_lot_words(position.instrument, odd_lot)}. Whole lots are not held up.",
        now=now,
        workspace=position.workspace,
        data=told,
    )


def _is_told(position: Position, words: str, *, now: datetime) -> bool:
    told = Notification.objects.filter(
        Q(created_at__gt=now - _NOT_WITHIN) | Q(created_at__gte=_midnight(now), message=words),
        user=position.user,
        data__open_position=str(position.pk),
    )
    return told.exists()


def _midnight(now: datetime) -> datetime:
    return now.astimezone(IST).replace(hour=0, minute=0, second=0, microsecond=0)
