"""The end of the day, for whoever has not had theirs."""

from datetime import date, datetime

from django.db import transaction

from brokers.models import TradingAccount
from brokers.venue import CalendarUnknown
from market.calendar import IST, local_day, session_date
from portfolio.models import Holding, Position, PositionType, SessionStatus, TradingSession
from portfolio.services.holdings import settle_holdings
from portfolio.services.marking import mark_account, mark_holdings
from portfolio.services.sessions import close_session, lock_account
from portfolio.trading_days import account_day


def finished_sessions(now: datetime) -> list[TradingSession]:
    """Return the open sessions whose exchanges have all ended that day; a replay ends its own."""
    today = now.astimezone(IST).date()  # no exchange that is offered is ahead of India
    active = TradingSession.objects.filter(
        status=SessionStatus.ACTIVE, session_date__lte=today, account__own_clock=False
    )
    return [
        session
        for session in active.select_related("account").order_by("session_date", "pk")
        if _is_over(session, now=now)
    ]


def end_session(account: TradingAccount, *, on: date, now: datetime) -> TradingSession | None:
    """Take the day's last prices in and close it; None when it was closed already."""
    mark_account(account, now=now)
    mark_holdings(account, now=now)
    return close_session(account, session_date=on, now=now)


def settle_due_holdings(now: datetime) -> int:
    """Turn shares bought on an earlier trading day into settled ones; return how many rows.

    On every account but a replay's, whose days are not the house's.
    """
    waiting = Holding.objects.filter(t1_quantity__gt=0, account__own_clock=False)
    accounts = TradingAccount.objects.filter(pk__in=waiting.values("account"))
    return sum(_settle(account, now=now) for account in accounts.order_by("pk"))


@transaction.atomic
def _settle(account: TradingAccount, *, now: datetime) -> int:
    return settle_holdings(lock_account(account), now=now)


def _is_over(session: TradingSession, *, now: datetime) -> bool:
    traded = Position.objects.filter(
        account=session.account,
        position_type=PositionType.DAY,
        session_date=session.session_date,
    )
    exchanges = set(traded.values_list("instrument__exchange", flat=True))
    if not exchanges:
        return session.session_date < account_day(session.account, now)
    return all(_has_ended(exchange, session.session_date, now=now) for exchange in exchanges)


def _has_ended(exchange: str, day: date, *, now: datetime) -> bool:
    try:
        return session_date(exchange, now) > day
    except CalendarUnknown:
        return local_day(exchange, now) > day
