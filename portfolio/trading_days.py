"""Which trading day an account's figures belong to."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import Q

from brokers.models import TradingAccount
from brokers.terms import Exchange
from brokers.venue import CalendarUnknown
from market.calendar import IST, last_session_date, local_day

# Where the money of an account is traded: its day is that exchange's.
_TRADES_AT = {"INR": Exchange.NSE, "USD": Exchange.NYSE}


def exchange_of(account: TradingAccount) -> Exchange:
    return _TRADES_AT.get(account.currency, Exchange.NSE)


def account_day(account: TradingAccount, at: datetime) -> date:
    """Return the date where its exchange is: a session in New York goes on over midnight here."""
    return local_day(exchange_of(account), at)


def day_of_marks(exchanges: Iterable[str], at: datetime) -> date:
    """Return the latest trading day that has begun on any of the exchanges.

    After the close prices still belong to the day that has ended. Marking is no trade, so where
    no calendar reaches the Indian calendar day serves.
    """
    days = [day for exchange in exchanges if (day := _begun(exchange, at)) is not None]
    return max(days, default=at.astimezone(IST).date())


def latest_days(at: datetime, *, currency: str = "INR") -> set[date]:
    """Return the days that may be an account's latest: its market's today, and the last that began.

    On a Sunday the figures of Friday are still the day's; the simulated exchange trades today.
    """
    exchange = _TRADES_AT.get(currency, Exchange.NSE)
    today = local_day(exchange, at)
    return {today, _begun(exchange, at) or today}


def of_latest_days(at: datetime, *, currencies: Iterable[str] = tuple(_TRADES_AT)) -> Q:
    """Select rows of a day that may be the latest of their account, whose currency is told."""
    found = Q(pk=None)
    for currency in set(currencies):
        days = latest_days(at, currency=currency)
        found |= Q(account__currency=currency, session_date__in=days)
    return found


def _begun(exchange: str, at: datetime) -> date | None:
    try:
        return last_session_date(exchange, at)
    except CalendarUnknown:
        return None
