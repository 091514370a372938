"""The worker's turn at the books. Every task may run twice: the rows decide."""

from datetime import date

from celery import shared_task
from django.utils import timezone

from brokers.models import TradingAccount
from portfolio.services import end_session, finished_sessions, settle_due_holdings


@shared_task
def close_finished_sessions() -> None:
    """Ask for every day that has ended to be closed."""
    for session in finished_sessions(timezone.now()):
        close_account_session.delay(
            account_id=str(session.account_id), session_date=session.session_date.isoformat()
        )


@shared_task
def close_account_session(*, account_id: str, session_date: str) -> None:
    account = TradingAccount.objects.get(pk=account_id)
    end_session(account, on=date.fromisoformat(session_date), now=timezone.now())


@shared_task
def settle_shares() -> None:
    """Turn what was bought on an earlier trading day into settled shares."""
    settle_due_holdings(timezone.now())
