"""Which trading day an account's figures belong to."""

from collections.abc import Iterable
from datetime import date, datetime

from brokers.terms import Exchange
from brokers.venue import CalendarUnknown
from market.calendar import IST, last_session_date


def day_of_marks(exchanges: Iterable[str], at: datetime) -> date:
    """Return the latest trading day that has begun on any of the exchanges.

    After the close prices still belong to the day that has ended. Marking is no trade, so where
    no calendar reaches the Indian calendar day serves.
    """
    days = [day for exchange in exchanges if (day := _begun(exchange, at)) is not None]
    return max(days, default=at.astimezone(IST).date())


def latest_days(at: datetime) -> set[date]:
    """Return the days that may be an account's latest: India's today, and the exchange's last.

    On a Sunday the figures of Friday are still the day's; the simulated exchange trades today.
    """
    today = at.astimezone(IST).date()
    return {today, _begun(Exchange.NSE, at) or today}


def _begun(exchange: str, at: datetime) -> date | None:
    try:
        return last_session_date(exchange, at)
    except CalendarUnknown:
        return None
