"""Real money for one account: what must hold before a person may turn it on, and the switch."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from accounts.permissions import require_managing_role
from brokers.addresses import AddressDiffers, check_known_address
from brokers.models import BrokerConnection, ConnectionStatus, TradingAccount
from brokers.telling import tell_managers
from notifications.models import AlertLevel, NotificationType
from operations.events import publish
from operations.installation import doubt_now, keep_pulse
from operations.logs import record_log
from operations.models import LogType, Severity
from operations.sentences import as_sentences
from risk.models import RiskRule, RuleType
from risk.stopping import CancelledEntries, EntriesStopped, announce_stop

_MEANS_ON = "Real orders of this account leave from now on."
_MEANS_OFF = "Only orders that close what is open still leave."


class NotReadyForLive(Exception):
    """Something that must hold before real orders leave does not."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold, and what to do where it does not.

    ``is_asked`` is False where nothing was written down to hold to: it is met, and proves nothing.
    """

    name: str
    is_met: bool
    words: str
    is_asked: bool = True


def live_conditions(account: TradingAccount, *, now: datetime) -> list[Condition]:
    return list(_conditions(account, now=now))


@transaction.atomic
def turn_live_on(account: TradingAccount, *, by: User, now: datetime) -> None:
    """Let real orders of this account leave, and tell every manager.

    :raises PermissionDenied: when the person does not manage the workspace.
    :raises NotReadyForLive: naming what does not hold.
    """
    require_managing_role(by, account.workspace)
    # Whoever disconnects or replaces credentials locks it too, and turns live trading off.
    BrokerConnection.objects.select_for_update(no_key=True).get(pk=account.connection_id)
    held = TradingAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
    missing = [each for each in _conditions(held, now=now) if not each.is_met]
    if held.is_paper or missing:
        raise NotReadyForLive(
            as_sentences(each.words for each in missing) or "It is a paper account"
        )
    keep_pulse(now=now)
    held.live_enabled = True
    held.save(update_fields=["live_enabled"])
    _tell(held, by=by, is_on=True, now=now)


def turn_live_off(account: TradingAccount, *, by: User, now: datetime) -> CancelledEntries:
    """Let no new entry leave, and cancel those that are open. Exits and cancels still leave.

    :raises PermissionDenied: when the person does not manage the workspace.
    """
    require_managing_role(by, account.workspace)
    live = TradingAccount.objects.filter(pk=account.pk, live_enabled=True)
    with transaction.atomic():
        if live.update(live_enabled=False):
            _tell(account, by=by, is_on=False, now=now)
    stop = EntriesStopped(
        "Live trading was turned off",
        now,
        workspace_id=account.workspace_id,
        account_id=account.pk,
    )
    return announce_stop(stop)


def _conditions(account: TradingAccount, *, now: datetime) -> Iterator[Condition]:
    connection = account.connection
    yield Condition(
        "Live trading is on for this installation",
        settings.LIVE_TRADING,
        "Whoever runs this server sets LIVE_TRADING=on and starts it again",
    )
    doubt = doubt_now()
    yield Condition(
        "This database is the one that traded last",
        doubt is None,
        f"{doubt.words}: confirm it on the Risk page first" if doubt else "",
    )
    yield Condition(
        "Somebody is logged in at the broker",
        connection.status == ConnectionStatus.CONNECTED,
        f"Log in at {connection.get_broker_type_display()} first",
    )
    problem = _address_problem(connection, now=now)
    is_asked = bool(connection.connection_metadata.get("static_ip"))
    yield Condition("Orders leave by the registered address", not problem, problem, is_asked)
    yield Condition(
        "The account agrees with its broker",
        account.reconciled_at is not None,
        "It has not been compared yet: press Compare now on the Brokers page",
    )
    yield Condition(
        "All that the broker lists can be read",
        not account.unreadable_rows.exists(),
        "Some of what the broker lists cannot be read, and was not compared: see Differences",
    )
    yield Condition(
        "A largest loss for the day is set",
        has_daily_loss_limit(account),
        f"Set a rule “{RuleType.MAX_DAILY_LOSS.label}” in {account.currency} on the Risk page",
    )
    yield Condition("The account is active", account.is_active, "It is switched off")


def _address_problem(connection: BrokerConnection, *, now: datetime) -> str:
    try:
        check_known_address(connection, now=now)
    except AddressDiffers as error:
        return str(error)
    return ""


def has_daily_loss_limit(account: TradingAccount) -> bool:
    """Look for one that reaches the whole account: a strategy's own is not enough."""
    rules = RiskRule.objects.filter(Q(account=None) | Q(account=account), user_strategy=None)
    return rules.filter(
        workspace=account.workspace_id,
        rule_type=RuleType.MAX_DAILY_LOSS,
        currency=account.currency,
        is_active=True,
    ).exists()


def _tell(account: TradingAccount, *, by: User, is_on: bool, now: datetime) -> None:
    words = f"Live trading was turned {'on' if is_on else 'off'} for {account.name}"
    record_log(f"{words} by {by.name}", type=LogType.BROKER, level=Severity.WARNING, user=by)
    tell_managers(
        account.workspace,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.WARNING,
        title=words,
        message=f"By {by.name}. {_MEANS_ON if is_on else _MEANS_OFF}",
        now=now,
    )
    publish("brokers", workspace_id=account.workspace_id, subject_id=account.connection_id, now=now)
