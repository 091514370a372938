"""Timed work that joins several floors: marks that no feed asks for, and the end of days."""

from datetime import datetime

from celery import shared_task
from django.utils import timezone

from brokers.models import TradingAccount
from operations.errors import record_error
from portfolio.models import SessionStatus, TradingSession
from portfolio.services import close_session, mark_holdings
from portfolio.trading_days import day_of_marks
from trading_site.watching import watch_account


@shared_task
def mark_holdings_and_rules() -> None:
    """Value every account once a minute, whether or not a feed runs in this house."""
    mark_accounts(now=timezone.now())


@shared_task
def close_ended_sessions() -> None:
    close_sessions(now=timezone.now())


def mark_accounts(*, now: datetime) -> None:
    """Mark each account's holdings and positions; one that fails does not hold back the rest."""
    accounts = TradingAccount.objects.filter(is_active=True, own_clock=False)
    for account in accounts.select_related("connection").order_by("pk"):
        try:
            mark_holdings(account, now=now)
            watch_account(account, now=now)
        except Exception as error:  # the edge of a worker: the other accounts go on
            record_error(error, context={"stage": "marks and rules"}, account_id=account.pk)


def close_sessions(*, now: datetime) -> int:
    """End the sessions whose day another has followed; return how many."""
    active = TradingSession.objects.filter(
        status=SessionStatus.ACTIVE, account__own_clock=False
    ).select_related("account")
    ended = [
        session
        for session in active
        if session.session_date < day_of_marks(_exchanges(session), now)
    ]
    for session in ended:
        close_session(session.account, session_date=session.session_date, now=now)
    return len(ended)


def _exchanges(session: TradingSession) -> set[str]:
    """The exchanges that this session's account has positions on."""
    exchanges = session.account.positions.values_list("instrument__exchange", flat=True)
    return set(exchanges.order_by().distinct())
