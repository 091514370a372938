"""Judge an order before it is written. What is not known is refused; exits always pass."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Q

from brokers.models import TradingAccount
from operations.figures import rupees
from portfolio.services.sessions import lock_account
from risk.models import (
    Reservation,
    RiskRule,
    RiskViolation,
    TraderControl,
    Trading,
    ViolationAction,
)
from risk.proposal import Proposal, Refusal, Verdict
from risk.rules import DAY_RULES, REACH_RULES, Finding, Reach, daily_loss
from risk.selectors import (
    Book,
    day_figures,
    exposure,
    reserved_margin,
    rules_for,
    state_with_reason,
)

_NOTHING = Decimal(0)


def judge(proposal: Proposal, *, now: datetime) -> Verdict:
    """Judge an order and, when it may go, reserve what it could become.

    Call inside the transaction that writes the order: the account's row is locked first, so that
    of several orders at once each is judged with the others counted in.
    """
    account = lock_account(proposal.account)
    stance = _stance(proposal)
    refusals: tuple[Refusal, ...] = ()
    if proposal.reduce_only and proposal.quantity > stance.own_exitable:
        refusals = (_too_large(stance.own_exitable),)
    elif not stance.is_exit:
        refusals = tuple(_objections(proposal, account, stance))
    verdict = Verdict(is_exit=stance.is_exit, refusals=refusals)
    if verdict.is_allowed:
        _reserve(proposal, is_exit=stance.is_exit, now=now)
    return verdict


def judge_change(proposal: Proposal, *, now: datetime) -> Verdict:
    """Judge a working order as it shall be, and hold the larger of what it was and will be.

    ``quantity`` is what would remain unfilled. Less at the same price always passes; anything
    else is judged like a new order, with what this one holds already left out.
    """
    account = lock_account(proposal.account)
    held = Reservation.objects.get(order_id=proposal.order_id)
    stance = _stance(proposal, without=proposal.order_id)
    refusals: tuple[Refusal, ...] = ()
    if held.is_exit:
        if proposal.quantity > max(stance.own_exitable, held.quantity):
            refusals = (_too_large(stance.own_exitable),)
    elif proposal.quantity > held.quantity or proposal.reference_price != held.price:
        margin = None if proposal.margin is None else max(proposal.margin - held.margin, _NOTHING)
        refusals = tuple(_objections(replace(proposal, margin=margin), account, stance))
    if not refusals:
        held.quantity = max(held.quantity, proposal.quantity)
        held.price = proposal.reference_price or held.price
        held.margin = max(held.margin, proposal.margin or _NOTHING)
        held.save(update_fields=["quantity", "price", "margin"])
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


@dataclass(frozen=True, slots=True)
class _Stance:
    """How an order stands to what is held: its own book's and the account's."""

    worst: int
    own_exitable: int
    exitable: int
    is_exit: bool


def _stance(proposal: Proposal, *, without: uuid.UUID | None = None) -> _Stance:
    """An order is an exit when it can only reduce the account's net, and its own book's too.

    An order by hand belongs to no strategy's book, so the account's net alone decides.
    """
    book = Book(proposal.account, proposal.instrument, proposal.product)
    strategy = proposal.user_strategy_id
    own = exposure(book, strategy=strategy, own=True, without=without)
    net = exposure(book, strategy=strategy, own=False, without=without)
    sign = 1 if proposal.side == "BUY" else -1
    own_exitable, exitable = own.exitable(sign), net.exitable(sign)
    if strategy is not None:
        exitable = min(own_exitable, exitable)
    signed = sign * proposal.quantity
    worst = max(own.worst_with(signed), net.worst_with(signed))
    return _Stance(worst, own_exitable, exitable, proposal.quantity <= exitable)


def _too_large(exitable: int) -> Refusal:
    words = (
        f"Only {rupees(exitable, 0)} are left to exit" if exitable else "Nothing is left to exit"
    )
    return Refusal("EXIT_TOO_LARGE", words)


def _objections(proposal: Proposal, account: TradingAccount, stance: _Stance) -> Iterator[Refusal]:
    yield from _state(account, proposal.user_strategy_id, exitable=stance.exitable)
    yield from _account(account)
    yield from _knowledge(proposal)
    if proposal.reference_price is not None:
        reach = Reach(stance.worst, proposal.reference_price, proposal.instrument.lot_size)
        yield from _controls(proposal, account, reach=reach)
        for rule in rules_for(account, proposal.user_strategy_id):
            yield from _rule(rule, account, proposal, reach=reach)
    yield from _money(proposal, account)


def _state(
    account: TradingAccount, strategy: uuid.UUID | None, *, exitable: int = 0
) -> Iterator[Refusal]:
    state, reason = state_with_reason(account, strategy)
    if state is Trading.ACTIVE:
        return
    stopped = "halted" if state is Trading.HALTED else "limited to exits"
    words = f"Trading is {stopped}. {reason}".strip()
    hint = f" You can exit up to {rupees(exitable, 0)}." if exitable else ""
    yield Refusal("TRADING_STATE", words + hint)


def _account(account: TradingAccount) -> Iterator[Refusal]:
    if not account.is_active:
        yield Refusal("ACCOUNT_INACTIVE", f"{account.name} is switched off")
    if account.reconciled_at is None:
        words = f"{account.name} has not been reconciled with its broker: exits only"
        yield Refusal("NOT_RECONCILED", words)
    if not account.is_paper and not settings.LIVE_TRADING:
        yield Refusal("LIVE_OFF", "Live trading is switched off for this installation")
    if not account.is_paper and not account.live_enabled:
        yield Refusal("LIVE_OFF", f"Live trading is not switched on for {account.name}")


def _knowledge(proposal: Proposal) -> Iterator[Refusal]:
    symbol = proposal.instrument.trading_symbol
    if proposal.reference_price is None:
        yield Refusal("NO_PRICE", f"No current price of {symbol} is known")
    if proposal.is_clouded:
        words = f"An order in {symbol} may or may not be live: wait until that is known"
        yield Refusal("UNKNOWN_ORDER", words)
    if proposal.margin is None or proposal.available is None:
        yield Refusal("NO_FUNDS", f"The free money of {proposal.account.name} is not known")


def _money(proposal: Proposal, account: TradingAccount) -> Iterator[Refusal]:
    if proposal.margin is None or proposal.available is None:
        return
    free = proposal.available - reserved_margin(account, since=proposal.available_as_of)
    if proposal.margin > free:
        words = f"Needs {rupees(proposal.margin)}; {rupees(max(free, Decimal(0)))} is free"
        yield Refusal("MARGIN", words, actual=proposal.margin, limit=free)


def _controls(proposal: Proposal, account: TradingAccount, *, reach: Reach) -> Iterator[Refusal]:
    value = proposal.quantity * reach.price
    controls = TraderControl.objects.filter(
        Q(workspace=None) | Q(workspace=account.workspace_id),
        Q(account=None) | Q(account=account),
        deactivated_at=None,
    )
    for control in controls:
        most = control.order_value_limit
        if most is not None and value > most:
            words = f"The order is worth {rupees(value)}; the limit is {rupees(most)}"
            yield Refusal("ORDER_VALUE", words, actual=value, limit=most)
        size = control.position_size_limit
        if size is not None and reach.quantity * reach.price > size:
            actual = reach.quantity * reach.price
            words = f"The position could reach {rupees(actual)}; the limit is {rupees(size)}"
            yield Refusal("POSITION_SIZE", words, actual=actual, limit=size)
        if control.daily_loss_limit is not None:
            yield from _control_loss(proposal, account, limit=control.daily_loss_limit)


def _control_loss(
    proposal: Proposal, account: TradingAccount, *, limit: Decimal
) -> Iterator[Refusal]:
    unsaved = RiskRule(workspace_id=account.workspace_id, account=account)
    finding = daily_loss(limit, day_figures(unsaved, account, on=proposal.session_date))
    if finding.is_beyond:
        yield _refusal("DAILY_LOSS", finding)


def _rule(
    rule: RiskRule, account: TradingAccount, proposal: Proposal, *, reach: Reach
) -> Iterator[Refusal]:
    if rule.rule_type in REACH_RULES:
        finding = REACH_RULES[rule.rule_type](rule.rule_value, reach)
    elif rule.rule_type in DAY_RULES:
        day = day_figures(rule, account, on=proposal.session_date)
        finding = DAY_RULES[rule.rule_type](rule.rule_value, day)
    else:
        return
    if finding.is_beyond:
        yield _refusal(rule.rule_type, finding, rule)


def _refusal(kind: str, finding: Finding, rule: RiskRule | None = None) -> Refusal:
    return Refusal(
        kind,
        finding.words,
        actual=finding.actual,
        limit=finding.limit,
        rule_id=rule.pk if rule else None,
    )


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
        is_exit=is_exit,
        session_date=proposal.session_date,
        created_at=now,
    )
