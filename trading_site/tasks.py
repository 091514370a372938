"""Timed work that joins several floors: marks and rules that no feed asks for."""

from datetime import datetime

from celery import shared_task
from django.utils import timezone

from brokers.models import TradingAccount
from operations.errors import record_error
from portfolio.services import mark_holdings
from risk.services import confirming
from trading_site.watching import watch_account


@shared_task
def note_pulse() -> None:
    """Let the installation's pulse beat, by which a restored database is told from its own past."""
    confirming.note_pulse(now=timezone.now())


@shared_task
def mark_holdings_and_rules() -> None:
    """Value every account once a minute, whether or not a feed runs in this house."""
    mark_accounts(now=timezone.now())


def mark_accounts(*, now: datetime) -> None:
    """Mark each account's holdings and positions; one that fails does not hold back the rest."""
    accounts = TradingAccount.objects.filter(is_active=True, own_clock=False)
    for account in accounts.select_related("connection").order_by("pk"):
        try:
            mark_holdings(account, now=now)
            watch_account(account, now=now)
        except Exception as error:  # the edge of a worker: the other accounts go on
            record_error(error, context={"stage": "marks and rules"}, account_id=account.pk)
