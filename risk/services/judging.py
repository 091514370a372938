"""Judge an order before it is written. What is not known is refused; exits always pass."""

import uuid
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from brokers.models import TradingAccount
from operations.figures import rupees
from portfolio.services.sessions import lock_account
from risk.models import (
    Reservation,
    RiskViolation,
    ViolationAction,
)
from risk.proposal import Proposal, Refusal, Verdict
from risk.restored import restored_refusal
from risk.selectors import (
    Book,
    worst_exposures,
)
from risk.services.objecting import Stance, hold_desk_counts, objections

_NOTHING = Decimal(0)


def judge(proposal: Proposal, *, now: datetime) -> Verdict:
    """Judge an order and, when it may go, reserve what it could become.

    Call inside the transaction that writes the order: the account's row is locked first, so that
    of several orders at once each is judged with the others counted in.
    """
    account = lock_account(proposal.account)
    stance = _stance(proposal)
    if not stance.is_exit:
        hold_desk_counts(account)
    decision = _decision(proposal, account, stance)
    if decision.is_allowed:
        _reserve(proposal, is_exit=decision.is_exit, now=now)
    return decision


def evaluate_order(proposal: Proposal) -> Verdict:
    """Decide as :func:`judge` would now; nothing is locked or reserved, another may be first."""
    return _decision(proposal, proposal.account, _stance(proposal))


def judge_change(proposal: Proposal, *, now: datetime) -> Verdict:
    """Judge a working order as it shall be, and hold the larger of what it was and will be.

    ``quantity`` is what would remain unfilled. Less at the same price always passes; anything
    else is judged like a new order, with what this one holds already left out.
    """
    account = lock_account(proposal.account)
    held = Reservation.objects.get(order_id=proposal.order_id)
    if not held.is_exit:
        hold_desk_counts(account)
    decision = _decision_on_change(proposal, account, held)
    if decision.is_allowed:
        held.margin = max(held.margin_held, proposal.margin or _NOTHING)
        held.quantity = held.judged_quantity = max(held.quantity, proposal.quantity)
        held.price = proposal.reference_price or held.price
        held.save(update_fields=["quantity", "price", "margin", "judged_quantity"])
    return decision


def evaluate_change(proposal: Proposal) -> Verdict:
    """Decide as :func:`judge_change` would now; nothing is locked or held."""
    held = Reservation.objects.get(order_id=proposal.order_id)
    return _decision_on_change(proposal, proposal.account, held)


def _decision(proposal: Proposal, account: TradingAccount, stance: Stance) -> Verdict:
    refusals: tuple[Refusal, ...] = ()
    if proposal.reduce_only and proposal.quantity > stance.own_exitable:
        refusals = (_too_large(stance.own_exitable),)
    elif stance.is_exit:
        refusals = _exit_refusals(account)
    else:
        refusals = tuple(objections(proposal, account, stance))
    return Verdict(is_exit=stance.is_exit, refusals=refusals)


def _exit_refusals(account: TradingAccount) -> tuple[Refusal, ...]:
    """An exit passes every rule; but by the books of a backup it might be none."""
    words = restored_refusal(account, is_exit=True)
    return (Refusal("DATABASE_RESTORED", words),) if words else ()


def _decision_on_change(proposal: Proposal, account: TradingAccount, held: Reservation) -> Verdict:
    """Decide on an order as it would be changed; what only takes off quantity is always allowed.

    A new price or trigger can make an order trade that would not have, so it is decided anew.
    """
    stance = _stance(proposal, without=proposal.order_id)
    refusals: tuple[Refusal, ...] = ()
    if proposal.only_smaller:
        pass
    elif held.is_exit and proposal.quantity > stance.exitable:
        refusals = (_too_large(stance.exitable),)
    elif held.is_exit:
        refusals = _exit_refusals(account)
    else:
        more = proposal.margin
        if more is not None:
            more = max(more - held.margin_held, _NOTHING)
        refusals = tuple(objections(replace(proposal, margin=more), account, stance))
    return Verdict(is_exit=held.is_exit, refusals=refusals)


def record_refusals(
    verdict: Verdict, *, proposal: Proposal, order_id: uuid.UUID, now: datetime
) -> None:
    """Write one violation per reason, with what was found, what was allowed and what was done."""
    RiskViolation.objects.bulk_create(
        RiskViolation(
            workspace_id=proposal.account.workspace_id,
            account=proposal.account,
            rule_id=refusal.rule_id,
            violation_type=refusal.kind,
            actual_value=_fitting(refusal.actual),
            limit_value=_fitting(refusal.limit),
            message=refusal.message,
            order_id=order_id,
            instrument=proposal.instrument,
            action_taken=ViolationAction.ORDER_REJECTED,
            violated_at=now,
        )
        for refusal in verdict.refusals
    )


def _fitting(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(Decimal("0.0001"))


def _stance(proposal: Proposal, *, without: uuid.UUID | None = None) -> Stance:
    """An order is an exit when it can only reduce the account's net, and its own book's too.

    An order by hand belongs to no strategy's book, so the account's net alone decides. Where two
    strategies hold opposite positions, the broker holds the difference: what closes one of them
    alone beyond that would open a position there, so it is judged as the entry it is.
    """
    book = Book(proposal.account, proposal.instrument, proposal.product)
    strategy = proposal.user_strategy_id
    own, net = worst_exposures(book, strategy=strategy, without=without)
    sign = 1 if proposal.side == "BUY" else -1
    own_exitable, exitable = own.exitable(sign), net.exitable(sign)
    if strategy is not None:
        exitable = min(own_exitable, exitable)
    signed = sign * proposal.quantity
    worst = max(own.worst_with(signed), net.worst_with(signed))
    net_open = max(-net.quantity * sign, 0)
    return Stance(
        worst=worst,
        own_exitable=own_exitable,
        exitable=exitable,
        opposed=max(own_exitable - net_open, 0),
        is_exit=proposal.quantity <= exitable,
    )


def _too_large(exitable: int) -> Refusal:
    words = (
        f"Only {rupees(exitable, 0)} are left to exit" if exitable else "Nothing is left to exit"
    )
    return Refusal("EXIT_TOO_LARGE", words)


def _reserve(proposal: Proposal, *, is_exit: bool, now: datetime) -> None:
    Reservation.objects.create(
        order_id=proposal.order_id,
        workspace_id=proposal.account.workspace_id,
        account=proposal.account,
        user_strategy_id=proposal.user_strategy_id,
        instrument=proposal.instrument,
        product=proposal.product,
        side=proposal.side,
        quantity=proposal.quantity,
        price=proposal.reference_price or Decimal(0),
        margin=Decimal(0) if is_exit else proposal.margin or Decimal(0),
        judged_quantity=proposal.quantity,
        is_exit=is_exit,
        session_date=proposal.session_date,
        created_at=now,
    )
