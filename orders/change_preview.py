"""What a change of a working order would need, told before it is asked for. Nothing is written."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from orders.models import Order
from orders.services.appraising import appraise
from orders.services.modifying import (
    OrderChanges,
    OrderInvalid,
    changed_request,
    check_change,
    unfilled_of,
)
from risk.models import Reservation
from risk.selectors import free_money

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """The margin of what would remain unfilled, what of it is held already, and the free money."""

    quantity: int
    needed: Decimal
    held: Decimal
    available: Decimal

    @property
    def more(self) -> Decimal:
        return max(self.needed - self.held, NOTHING)

    @property
    def is_short(self) -> bool:
        return self.more > self.available


def refusal_of(order: Order, changes: OrderChanges, *, now: datetime) -> str:
    """What asking for the change would answer, word for word; empty where it may go."""
    try:
        check_change(order, changes, now=now)
    except OrderInvalid as refusal:
        return str(refusal)
    return ""


def preview_change(order: Order, changes: OrderChanges, *, now: datetime) -> ChangePreview | None:
    """Appraise a change as risk would; None for an exit, and where nobody can tell."""
    held = Reservation.objects.filter(order_id=order.pk, is_exit=False).first()
    if held is None:
        return None
    remaining = unfilled_of(order, changed_request(order, changes))
    known = appraise(remaining, now)
    if known.margin is None or known.available is None:
        return None
    free = free_money(order.account, available=known.available, as_of=known.as_of)
    return ChangePreview(remaining.quantity, known.margin.total, held.margin_held, free)
