"""Which trading day an account's figures belong to."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db.models import Q

from brokers.models import TradingAccount
from brokers.terms import Exchange
from brokers.venue import CalendarUnknown
from market.calendar import IST, day_begins, last_session_date, local_day

# Where the money of an account is traded: its day is that exchange's.
_TRADES_AT = {"INR": Exchange.NSE, "USD": Exchange.NYSE}


def account_day(account: TradingAccount, at: datetime) -> date:
    """Return the date where its exchange is: a session in New York goes on over midnight here."""
    return local_day(_exchange_of(account), at)


def of_their_day(accounts: Iterable[TradingAccount], at: datetime, *, field: str) -> Q:
    """Select rows of these accounts by a date, which is today at each account's exchange."""
    found = Q(pk=None)
    for (_, day), members in _by_day(accounts, at).items():
        found |= Q(account__in=members, **{field: day})
    return found


def within_their_day(
    accounts: Iterable[TradingAccount], at: datetime, *, field: str, account: str = "account"
) -> Q:
    """Select rows of these accounts by a moment, which is of today at each account's exchange."""
    found = Q(pk=None)
    for (exchange, day), members in _by_day(accounts, at).items():
        begins, ends = day_begins(exchange, day), day_begins(exchange, day + timedelta(days=1))
        span = {f"{field}__gte": begins, f"{field}__lt": ends}
        found |= Q(**{f"{account}__in": members}, **span)
    return found


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


def _exchange_of(account: TradingAccount) -> Exchange:
    return _TRADES_AT.get(account.currency, Exchange.NSE)


def _by_day(
    accounts: Iterable[TradingAccount], at: datetime
) -> dict[tuple[Exchange, date], list[TradingAccount]]:
    found: dict[tuple[Exchange, date], list[TradingAccount]] = defaultdict(list)
    for account in accounts:
        found[_exchange_of(account), account_day(account, at)].append(account)
    return found


def _begun(exchange: str, at: datetime) -> date | None:
    try:
        return last_session_date(exchange, at)
    except CalendarUnknown:
        return None
