"""Judge an order before it is written. What is not known is refused; exits always pass."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Q

from brokers.models import TradingAccount
from brokers.terms import Product
from operations.figures import rupees
from risk.models import (
    Reservation,
    RiskRule,
    RiskViolation,
    RuleType,
    TraderControl,
    Trading,
    ViolationAction,
)
from risk.proposal import Change, Proposal, Refusal, Verdict
from risk.rules import DAY_RULES, REACH_RULES, Exposure, Finding, Reach, daily_loss
from risk.selectors import (
    Book,
    day_figures,
    exposure,
    reserved_margin,
    rules_for,
    state_with_reason,
)


def judge(proposal: Proposal, *, now: datetime) -> Verdict:
    """Judge an order and, when it may go, reserve what it could become.

    Call inside the transaction that writes the order: the account's row is locked first, so that
    of several orders at once each is judged with the others counted in.
    """
    account = _locked(proposal.account)
    own, net = _exposures(proposal)
    sign = 1 if proposal.side == "BUY" else -1
    exitable = max(own.exitable(sign), net.exitable(sign))
    is_exit = proposal.quantity <= exitable
    refusals: tuple[Refusal, ...] = ()
    if not is_exit:
        signed = sign * proposal.quantity
        worst = max(own.worst_with(signed), net.worst_with(signed))
        refusals = tuple(_objections(proposal, account, worst=worst, exitable=exitable))
    verdict = Verdict(is_exit=is_exit, refusals=refusals)
    if verdict.is_allowed:
        _reserve(proposal, is_exit=is_exit, now=now)
    return verdict


def judge_change(change: Change, *, now: datetime) -> Verdict:
    """Judge a working order as it shall be, and hold that much from now on.

    Less at the same price always passes; more, or another price, is judged like a new order.
    """
    account = _locked(change.account)
    held = Reservation.objects.select_related("instrument").get(order_id=change.order_id)
    price = change.price or held.price
    refusals: list[Refusal] = []
    if change.remaining > held.quantity and held.is_exit:
        words = "An exit cannot be made larger: place another one"
        refusals = [Refusal("EXIT_TOO_LARGE", words)]
    elif not held.is_exit and (change.remaining > held.quantity or price > held.price):
        refusals = list(_objections_to_change(held, account, change=change, price=price))
    if not refusals:
        held.quantity, held.price = change.remaining, price
        held.save(update_fields=["quantity", "price"])
    return Verdict(is_exit=held.is_exit, refusals=tuple(refusals))


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


def _locked(account: TradingAccount) -> TradingAccount:
    return (
        TradingAccount.objects.select_for_update(of=("self",))
        .select_related("connection")
        .get(pk=account.pk)
    )


def _exposures(proposal: Proposal) -> tuple[Exposure, Exposure]:
    book = Book(proposal.account, proposal.instrument, proposal.product)
    strategy = proposal.user_strategy_id
    return (
        exposure(book, strategy=strategy, own=True),
        exposure(book, strategy=strategy, own=False),
    )


def _objections(
    proposal: Proposal, account: TradingAccount, *, worst: int, exitable: int
) -> Iterator[Refusal]:
    yield from _state(account, proposal.user_strategy_id, exitable=exitable)
    yield from _account(account)
    yield from _knowledge(proposal)
    if proposal.reference_price is not None:
        reach = Reach(worst, proposal.reference_price, proposal.instrument.lot_size)
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


def _objections_to_change(
    held: Reservation, account: TradingAccount, *, change: Change, price: Decimal
) -> Iterator[Refusal]:
    yield from _state(account, held.user_strategy_id)
    book = Book(account, held.instrument, Product(held.product))
    others = exposure(book, strategy=held.user_strategy_id, own=False, without=change.order_id)
    signed = change.remaining if held.side == "BUY" else -change.remaining
    reach = Reach(others.worst_with(signed), price, held.instrument.lot_size)
    reach_rules = rules_for(account, held.user_strategy_id).filter(
        rule_type__in=[RuleType.MAX_POSITION_SIZE, RuleType.MAX_LOTS]
    )
    for rule in reach_rules:
        finding = REACH_RULES[rule.rule_type](rule.rule_value, reach)
        if finding.is_beyond:
            yield _refusal(rule.rule_type, finding, rule)


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
