"""Which trading day pages speak of: an account's latest, and of a replay the last it has played."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Max, Min, OuterRef, Q, Subquery

from brokers.models import TradingAccount
from market.calendar import day_begins
from portfolio.models import TradingSession
from portfolio.trading_days import account_day, exchange_of, of_latest_days

_NOTHING = Q(pk__in=())
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ShownDays:
    """``of`` has each account's day; one without a day of late shares the others' latest.

    ``is_today`` where each is what it is at the account's exchange now.
    """

    of: Mapping[TradingAccount, date]
    latest: date
    is_today: bool

    @property
    def words(self) -> str:
        """As a sentence ends with it: today, or on 19 Jun 2026."""
        if self.is_today:
            return "today"
        is_one = len(set(self.of.values())) == 1
        return f"on {self.latest:%-d %b %Y}" if is_one else "on the last day of each account"

    def rows(self) -> Q:
        """Rows with an account and a ``session_date`` that are of its day."""
        of_each = (Q(account=account, session_date=day) for account, day in self.of.items())
        return reduce(or_, of_each, _NOTHING)

    def moments(self, field: str, *, account: str = "account") -> Q:
        """Rows of an account in which that moment lies in its day, where its exchange is."""
        of_each = (
            Q(**{account: each}) & _within(each, day, field=field) for each, day in self.of.items()
        )
        return reduce(or_, of_each, _NOTHING)


def shown_days(
    accounts: Collection[TradingAccount],
    *,
    now: datetime,
    sessions: Collection[TradingSession] | None = None,
) -> ShownDays:
    """Find each account's day, with one query; none where its latest ``sessions`` are read."""
    today = {account: account_day(account, now) for account in accounts}
    read = latest_sessions(accounts, now=now) if sessions is None else sessions
    newest = dict(sorted((each.account_id, each.session_date) for each in read))
    known = [day for account in accounts if (day := newest.get(account.pk))]
    latest = max(known or today.values(), default=now.date())
    days = {
        account: newest.get(account.pk) or (latest if known else today[account])
        for account in accounts
    }
    return ShownDays(days, max(days.values(), default=latest), days == today)


def latest_sessions(accounts: Collection[TradingAccount], *, now: datetime) -> list[TradingSession]:
    """Return the accounts' sessions of the days that may be their latest, oldest first."""
    sessions = TradingSession.objects.filter(of_last_days(accounts, now), account__in=accounts)
    return list(sessions.order_by("session_date"))


def played_days(accounts: Collection[TradingAccount]) -> tuple[date, date] | None:
    """Return the first and the last day that the accounts have books of."""
    sessions = TradingSession.objects.filter(account__in=accounts)
    ends = sessions.aggregate(first=Min("session_date"), last=Max("session_date"))
    return None if ends["first"] is None else (ends["first"], ends["last"])


def of_last_days(accounts: Collection[TradingAccount], now: datetime) -> Q:
    """Of sessions, or of what belongs to one: those of the days that may be the latest one."""
    latest = of_latest_days(now, currencies={account.currency for account in accounts})
    if any(account.own_clock for account in accounts):
        return latest | is_last_of_replay()
    return latest


def is_last_of_replay() -> Q:
    its_own = TradingSession.objects.filter(account=OuterRef("account")).order_by("-session_date")
    return Q(account__own_clock=True, session_date=Subquery(its_own.values("session_date")[:1]))


def _within(account: TradingAccount, day: date, *, field: str) -> Q:
    begins, ends = (day_begins(exchange_of(account), each) for each in (day, day + _DAY))
    return Q(**{f"{field}__gte": begins, f"{field}__lt": ends})
