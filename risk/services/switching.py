"""Set what a desk may do: active, exits only, or halted; and the kill switch above all.

What sets a stop first commits it and then has the open entries cancelled that it forbids: call
these outside a transaction.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import User, Workspace
from accounts.permissions import require_trading_role
from brokers.models import TradingAccount
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify_workspace
from operations.errors import contained
from operations.events import publish
from risk.kinds import MoneyKind
from risk.models import ControlType, RiskRule, SetBy, TraderControl, Trading, TradingState
from risk.releasing import record_release, require_may_release, set_by
from risk.stopping import EntriesStopped, announce_stop
from risk.stops import STRICTNESS

_MORE_SAY = (SetBy.TRADER, SetBy.ADMIN, SetBy.OWNER, SetBy.OPERATOR)
# A switch that others engage and release in turn is engaged at one of them; other errors end here.
_ATTEMPTS = 20


class ForeignScope(Exception):
    """The account or the strategy is not one of the workspace."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a state speaks of: the workspace, or one account or strategy of it.

    Without ``kind`` it holds for every kind of money, as what a person sets always does.
    """

    workspace: Workspace
    account: TradingAccount | None = None
    user_strategy_id: uuid.UUID | None = None
    kind: MoneyKind | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a state changes, and who or which rule wants it; by None is the command line."""

    reason: str
    by: User | None = None
    rule: RiskRule | None = None


def set_trading_state(scope: Scope, state: Trading, *, cause: Cause, now: datetime) -> TradingState:
    """Set the state of a workspace, account or strategy; the strictest of all that apply wins.

    What a person sets less strict releases what others and the rules have set there, for every
    kind of money. The answer's ``cancelled`` says which open entries a stop has cancelled.

    :raises PermissionDenied: when a person without a trading role asks.
    :raises ForeignScope: when its account or strategy is not of the workspace.
    :raises ReleaseRefused: when somebody with more say has stopped it, or a reason is missing.
    """
    if cause.by is not None:
        require_trading_role(cause.by, scope.workspace)
    _check_own(scope)
    row = write_trading_state(scope, state, cause=cause, now=now)
    if state is not Trading.ACTIVE:
        row.cancelled = announce_stop(stop_of(scope, cause.reason, now=now))
    return row


@transaction.atomic
def write_trading_state(
    scope: Scope, state: Trading, *, cause: Cause, now: datetime
) -> TradingState:
    """Write a state alone; whoever calls announces the stop once it is committed."""
    if cause.rule is None:
        _release_stricter(scope, state, cause=cause, now=now)
    setter = set_by(cause.by, scope.workspace) if cause.rule is None else SetBy.RULE
    row, _ = TradingState.objects.update_or_create(
        workspace=scope.workspace,
        account=scope.account,
        user_strategy_id=scope.user_strategy_id,
        rule=cause.rule,
        set_by=setter,
        is_live=scope.kind.is_live if scope.kind else None,
        currency=scope.kind.currency if scope.kind else "",
        defaults={
            "state": state,
            "reason": cause.reason[:300],
            "changed_by": cause.by,
            "changed_at": now,
        },
    )
    publish("risk", workspace_id=scope.workspace.pk, subject_id=row.pk, now=now)
    return row


def stop_of(scope: Scope, reason: str, *, now: datetime) -> EntriesStopped:
    """Say whose entries a state of this scope stops: those of a kind of money, of its workspace."""
    account_id = scope.account.pk if scope.account else None
    return EntriesStopped(reason, now, workspace_id=scope.workspace.pk, account_id=account_id)


def _check_own(scope: Scope) -> None:
    workspace, strategy_id = scope.workspace, scope.user_strategy_id
    if scope.account is not None and scope.account.workspace_id != workspace.pk:
        raise ForeignScope("The account belongs to another workspace")
    if strategy_id is None:
        return
    if not workspace.user_strategies.filter(pk=strategy_id).exists():
        raise ForeignScope("The strategy belongs to another workspace")


def _release_stricter(scope: Scope, state: Trading, *, cause: Cause, now: datetime) -> None:
    """Let go what is stricter than the new state; all of it, or nothing."""
    there = TradingState.objects.filter(
        workspace=scope.workspace, account=scope.account, user_strategy_id=scope.user_strategy_id
    ).exclude(state=Trading.ACTIVE)
    locked = there.select_for_update(of=("self",)).select_related("workspace").order_by("pk")
    stricter = [row for row in locked if _is_stricter(row, state)]
    for row in stricter:
        require_may_release(row, cause.by, reason=cause.reason)
    for row in stricter:
        record_release(f"{row.state}, {row.reason}", by=cause.by, reason=cause.reason)
        row.state, row.reason = Trading.ACTIVE, f"Released: {cause.reason}"[:300]
        row.changed_by, row.changed_at = cause.by, now
        row.save(update_fields=["state", "reason", "changed_by", "changed_at"])


def _is_stricter(row: TradingState, state: Trading) -> bool:
    return STRICTNESS.index(Trading(row.state)) > STRICTNESS.index(state)


def engage_kill_switch(
    workspace: Workspace | None, *, by: User | None, reason: str, now: datetime
) -> TraderControl:
    """Stop every new entry of a workspace, or of all with None, from this commit on.

    Needs the database alone. Engaging twice is engaging once, with the say of the higher of the
    two. The answer's ``cancelled`` says which open entries it has cancelled.

    :raises PermissionDenied: when a person without a trading role asks.
    """
    if by is not None and workspace is not None:
        require_trading_role(by, workspace)
    switch = _engage(workspace, by=by, reason=reason, now=now)
    workspace_id = workspace.pk if workspace else None
    switch.cancelled = announce_stop(EntriesStopped(reason, now, workspace_id=workspace_id))
    return switch


def _engage(
    workspace: Workspace | None, *, by: User | None, reason: str, now: datetime
) -> TraderControl:
    wanted = TraderControl(
        workspace=workspace,
        control_type=ControlType.KILL_SWITCH,
        reason=reason[:300],
        set_by=set_by(by, workspace),
        activated_by=by,
        activated_at=now,
    )
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic():
                wanted.save(force_insert=True)
            break
        except IntegrityError:
            on = _strengthened(workspace, wanted.set_by)
            if on is not None:
                return on
            # It was on, and somebody has released it since: engage it again.
            if attempt == _ATTEMPTS:
                raise
    with contained("telling of the kill switch"):
        _tell(workspace, f"Trading is halted: {reason}", AlertLevel.CRITICAL, now=now)
    return wanted


def _strengthened(workspace: Workspace | None, setter: str) -> TraderControl | None:
    """The switch that is on, with at least the say of this setter; None when it is off by now."""
    on = TraderControl.objects.kill_switches().filter(workspace=workspace, account=None)
    weaker = _MORE_SAY[: _MORE_SAY.index(SetBy(setter))]
    on.filter(set_by__in=weaker).update(set_by=setter)
    return on.first()


def release_kill_switch(
    workspace: Workspace | None, *, by: User | None, now: datetime, reason: str = ""
) -> bool:
    """Let entries through again; answer whether the switch was on.

    :raises PermissionDenied: when a person without a trading role asks.
    :raises ReleaseRefused: when somebody with more say has engaged it.
    """
    if by is not None and workspace is not None:
        require_trading_role(by, workspace)
    with transaction.atomic():
        on = TraderControl.objects.kill_switches().filter(workspace=workspace, account=None)
        switch = on.select_for_update(of=("self",)).first()
        if switch is None:
            return False
        require_may_release(switch, by, reason=reason)
        switch.deactivated_at, switch.deactivated_by = now, by
        switch.save(update_fields=["deactivated_at", "deactivated_by"])
        record_release(f"the kill switch, {switch.reason}", by=by, reason=reason)
        _tell(workspace, "Trading may go on", AlertLevel.WARNING, now=now)
    return True


def _tell(workspace: Workspace | None, words: str, level: AlertLevel, *, now: datetime) -> None:
    desks = Workspace.objects.all() if workspace is None else [workspace]
    for desk in desks:
        publish("risk", workspace_id=desk.pk, now=now)
        notify_workspace(
            desk,
            kind=NotificationType.RISK_ALERT,
            level=level,
            title=words[:200],
            message="Exits and cancels stay possible" if level is AlertLevel.CRITICAL else "",
            now=now,
        )
