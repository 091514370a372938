"""Let a restored or copied database trade real money again, by a person's word."""

from datetime import datetime

from django.db import transaction

from accounts.models import User, Workspace
from accounts.permissions import require_operator
from brokers.models import TradingAccount
from brokers.telling import tell_managers
from notifications.models import AlertLevel, NotificationType
from operations.events import publish
from operations.installation import NothingToConfirm, doubt_now, keep_pulse, trust_again
from operations.logs import record_log
from operations.models import LogType, Severity
from risk.restored import agrees_since

__all__ = ["NotConfirmed", "NothingToConfirm", "confirm_database", "note_pulse", "waiting_accounts"]


class NotConfirmed(Exception):
    """An account does not agree with its broker yet, or no reason was given."""


def note_pulse(*, now: datetime) -> None:
    """Let the installation's pulse beat; tell of a database that was restored or copied, once."""
    words = keep_pulse(now=now)
    if words:
        _tell(
            "Live entries wait: the database was restored or copied",
            f"{words}. They wait until every live account agrees with its broker and the server's "
            "operator has confirmed it on the Risk page or by the command confirm_database.",
            level=AlertLevel.CRITICAL,
            now=now,
        )


def waiting_accounts() -> list[TradingAccount]:
    """The accounts turned on for real money that do not agree with their broker since the doubt."""
    doubt = doubt_now()
    return [] if doubt is None else [each for each in _live() if not agrees_since(each, doubt)]


def confirm_database(*, by: User | None, reason: str, now: datetime) -> None:
    """Confirm that this database trades from now on, and no other copy of it; by None is the
    command line.

    :raises PermissionDenied: when the person does not run the server.
    :raises NothingToConfirm: when nothing speaks against the database.
    :raises NotConfirmed: naming the accounts that do not agree yet.
    """
    if by is not None:
        require_operator(by)
    if not reason.strip():
        raise NotConfirmed("Say what you have checked: it is kept")
    keep_pulse(now=now)
    waiting = ", ".join(account.name for account in waiting_accounts())
    if waiting:
        raise NotConfirmed(
            f"Not compared with the broker since, not in agreement, or listed there in rows that "
            f"cannot be read: {waiting}. Log in and press "
            "Compare now on the Brokers page, or turn live trading off for it"
        )
    with transaction.atomic():
        trust_again(by=by, reason=reason.strip()[:300], now=now)
        who = by.name if by else "the command line"
        words = f"The database was confirmed by {who}: {reason.strip()}"
        record_log(words, type=LogType.SYSTEM, level=Severity.WARNING, user=by)
        _tell("Live trading may go on", words, level=AlertLevel.WARNING, now=now)


def _live() -> list[TradingAccount]:
    live = TradingAccount.objects.filter(live_enabled=True, connection__paper_trading=False)
    return list(live.select_related("connection").order_by("name"))


def _tell(title: str, message: str, *, level: AlertLevel, now: datetime) -> None:
    for workspace in Workspace.objects.filter(accounts__in=_live()).distinct():
        publish("risk", workspace_id=workspace.pk, now=now)
        tell_managers(
            workspace,
            kind=NotificationType.RISK_ALERT,
            level=level,
            title=title,
            message=message,
            now=now,
        )
