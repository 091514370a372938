"""Halt a desk: shut the switch, cancel what would open positions, close what is open if asked."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User, Workspace
from orders.models import Order
from orders.services.cancelling import cancel_orders
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

    The switch is shut first, so that nothing new leaves while the open orders are cancelled.
    An order that cannot be cancelled now is, once it can be: the sweep comes back to it.

    :raises PermissionDenied: when the person may not trade in the workspace; nothing is done.
    """
    engage_kill_switch(workspace, by=request.by, reason=request.reason, now=now)
    entries = Order.objects.filter(workspace=workspace).halted_with_trading().alive()
    orders = list(entries.select_related("instrument", "workspace"))
    cancelled, complaints = cancel_orders(orders, by=None, now=now)
    exits: list[Order] = []
    if request.exits_positions:
        positions = Position.objects.open().filter(workspace=workspace)
        exits, obstacles = exit_positions(
            positions.select_related("instrument", "account__connection"),
            by=request.by,
            now=now,
            idempotency_key=request.key,
        )
        complaints += obstacles
    return Halted(cancelled, exits, complaints)
