"""The worker's turn at the books. Every task may run twice: the rows decide."""

from datetime import date

from celery import shared_task
from django.utils import timezone

from brokers.models import TradingAccount
from portfolio.models import Position
from portfolio.services import end_session, finished_sessions, mark_account, settle_due_holdings


@shared_task
def mark_open_positions() -> None:
    """Ask for every account that holds something to be marked."""
    accounts = Position.objects.open().values_list("account", flat=True).distinct()
    for account_id in accounts.order_by("account"):
        mark_account_positions.delay(account_id=str(account_id))


@shared_task
def mark_account_positions(*, account_id: str) -> None:
    mark_account(TradingAccount.objects.get(pk=account_id), now=timezone.now())


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
