"""The end of the day, for whoever has not had theirs."""

from datetime import date, datetime

from django.db.models import F

from brokers.models import TradingAccount
from brokers.venue import CalendarUnknown
from market.calendar import IST, session_date
from market.models import Instrument
from portfolio.models import Holding, Position, PositionType, SessionStatus, TradingSession
from portfolio.services.marking import mark_account, mark_holdings
from portfolio.services.sessions import close_session
from portfolio.trading_days import day_of_marks


def finished_sessions(now: datetime) -> list[TradingSession]:
    """Return the open sessions whose exchanges have all ended that day."""
    today = now.astimezone(IST).date()
    active = TradingSession.objects.filter(status=SessionStatus.ACTIVE, session_date__lte=today)
    return [
        session
        for session in active.select_related("account").order_by("session_date", "pk")
        if _is_over(session, today=today, now=now)
    ]


def end_session(account: TradingAccount, *, on: date, now: datetime) -> TradingSession | None:
    """Take the day's last prices in and close it; None when it was closed already."""
    mark_account(account, now=now)
    mark_holdings(account, now=now)
    return close_session(account, session_date=on, now=now)


def settle_due_holdings(now: datetime) -> int:
    """Turn shares bought on an earlier trading day into settled ones, on every account."""
    waiting = Holding.objects.filter(t1_quantity__gt=0)
    exchanges = Instrument.objects.filter(pk__in=waiting.values("instrument"))
    settled = 0
    for exchange in exchanges.values_list("exchange", flat=True).distinct():
        due = waiting.filter(
            instrument__exchange=exchange, t1_bought_on__lt=day_of_marks([exchange], now)
        )
        settled += due.update(
            dp_quantity=F("dp_quantity") + F("t1_quantity"),
            t1_quantity=0,
            t1_bought_on=None,
            as_of=now,
        )
    return settled


def _is_over(session: TradingSession, *, today: date, now: datetime) -> bool:
    traded = Position.objects.filter(
        account=session.account,
        position_type=PositionType.DAY,
        session_date=session.session_date,
    )
    exchanges = set(traded.values_list("instrument__exchange", flat=True))
    if not exchanges:
        return session.session_date < today
    return all(_has_ended(exchange, session.session_date, now=now) for exchange in exchanges)


def _has_ended(exchange: str, day: date, *, now: datetime) -> bool:
    try:
        return session_date(exchange, now) > day
    except CalendarUnknown:
        return now.astimezone(IST).date() > day
