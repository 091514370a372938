"""Place an order in the slices that its exchange takes, each an order with its own outcome."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from operations.ids import new_id
from operations.sentences import as_sentences
from orders.models import Order
from orders.requests import OrderRequest
from orders.services.appraising import Appraisal, appraise
from orders.services.placing import (
    LONGEST_KEY,
    OrderInvalid,
    conditions_for,
    place_order,
    proposal_for,
)
from orders.slicing import check_entry, parts_of
from orders.states import OrderStatus
from orders.validation import check_request
from risk.proposal import Verdict
from risk.services import evaluate_order


@dataclass(frozen=True, slots=True)
class Placed:
    """The orders of one request; ``not_placed`` is how much of it none carries, and why."""

    orders: tuple[Order, ...]
    not_placed: int = 0
    reason: str = ""


def place_in_slices(
    request: OrderRequest, *, user: User, idempotency_key: str, now: datetime
) -> Placed:
    """Place an order, in several where it is above the freeze quantity; each has its own key.

    The whole is evaluated before a part of it leaves, so that no limit is passed in slices. After
    a slice that is refused none follows. The same key with the same whole answers the orders that
    are written and places those that are missing.

    :raises PermissionDenied: when the person may not trade in the account's workspace.
    :raises OrderInvalid: naming each field that is wrong, or what risk has against the whole.
    :raises IdempotencyConflict: when the key was used for another order.
    """
    parts = parts_of(request, at=now)
    if len(parts) > 1 and not _is_written(request, idempotency_key):
        _check_whole(request, now)
    orders = list[Order]()
    for number, part in enumerate(parts, start=1):
        key = slice_key(idempotency_key, number)
        try:
            order = place_order(part, user=user, idempotency_key=key, now=now, whole=request)
        except OrderInvalid as error:
            if not orders:
                raise
            return _cut_short(request, orders, str(error))
        orders.append(order)
        if order.state is OrderStatus.DENIED:
            return _cut_short(request, orders, order.error_message)
    return Placed(tuple(orders))


def decide(request: OrderRequest, appraisal: Appraisal, now: datetime) -> Verdict:
    """Decide on an order whole as it is, as placing does; nothing is held.

    :raises OrderInvalid: naming each field that is wrong.
    """
    part = parts_of(request, at=now)[0]
    check_request(part, conditions_for(part, now))
    decision = evaluate_order(proposal_for(request, appraisal, order_id=new_id(), now=now))
    if not decision.is_exit:
        check_entry(request, at=now)
    return decision


def slice_key(key: str, number: int) -> str:
    """Return the key of one slice: the first has the request's own."""
    return key if number == 1 else f"{key}:{number}"[-LONGEST_KEY:]


def _check_whole(request: OrderRequest, now: datetime) -> None:
    decision = decide(request, appraise(request, now), now)
    if not decision.is_allowed:
        words = as_sentences(refusal.message for refusal in decision.refusals)
        raise OrderInvalid({"instrument": [words]})


def _is_written(request: OrderRequest, key: str) -> bool:
    return Order.objects.filter(
        workspace=request.account.workspace, source=request.source, idempotency_key=key
    ).exists()


def _cut_short(request: OrderRequest, orders: list[Order], reason: str) -> Placed:
    placed = sum(order.quantity for order in orders if order.state is not OrderStatus.DENIED)
    return Placed(tuple(orders), request.quantity - placed, reason)
