"""Halt a desk: engage the kill switch, which cancels entries, and close what is open if asked."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User, Workspace
from orders.models import Order
from orders.services.exiting import exit_positions
from portfolio.models import Position
from risk.services import engage_kill_switch


@dataclass(frozen=True, slots=True)
class HaltRequest:
    """``key`` makes a second press find the exits of the first, should there be any."""

    by: User
    reason: str
    key: str
    exits_positions: bool = False


@dataclass(frozen=True, slots=True)
class Halted:
    """What came of a halt; ``complaints`` say what could not be cancelled or exited, and why."""

    cancelled: int
    exits: list[Order]
    complaints: list[str]


def halt_trading(workspace: Workspace, request: HaltRequest, *, now: datetime) -> Halted:
    """Stop a desk's trading, in steps that hold each by itself.

    An order that cannot be cancelled now is, once it can be: the sweep comes back to it.

    :raises PermissionDenied: when the person may not trade in the workspace; nothing is done.
    """
    switch = engage_kill_switch(workspace, by=request.by, reason=request.reason, now=now)
    exits, complaints = list[Order](), list(switch.cancelled.left)
    if request.exits_positions:
        positions = Position.objects.open().filter(workspace=workspace)
        exits, obstacles = exit_positions(
            positions.select_related("instrument", "account__connection"),
            by=request.by,
            now=now,
            idempotency_key=request.key,
        )
        complaints += obstacles
    return Halted(switch.cancelled.count, exits, complaints)
