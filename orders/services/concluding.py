"""What follows from a full reading: whether the account agrees, who is told, what is adopted."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from brokers.gateway import TradeReport
from brokers.models import TradingAccount
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.errors import contained
from operations.events import publish
from operations.models import ErrorLog, Severity
from operations.sentences import as_sentences
from orders.differences import Compared, Reading
from orders.services.adjusting import adopt_difference, figures, tell_open_difference
from orders.services.differing import note_differences
from portfolio.models import PositionDifference
from portfolio.trading_days import account_day

# An account trades where its money is.


@dataclass(frozen=True, slots=True)
class Found:
    """One good reading, where the positions differ in it, and the fills without their trades.

    ``unreadable`` names the rows that could not be read, which the rest does not wait for.
    """

    reading: Reading
    trades: tuple[TradeReport, ...]
    positions: tuple[Compared, ...]
    unbooked: tuple[str, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def differences(self) -> list[str]:
        return [*(each.words for each in self.positions), *self.unbooked]


def conclude_paper(account: TradingAccount, found: Found, *, now: datetime) -> list[str]:
    """Stop all entries of a paper account that differs: it is our own broker that is wrong."""
    _stamp(account, None if found.differences else now, found.differences, now=now)
    return found.differences


def conclude_live(account: TradingAccount, found: Found, *, now: datetime) -> list[str]:
    """Keep the differences, adopt those that are believed, and say what is left, in words.

    An account that has agreed today goes on trading elsewhere. One that has not yet may not open
    anything: nobody knows what else is wrong.
    """
    sighted = note_differences(account, found.reading, trades=found.trades, now=now)
    for row in sighted.believed:
        with contained("adopting a difference", account_id=account.pk):
            adopt_difference(row.pk, now=now)
    return conclude_left(account, found, now=now)


def conclude_left(account: TradingAccount, found: Found, *, now: datetime) -> list[str]:
    """Tell what is left open of a live account's differences, and stamp whether it agrees."""
    left = list(
        PositionDifference.objects.open()
        .filter(account=account)
        .select_related("account__connection__user", "account__workspace", "instrument")
        .order_by("instrument_key", "product")
    )
    for row in left:
        tell_open_difference(row, now=now)
    words = [*(figures(row) for row in left), *found.unbooked]
    _stamp(account, _agreed_at(account, is_now=not words, now=now), words, now=now)
    return words


def _agreed_at(account: TradingAccount, *, is_now: bool, now: datetime) -> datetime | None:
    """When the account last agreed; an agreement of an earlier day lets nothing open today."""
    if is_now:
        return now
    before = account.reconciled_at
    is_of_today = before is not None and account_day(account, before) == account_day(account, now)
    return before if is_of_today else None


@transaction.atomic
def _stamp(
    account: TradingAccount, agreed_at: datetime | None, differences: list[str], *, now: datetime
) -> None:
    was_reconciled = account.reconciled_at is not None
    account.reconciled_at = agreed_at
    account.save(update_fields=["reconciled_at"])
    is_reconciled = agreed_at is not None
    if was_reconciled and not is_reconciled:
        _alarm(account, differences, now=now)
    if is_reconciled != was_reconciled:
        publish("brokers", workspace_id=account.workspace_id, subject_id=account.pk, now=now)


def _alarm(account: TradingAccount, differences: list[str], *, now: datetime) -> None:
    ErrorLog.objects.create(
        error_type="PositionMismatch",
        message=f"{account.name}: {as_sentences(differences)}",
        severity=Severity.CRITICAL,
        related_account_id=account.pk,
    )
    notify(
        account.connection.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=f"{account.name} does not agree with its broker: no new positions",
        message=as_sentences(differences),
        now=now,
        workspace=account.workspace,
    )
