"""Change a working order. The change is written first, sent once, and true only when proven."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from accounts.permissions import require_trading_role
from brokers.capabilities import Capabilities
from brokers.terms import OrderType, Product, Side, Validity
from operations.figures import rupees
from orders.lifecycle import IllegalTransition, Move
from orders.models import EventSource, ModificationType, Order, OrderModification
from orders.nudging import nudge_order
from orders.requests import OrderRequest
from orders.services.appraising import Appraisal, appraise
from orders.services.placing import conditions_for, proposal_for
from orders.services.sending import locked_order
from orders.services.transitions import Note, make_move
from orders.validation import OrderInvalid, check_request
from risk.proposal import Proposal, Verdict
from risk.services import evaluate_change, judge_change

__all__ = ["IllegalTransition", "OrderChanges", "OrderInvalid", "modify_order"]


@dataclass(frozen=True, slots=True)
class OrderChanges:
    """What shall be different; None leaves it as it is."""

    quantity: int | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None


def modify_order(order: Order, *, changes: OrderChanges, by: User, now: datetime) -> Order:
    """Ask for a change of a working order; a worker sends it.

    :raises PermissionDenied: when the person may not trade in the order's workspace.
    :raises OrderInvalid: when the order as changed could not be placed, or risk refuses it.
    :raises IllegalTransition: when the order is not working.
    """
    require_trading_role(by, order.workspace)
    return _write(order, _appraised(order, changes, now=now), by=by, now=now)


def check_change(order: Order, changes: OrderChanges, *, now: datetime) -> None:
    """Let a change pass that :func:`modify_order` would ask for now; nothing is written.

    :raises OrderInvalid: as :func:`modify_order` would.
    """
    appraised = _appraised(order, changes, now=now)
    _check_held(order, appraised)
    _require_allowed(evaluate_change(_proposal(order, appraised, now=now)))


def changed_request(order: Order, changes: OrderChanges) -> OrderRequest:
    """Return the order as it would be if it were placed changed."""
    wanted = _wanted(order, changes)
    request = replace(_request(order), quantity=wanted.quantity, price=wanted.price)
    return replace(request, trigger_price=wanted.trigger_price)


def unfilled_of(order: Order, request: OrderRequest) -> OrderRequest:
    """Return what of a changed order would remain to be filled: at least one."""
    return replace(request, quantity=max(request.quantity - order.filled_quantity, 1))


@dataclass(frozen=True, slots=True)
class _Wanted:
    quantity: int
    price: Decimal | None
    trigger_price: Decimal | None


def _wanted(order: Order, changes: OrderChanges) -> _Wanted:
    return _Wanted(
        order.quantity if changes.quantity is None else changes.quantity,
        order.price if changes.price is None else changes.price,
        order.trigger_price if changes.trigger_price is None else changes.trigger_price,
    )


def _request(order: Order) -> OrderRequest:
    return OrderRequest(
        account=order.account,
        instrument=order.instrument,
        side=Side(order.side),
        quantity=order.quantity,
        order_type=OrderType(order.order_type),
        product=Product(order.product),
        validity=Validity(order.validity),
        price=order.price,
        trigger_price=order.trigger_price,
        is_amo=order.is_amo,
        user_strategy_id=order.user_strategy_id,
    )


@dataclass(frozen=True, slots=True)
class _Appraised:
    """What is wanted, as a request for what would remain unfilled, and what was looked up of it."""

    wanted: _Wanted
    request: OrderRequest
    appraisal: Appraisal
    able: Capabilities | None


def _appraised(order: Order, changes: OrderChanges, *, now: datetime) -> _Appraised:
    wanted = _wanted(order, changes)
    _check_filled(order, wanted)
    request = changed_request(order, changes)
    conditions = conditions_for(request, now)
    check_request(request, conditions)
    remaining = unfilled_of(order, request)
    return _Appraised(wanted, remaining, appraise(remaining, now), conditions.capabilities)


def _check_held(held: Order, appraised: _Appraised) -> None:
    if not _differences(held, appraised.wanted):
        raise OrderInvalid({"quantity": ["Nothing is different"]})
    _check_filled(held, appraised.wanted)
    _check_changes_left(held, appraised.able)


def _check_filled(order: Order, wanted: _Wanted) -> None:
    if wanted.quantity <= order.filled_quantity:
        words = f"{rupees(order.filled_quantity, 0)} have filled already"
        raise OrderInvalid({"quantity": [words]})


def _check_changes_left(order: Order, able: Capabilities | None) -> None:
    """Refuse what the broker would refuse: it takes only so many changes of one order."""
    if able is None:
        return
    broker = order.account.connection.get_broker_type_display()
    if not able.modifies:
        raise OrderInvalid({"quantity": [f"{broker} takes no changes: cancel and place it anew"]})
    asked = OrderModification.objects.filter(order=order).values("requested_at").distinct().count()
    if able.modify_limit is not None and asked >= able.modify_limit:
        words = f"{broker} takes {able.modify_limit} changes of one order, and this one had {asked}"
        raise OrderInvalid({"quantity": [f"{words}: cancel it and place it anew"]})


@transaction.atomic
def _write(order: Order, appraised: _Appraised, *, by: User, now: datetime) -> Order:
    held, wanted = locked_order(order.pk), appraised.wanted
    _check_held(held, appraised)
    _require_allowed(judge_change(_proposal(held, appraised, now=now), now=now))
    differences = _differences(held, wanted)
    for kind, old, new in differences:
        OrderModification.objects.create(
            order=held,
            modification_type=kind,
            old_value=old,
            new_value=new,
            requested_by=by,
            requested_at=now,
        )
    words = ", ".join(f"{kind.lower().replace('_', ' ')} {new}" for kind, _, new in differences)
    held.command_sent_at = None
    note = Note(Move.ASK_MODIFY, EventSource.USER, now, f"{by.name} asked for {words}")
    make_move(held, Move.ASK_MODIFY, note=note, now=now)
    nudge_order(held.pk, is_urgent=held.is_exit)
    return held


def _proposal(held: Order, appraised: _Appraised, *, now: datetime) -> Proposal:
    remaining = appraised.wanted.quantity - held.filled_quantity
    request = replace(appraised.request, quantity=remaining)
    proposal = proposal_for(request, appraised.appraisal, order_id=held.pk, now=now)
    return replace(proposal, only_smaller=_is_only_smaller(held, appraised.wanted))


def _is_only_smaller(order: Order, wanted: _Wanted) -> bool:
    prices = (wanted.price, wanted.trigger_price)
    return wanted.quantity < order.quantity and prices == (order.price, order.trigger_price)


def _require_allowed(decision: Verdict) -> None:
    if not decision.is_allowed:
        raise OrderInvalid({"quantity": [refusal.message for refusal in decision.refusals]})


def _differences(order: Order, wanted: _Wanted) -> list[tuple[ModificationType, str, str]]:
    pairs = (
        (ModificationType.QUANTITY, order.quantity, wanted.quantity),
        (ModificationType.PRICE, order.price, wanted.price),
        (ModificationType.TRIGGER_PRICE, order.trigger_price, wanted.trigger_price),
    )
    return [(kind, _plain(old), _plain(new)) for kind, old, new in pairs if old != new]


def _plain(value: Decimal | int | None) -> str:
    return "" if value is None else f"{Decimal(value).normalize():f}"
