"""Set what a desk may do: active, exits only, or halted; and the kill switch above all."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import User, Workspace
from accounts.permissions import require_trading_role
from brokers.models import TradingAccount
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify_workspace
from operations.events import publish
from risk.kinds import MoneyKind
from risk.models import ControlType, RiskRule, TraderControl, Trading, TradingState


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


@transaction.atomic
def set_trading_state(scope: Scope, state: Trading, *, cause: Cause, now: datetime) -> TradingState:
    """Set the state of a workspace, account or strategy; the strictest of all that apply wins.

    A person who sets it active also lifts what the rules have set there, for every kind of money.

    :raises PermissionDenied: when a person without a trading role asks.
    :raises ForeignScope: when its account or strategy is not of the workspace.
    """
    if cause.by is not None:
        require_trading_role(cause.by, scope.workspace)
    _check_own(scope)
    row, _ = TradingState.objects.update_or_create(
        workspace=scope.workspace,
        account=scope.account,
        user_strategy_id=scope.user_strategy_id,
        rule=cause.rule,
        is_live=scope.kind.is_live if scope.kind else None,
        currency=scope.kind.currency if scope.kind else "",
        defaults={
            "state": state,
            "reason": cause.reason[:300],
            "changed_by": cause.by,
            "changed_at": now,
        },
    )
    if state is Trading.ACTIVE and cause.rule is None:
        _lift_rules(scope, now=now)
    publish("risk", workspace_id=scope.workspace.pk, subject_id=row.pk, now=now)
    return row


def _check_own(scope: Scope) -> None:
    workspace, strategy_id = scope.workspace, scope.user_strategy_id
    if scope.account is not None and scope.account.workspace_id != workspace.pk:
        raise ForeignScope("The account belongs to another workspace")
    if strategy_id is None:
        return
    if not workspace.user_strategies.filter(pk=strategy_id).exists():
        raise ForeignScope("The strategy belongs to another workspace")


def _lift_rules(scope: Scope, *, now: datetime) -> None:
    set_by_rules = TradingState.objects.filter(
        workspace=scope.workspace,
        account=scope.account,
        user_strategy_id=scope.user_strategy_id,
    ).exclude(rule=None)
    set_by_rules.update(state=Trading.ACTIVE, reason="Lifted by hand", changed_at=now)


def engage_kill_switch(
    workspace: Workspace | None, *, by: User | None, reason: str, now: datetime
) -> TraderControl:
    """Stop every new entry of a workspace, or of all with None, from this commit on.

    Needs the database alone. Engaging twice is engaging once.

    :raises PermissionDenied: when a person without a trading role asks.
    """
    if by is not None and workspace is not None:
        require_trading_role(by, workspace)
    try:
        with transaction.atomic():
            switch = TraderControl.objects.create(
                workspace=workspace,
                control_type=ControlType.KILL_SWITCH,
                reason=reason[:300],
                activated_by=by,
                activated_at=now,
            )
    except IntegrityError:
        return TraderControl.objects.kill_switches().get(workspace=workspace, account=None)
    _tell(workspace, f"Trading is halted: {reason}", AlertLevel.CRITICAL, now=now)
    return switch


def release_kill_switch(workspace: Workspace | None, *, by: User | None, now: datetime) -> bool:
    """Let entries through again; answer whether the switch was on.

    :raises PermissionDenied: when a person without a trading role asks.
    """
    if by is not None and workspace is not None:
        require_trading_role(by, workspace)
    on = TraderControl.objects.kill_switches().filter(workspace=workspace, account=None)
    released = on.update(deactivated_at=now, deactivated_by=by)
    if released:
        _tell(workspace, "Trading may go on", AlertLevel.WARNING, now=now)
    return bool(released)


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
