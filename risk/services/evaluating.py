"""Hold the day's figures against every rule, after fills and marks, and say what must be closed."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from brokers.models import TradingAccount
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.events import publish
from portfolio.models import Position, TradingSession
from portfolio.services.sessions import lock_account
from risk.models import (
    PositionExtreme,
    RiskRule,
    RiskViolation,
    RuleType,
    Trading,
    TradingState,
    ViolationAction,
)
from risk.rules import DAY_RULES, DayFigures, Finding, trailing_stop
from risk.selectors import day_figures
from risk.services.switching import Cause, Scope, set_trading_state

# One bad tick must not halt a desk: a limit counts when it is found crossed this often in a row.
CONFIRMATIONS = 3
_STOPS_ENTRIES = (RuleType.MAX_DAILY_LOSS, RuleType.MAX_DRAWDOWN, RuleType.PROFIT_LOCK)


@dataclass(frozen=True, slots=True)
class ProtectiveExit:
    """A position that a rule wants closed. The pair names one exit: asking twice is asking once."""

    position_id: uuid.UUID
    rule_id: uuid.UUID
    reason: str


@transaction.atomic
def evaluate_account(account: TradingAccount, *, now: datetime) -> list[ProtectiveExit]:
    """Bring the rules that speak of an account up to date; return the positions to close.

    The day is that of the account's newest session: without one there is nothing to judge.
    """
    exits: list[ProtectiveExit] = []
    sessions = TradingSession.objects.filter(account=account).order_by("-session_date")
    session_date = sessions.values_list("session_date", flat=True).first()
    if session_date is None:
        return exits
    # The account before the rules, as placing does it: the other way round two would wait forever.
    lock_account(account)
    rules = RiskRule.objects.filter(workspace=account.workspace_id, is_active=True)
    for rule in rules.select_for_update(no_key=True).order_by("pk"):
        if rule.account_id not in (None, account.pk):
            continue
        if rule.rule_type in DAY_RULES:
            exits += _evaluate_day(rule, account, session_date=session_date, now=now)
        elif rule.rule_type == RuleType.TRAILING_STOP:
            exits += _evaluate_trailing(rule, account, now=now)
    return exits


def _evaluate_day(
    rule: RiskRule, account: TradingAccount, *, session_date: date, now: datetime
) -> list[ProtectiveExit]:
    if rule.evaluated_on is not None and session_date < rule.evaluated_on:
        # An account that has not traded today says nothing about today's limits.
        return []
    if rule.evaluated_on != session_date:
        _begin_session(rule, session_date=session_date, now=now)
    day = day_figures(rule, account, on=session_date)
    finding = DAY_RULES[rule.rule_type](rule.rule_value, day)
    confirmations = _confirmations(rule, finding, now=now)
    _store(rule, finding, day=day, confirmations=confirmations)
    if confirmations < CONFIRMATIONS:
        return []
    if not rule.is_violated:
        _cross(rule, account, finding=finding, now=now)
    return _exits(rule, account, reason=finding.words)


def _confirmations(rule: RiskRule, finding: Finding, *, now: datetime) -> int:
    """Count the moments, not the accounts, at which the limit was found crossed in a row."""
    if not finding.is_beyond:
        rule.confirmed_at = None
        return 0
    if rule.confirmed_at is not None and now <= rule.confirmed_at:
        return rule.confirmations
    rule.confirmed_at = now
    return min(rule.confirmations + 1, CONFIRMATIONS)


def _begin_session(rule: RiskRule, *, session_date: date, now: datetime) -> None:
    rule.evaluated_on, rule.peak_pnl, rule.confirmations = session_date, Decimal(0), 0
    rule.is_violated, rule.violation_message = False, ""
    rule.save(
        update_fields=[
            "evaluated_on",
            "peak_pnl",
            "confirmations",
            "is_violated",
            "violation_message",
        ]
    )
    ended = TradingState.objects.filter(rule=rule).exclude(state=Trading.ACTIVE)
    ended.update(state=Trading.ACTIVE, reason="A new session", changed_at=now)


def _store(rule: RiskRule, finding: Finding, *, day: DayFigures, confirmations: int) -> None:
    current = finding.actual.quantize(Decimal("0.0001"))
    before = (rule.current_value, rule.peak_pnl, rule.confirmations)
    rule.current_value, rule.peak_pnl, rule.confirmations = current, day.peak, confirmations
    if before != (current, day.peak, confirmations):
        rule.save(update_fields=["current_value", "peak_pnl", "confirmations", "confirmed_at"])


def _cross(rule: RiskRule, account: TradingAccount, *, finding: Finding, now: datetime) -> None:
    """Record a limit reached, once, and stop entries where the rule says so."""
    rule.is_violated, rule.violation_message = True, finding.words
    rule.save(update_fields=["is_violated", "violation_message"])
    stops = rule.rule_type in _STOPS_ENTRIES
    if stops:
        scope = Scope(rule.workspace, rule.account, rule.user_strategy_id)
        cause = Cause(reason=finding.words, rule=rule)
        set_trading_state(scope, Trading.REDUCING, cause=cause, now=now)
    action = ViolationAction.TRADING_REDUCED if stops else ViolationAction.ORDER_REJECTED
    _record(rule, account, finding=finding, action=action, now=now)
    publish("risk", workspace_id=rule.workspace_id, subject_id=rule.pk, now=now)
    if not account.own_clock:
        notify(
            rule.user,
            kind=NotificationType.RISK_ALERT,
            level=AlertLevel.CRITICAL,
            title=f"Limit reached: {rule.get_rule_type_display()}",
            message=f"{finding.words}. {account.name}",
            now=now,
            workspace=rule.workspace,
        )


def _record(
    rule: RiskRule,
    account: TradingAccount,
    *,
    finding: Finding,
    action: ViolationAction,
    now: datetime,
    position: Position | None = None,
) -> None:
    RiskViolation.objects.create(
        workspace_id=rule.workspace_id,
        account=account,
        rule=rule,
        violation_type=rule.rule_type,
        actual_value=finding.actual.quantize(Decimal("0.0001")),
        limit_value=finding.limit,
        message=finding.words,
        instrument=position.instrument if position else None,
        action_taken=action,
        violated_at=now,
    )


def _exits(rule: RiskRule, account: TradingAccount, *, reason: str) -> list[ProtectiveExit]:
    if not (rule.exits_positions or rule.rule_type == RuleType.PROFIT_LOCK):
        return []
    positions = Position.objects.filter(account=account).open()
    if rule.user_strategy_id is not None:
        positions = positions.filter(user_strategy=rule.user_strategy_id)
    return [ProtectiveExit(position.pk, rule.pk, reason) for position in positions]


def _evaluate_trailing(
    rule: RiskRule, account: TradingAccount, *, now: datetime
) -> list[ProtectiveExit]:
    positions = Position.objects.filter(account=account).open().exclude(last_price=None)
    if rule.user_strategy_id is not None:
        positions = positions.filter(user_strategy=rule.user_strategy_id)
    exits = []
    for position in positions.select_related("instrument", "extreme"):
        finding, is_new = _trail(rule, position)
        if finding is None:
            continue
        if is_new:
            action = ViolationAction.POSITION_EXITED
            _record(rule, account, finding=finding, action=action, now=now, position=position)
        exits.append(ProtectiveExit(position.pk, rule.pk, finding.words))
    return exits


def _trail(rule: RiskRule, position: Position) -> tuple[Finding | None, bool]:
    """Move the position's best price; return the finding while its stop is confirmed, and whether
    that is new. It is asked for until the position is closed: an exit may be refused."""
    price, sign = position.last_price, 1 if position.quantity > 0 else -1
    if price is None:
        return None, False
    extreme = getattr(position, "extreme", None) or PositionExtreme(
        position=position, best_price=position.average_price.quantize(Decimal("0.0001"))
    )
    extreme.best_price = max(extreme.best_price * sign, price * sign) * sign
    finding = trailing_stop(rule.rule_value, best=extreme.best_price, price=price, sign=sign)
    confirmed_before = extreme.confirmations >= CONFIRMATIONS
    extreme.confirmations = extreme.confirmations + 1 if finding.is_beyond else 0
    extreme.confirmations = min(extreme.confirmations, CONFIRMATIONS)
    extreme.save()
    is_confirmed = extreme.confirmations >= CONFIRMATIONS
    return (finding if is_confirmed else None), not confirmed_before
