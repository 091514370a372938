"""The day of an order: the session that it was sent for, and until when a book can tell of it.

A broker's book is for one day. What is sent after a close, or on a holiday, belongs to the next
session, and is in the book of the day when it was sent as well as in that of its session.
"""

from datetime import date, datetime, time, timedelta

from brokers.venue import IST, CalendarUnknown, installed_venue
from market.calendar import local_day
from market.schedules import CALENDARS
from orders.models import Order


def sent_at(order: Order) -> datetime:
    return order.submitted_at or order.created_at


def session_of(order: Order) -> date | None:
    """The session that it was sent for; None while no calendar says."""
    return _session_at(order, sent_at(order))


def is_session_over(order: Order, *, now: datetime) -> bool:
    """Tell whether it cannot fill any more; False while no calendar says."""
    session, current = session_of(order), _session_at(order, now)
    return session is not None and current is not None and session < current


def day_ends_at(order: Order) -> datetime | None:
    """The midnight after its session, at its exchange; None while no calendar says."""
    session, exchange = session_of(order), order.instrument.exchange
    if session is None:
        return None
    known = CALENDARS.get(exchange)
    day_after = max(session, local_day(exchange, sent_at(order))) + timedelta(days=1)
    return datetime.combine(day_after, time.min, known.zone if known else IST)


def is_day_over(order: Order, *, now: datetime) -> bool:
    """Tell whether no book has to have it any more; False while no calendar says."""
    ends_at = day_ends_at(order)
    return ends_at is not None and now >= ends_at


def has_outlasted(order: Order, *, now: datetime) -> bool:
    """Tell whether no book need list it: its day is over, or it was seen to fill no more."""
    return order.outlasted_at is not None or is_day_over(order, now=now)


def can_be_in_book(order: Order, *, now: datetime) -> bool:
    """Tell whether a book read now must have it: on the day it was sent, and on its session's."""
    exchange = order.instrument.exchange
    return local_day(exchange, now) in (local_day(exchange, sent_at(order)), session_of(order))


def _session_at(order: Order, moment: datetime) -> date | None:
    try:
        return installed_venue().session_date(order.instrument.ref(), moment)
    except CalendarUnknown:
        return None
