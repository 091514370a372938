"""Place an order: judged, reserved and written, before anything leaves the house."""

import hashlib
import json
import uuid
from dataclasses import fields
from datetime import datetime, timedelta

from django.db import IntegrityError, models, transaction

from accounts.models import User
from accounts.permissions import require_active, require_trading_role
from brokers.gateway import Margin
from brokers.registry import UnknownBroker, capabilities_of
from brokers.terms import Side
from brokers.venue import CalendarUnknown, installed_venue
from market.freshness import list_complaint
from market.quotes import quote_of
from market.rules.freeze import freeze_quantity
from operations.ids import new_id, new_order_tag
from operations.sentences import as_sentences
from orders.models import EventSource, Order, OrderSource
from orders.nudging import nudge_order
from orders.requests import OrderRequest
from orders.services.appraising import Appraisal, appraise
from orders.services.transitions import Note, add_event, tell_owner
from orders.states import OrderStatus
from orders.validation import Conditions, OrderInvalid, check_request
from portfolio.models import MarginRequirement, Position, ShareCredit
from portfolio.services import count_order, start_session
from risk.proposal import Proposal, Verdict
from risk.services import judge, record_refusals

__all__ = ["IdempotencyConflict", "OrderInvalid", "place_order"]

# An order that has not left by then is stale: the market it was meant for has moved on.
SEND_WITHIN = timedelta(seconds=30)
LONGEST_KEY = 100


class IdempotencyConflict(Exception):
    """The same key came with another order."""


def place_order(
    request: OrderRequest,
    *,
    user: User,
    idempotency_key: str,
    now: datetime,
    whole: OrderRequest | None = None,
) -> Order:
    """Write an order that a worker will send; one that risk refuses is written as DENIED.

    The same key with the same order answers the order already written. A slice of a larger order
    names the ``whole``: as a slice of another one it is another order.

    :raises PermissionDenied: when the person may not trade in the account's workspace.
    :raises OrderInvalid: naming each field that is wrong.
    :raises IdempotencyConflict: when the key was used for another order.
    """
    if not _is_own_way_out(request):
        _require_trader(user, request, now=now)
    if not 0 < len(idempotency_key) <= LONGEST_KEY:
        raise OrderInvalid({"idempotency_key": [f"1 to {LONGEST_KEY} characters"]})
    digest = _digest(request, whole or request)
    written = _already_written(request, idempotency_key, digest)
    if written is not None:
        return written
    check_request(request, conditions_for(request, now))
    appraisal = appraise(request, now)
    try:
        with transaction.atomic():
            return _write(request, appraisal, user=user, key=(idempotency_key, digest), now=now)
    except IntegrityError:
        # Two requests with one key at once: the other was first, and its order is the answer.
        written = _already_written(request, idempotency_key, digest)
        if written is None:
            raise
        return written


def _is_own_way_out(request: OrderRequest) -> bool:
    """Tell whether the house itself closes a position, as a rule or a running strategy does.

    It does so whoever opened the position, and whatever they may do now.
    """
    is_strategys = request.source is OrderSource.STRATEGY and request.reduce_only
    return is_strategys or request.source is OrderSource.RISK


def _require_trader(user: User, request: OrderRequest, *, now: datetime) -> None:
    require_trading_role(user, request.account.workspace)
    require_active(user, now=now)


def _already_written(request: OrderRequest, key: str, digest: str) -> Order | None:
    order = Order.objects.filter(
        workspace=request.account.workspace, source=request.source, idempotency_key=key
    ).first()
    if order is not None and order.request_hash != digest:
        raise IdempotencyConflict("This key was used for another order")
    return order


def _digest(request: OrderRequest, whole: OrderRequest) -> str:
    content = [_content(request), _content(whole)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _content(request: OrderRequest) -> dict[str, str]:
    content = {}
    for each in fields(request):
        value = getattr(request, each.name)
        content[each.name] = str(value.pk if isinstance(value, models.Model) else value)
    return content


def _sellable(request: OrderRequest) -> int | None:
    """Return how many delivery shares may be sold while a credit is pending; else None."""
    if request.side is not Side.SELL:
        return None
    of_share = {"account": request.account, "instrument": request.instrument}
    uncredited = ShareCredit.objects.pending().filter(**of_share).quantity(request.product)
    if not uncredited:
        return None
    held = Position.objects.open().filter(**of_share, product=request.product)
    return max(sum(held.values_list("quantity", flat=True)) - uncredited, 0)


def conditions_for(request: OrderRequest, now: datetime) -> Conditions:
    """Look up what an order is held against.

    :raises OrderInvalid: where the trading calendar does not reach, or nobody knows the broker.
    """
    ref, venue = request.instrument.ref(), installed_venue()
    try:
        phase, today = venue.phase(ref, now), venue.session_date(ref, now)
    except CalendarUnknown as error:
        raise OrderInvalid(
            {"instrument": [f"The trading calendar is not known: {error}"]}
        ) from error
    try:
        able = capabilities_of(request.account, ref.segment, clock=lambda: now)
    except UnknownBroker as error:
        raise OrderInvalid({"account": [str(error)]}) from error
    quote = quote_of(request.instrument.key)
    return Conditions(
        capabilities=able,
        phase=phase,
        today=today,
        band=venue.price_band(ref, today),
        last_price=None if quote is None or quote.is_stale(now) else quote.ltp,
        now=now,
        freeze=freeze_quantity(request.instrument, on=today),
        sellable=_sellable(request),
    )


def _write(
    request: OrderRequest,
    appraisal: Appraisal,
    *,
    user: User,
    key: tuple[str, str],
    now: datetime,
) -> Order:
    order_id = new_id()
    proposal = proposal_for(request, appraisal, order_id=order_id, now=now)
    # The day's limits are measured from the capital it began with.
    start_session(request.account, session_date=proposal.session_date, now=now)
    verdict = judge(proposal, now=now)
    if request.source is OrderSource.STRATEGY and not verdict.is_exit:
        # It would open a position of the account, though it closes the strategy's own.
        _require_trader(user, request, now=now)
    order = _new_order(request, verdict, user=user, key=key, now=now)
    order.pk = order_id
    _record_judgement(order, verdict, proposal=proposal, now=now)
    order.save(force_insert=True)
    tell_owner(order, now=now)
    if appraisal.margin is not None:
        _record_margin(order, appraisal.margin)
    if verdict.is_allowed:
        count_order(order.account, session_date=proposal.session_date, successful=None, now=now)
        nudge_order(order.pk, is_urgent=order.is_exit)
    return order


def proposal_for(
    request: OrderRequest, appraisal: Appraisal, *, order_id: uuid.UUID, now: datetime
) -> Proposal:
    return Proposal(
        order_id=order_id,
        account=request.account,
        instrument=request.instrument,
        user_strategy_id=request.user_strategy_id,
        side=request.side,
        product=request.product,
        order_type=request.order_type,
        quantity=request.quantity,
        reference_price=appraisal.reference_price,
        margin=appraisal.margin.total if appraisal.margin else None,
        available=appraisal.available,
        available_as_of=appraisal.as_of,
        session_date=installed_venue().session_date(request.instrument.ref(), now),
        cloud=_cloud(request, order_id, now=now),
        reduce_only=request.reduce_only,
        list_complaint=list_complaint(
            request.instrument, broker=request.account.connection.broker_type, at=now
        ),
    )


def _cloud(request: OrderRequest, order_id: uuid.UUID, *, now: datetime) -> str:
    """Say what is not known of another order in the instrument, nothing when all is."""
    others = Order.objects.clouding(now=now).filter(
        account=request.account, instrument=request.instrument
    )
    status = others.exclude(pk=order_id).values_list("status", flat=True).first()
    if status is None:
        return ""
    symbol = request.instrument.trading_symbol
    if OrderStatus(status).is_final:
        return f"An order in {symbol} has filled and its trades are not told yet: wait for them"
    return f"An order in {symbol} may or may not be live: wait until that is known"


def _new_order(
    request: OrderRequest, verdict: Verdict, *, user: User, key: tuple[str, str], now: datetime
) -> Order:
    allowed = verdict.is_allowed
    return Order(
        workspace_id=request.account.workspace_id,
        user=user,
        account=request.account,
        instrument=request.instrument,
        user_strategy_id=request.user_strategy_id,
        source=request.source,
        tag=new_order_tag(now),
        idempotency_key=key[0],
        request_hash=key[1],
        side=request.side,
        order_type=request.order_type,
        product=request.product,
        validity=request.validity,
        quantity=request.quantity,
        disclosed_quantity=request.disclosed_quantity,
        price=request.price,
        trigger_price=request.trigger_price,
        is_amo=request.is_amo,
        is_exit=verdict.is_exit,
        status=OrderStatus.PENDING if allowed else OrderStatus.DENIED,
        error_message=as_sentences(refusal.message for refusal in verdict.refusals),
        closed_at=None if allowed else now,
        expires_at=now + SEND_WITHIN,
        created_at=now,
    )


def _record_judgement(order: Order, verdict: Verdict, *, proposal: Proposal, now: datetime) -> None:
    if verdict.is_allowed:
        note = Note("PLACED_BY_" + order.source, _asker(order), now, "Passed every risk check")
    else:
        note = Note("DENIED", EventSource.SYSTEM, now, order.error_message)
        record_refusals(verdict, proposal=proposal, order_id=order.pk, now=now)
    add_event(order, note=note, from_status="", now=now)


def _asker(order: Order) -> EventSource:
    return EventSource.USER if order.source == "MANUAL" else EventSource.SYSTEM


def _record_margin(order: Order, margin: Margin) -> None:
    MarginRequirement.objects.create(
        account=order.account,
        order=order,
        total_margin=margin.total,
        span_margin=margin.span,
        exposure_margin=margin.exposure,
        var_margin=margin.var,
    )
