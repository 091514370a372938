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
from risk.models import ControlType, RiskRule, TraderControl, Trading, TradingState


@dataclass(frozen=True, slots=True)
class Scope:
    """What a state speaks of: the workspace, or one account or strategy of it."""

    workspace: Workspace
    account: TradingAccount | None = None
    user_strategy_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a state changes, and who or which rule wants it; by None is the command line."""

    reason: str
    by: User | None = None
    rule: RiskRule | None = None


@transaction.atomic
def set_trading_state(scope: Scope, state: Trading, *, cause: Cause, now: datetime) -> TradingState:
    """Set the state of a workspace, account or strategy; the strictest of all that apply wins.

    A person who sets it active also lifts what the rules have set there.

    :raises PermissionDenied: when a person without a trading role asks.
    """
    if cause.by is not None:
        require_trading_role(cause.by, scope.workspace)
    row, _ = TradingState.objects.update_or_create(
        workspace=scope.workspace,
        account=scope.account,
        user_strategy_id=scope.user_strategy_id,
        rule=cause.rule,
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
        return TraderControl.objects.get(
            workspace=workspace,
            account=None,
            control_type=ControlType.KILL_SWITCH,
            deactivated_at=None,
        )
    _tell(workspace, f"Trading is halted: {reason}", AlertLevel.CRITICAL, now=now)
    return switch


def release_kill_switch(workspace: Workspace | None, *, by: User | None, now: datetime) -> bool:
    """Let entries through again; answer whether the switch was on.

    :raises PermissionDenied: when a person without a trading role asks.
    """
    if by is not None and workspace is not None:
        require_trading_role(by, workspace)
    released = TraderControl.objects.filter(
        workspace=workspace,
        account=None,
        control_type=ControlType.KILL_SWITCH,
        deactivated_at=None,
    ).update(deactivated_at=now, deactivated_by=by)
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
