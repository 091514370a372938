"""Switch strategies on, pause them, and switch them off for good."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.permissions import require_trading_role
from operations.events import publish
from orders.models import Order
from orders.services.exiting import exit_positions
from portfolio.models import Position
from strategies.catalogue import parameters_of
from strategies.models import ActivationStatus, Signal, SignalStatus, UserStrategy
from strategies.parameters import parse_parameters, to_json
from strategies.validation import (
    ActivationInvalid,
    ActivationRequest,
    account_faults,
    check_activation,
)

_RUNNING = (ActivationStatus.ACTIVE, ActivationStatus.PAUSED)


class ActivationNotChanged(Exception):
    """The activation is not in a state from which it could be changed so."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What stopping did: the exits that were ordered, and those that could not be."""

    exits: list[Order] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def activate_strategy(request: ActivationRequest, *, user: User, now: datetime) -> UserStrategy:
    """Switch a strategy on; it is evaluated from the next candle that closes.

    :raises PermissionDenied: when the person may not trade in the account's workspace.
    :raises ActivationInvalid: when something about the request does not fit, naming all of it.
    """
    require_trading_role(user, request.account.workspace)
    check_activation(request, user=user, now=now)
    try:
        return _write(request, user=user, now=now)
    except IntegrityError as error:
        words = f"{request.strategy} is already switched on for {request.account}."
        raise ActivationInvalid({"strategy": [words]}) from error


def pause_activation(activation: UserStrategy, *, by: User, now: datetime) -> None:
    """Judge no more candles until it is resumed. Positions stay as they are, unwatched by it.

    :raises PermissionDenied: when the person may not trade in the workspace.
    :raises ActivationNotChanged: when it is not active.
    """
    require_trading_role(by, activation.workspace)
    _move(activation, (ActivationStatus.ACTIVE,), ActivationStatus.PAUSED, now=now)


def resume_activation(activation: UserStrategy, *, by: User, now: datetime) -> None:
    """Judge candles again, from the next one that closes.

    :raises PermissionDenied: when the person may not trade in the workspace.
    :raises ActivationNotChanged: when it is not paused, or its account cannot trade any more.
    """
    require_trading_role(by, activation.workspace)
    for _, words in account_faults(activation.account):
        raise ActivationNotChanged(words)
    _move(activation, (ActivationStatus.PAUSED,), ActivationStatus.ACTIVE, now=now)


def stop_activation(
    activation: UserStrategy, *, by: User, now: datetime, exits_positions: bool = False
) -> Stopped:
    """Switch it off for good; signals that wait are dropped, and its positions closed if asked.

    It is off even where a position cannot be closed: the answer says which, and why.

    :raises PermissionDenied: when the person may not trade in the workspace.
    :raises ActivationNotChanged: when it was stopped before.
    """
    require_trading_role(by, activation.workspace)
    with transaction.atomic():
        _move(activation, _RUNNING, ActivationStatus.STOPPED, now=now)
        Signal.objects.filter(user_strategy=activation, status=SignalStatus.RECORDED).update(
            status=SignalStatus.EXPIRED, outcome="The strategy was stopped"
        )
    if not exits_positions:
        return Stopped()
    positions = (
        Position.objects.open()
        .filter(user_strategy=activation)
        .select_related("instrument", "account__connection", "account__workspace")
    )
    return Stopped(
        *exit_positions(positions, by=by, now=now, idempotency_key=f"stop:{activation.pk}")
    )


@transaction.atomic
def _write(request: ActivationRequest, *, user: User, now: datetime) -> UserStrategy:
    values = parse_parameters(
        parameters_of(request.strategy.algorithm),
        {**request.strategy.parameters, **request.custom_parameters},
    )
    own = {name: values[name] for name in request.custom_parameters}
    activation = UserStrategy.objects.create(
        workspace=request.account.workspace,
        user=user,
        strategy=request.strategy,
        account=request.account,
        interval=request.interval,
        product=request.product,
        allocation_amount=request.allocation,
        custom_parameters=to_json(own),
        activated_at=now,
    )
    activation.instruments.set(request.instruments)
    publish("strategies", workspace_id=activation.workspace_id, subject_id=activation.pk, now=now)
    return activation


@transaction.atomic
def _move(
    activation: UserStrategy,
    expected: tuple[ActivationStatus, ...],
    status: ActivationStatus,
    *,
    now: datetime,
) -> None:
    deactivated_at = now if status is ActivationStatus.STOPPED else None
    moved = UserStrategy.objects.filter(pk=activation.pk, status__in=expected).update(
        status=status, deactivated_at=deactivated_at, updated_at=now
    )
    if not moved:
        activation.refresh_from_db(fields=["status"])
        state = activation.get_status_display().lower()
        raise ActivationNotChanged(f"{activation.strategy} is {state}.")
    activation.status, activation.deactivated_at = status, deactivated_at
    publish("strategies", workspace_id=activation.workspace_id, subject_id=activation.pk, now=now)
