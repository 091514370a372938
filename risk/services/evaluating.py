"""Hold the day's figures against every rule, after fills and marks, and say what must be closed."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Max

from brokers.models import TradingAccount
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.events import publish
from portfolio.models import Position
from portfolio.services.sessions import lock_account
from risk.kinds import kind_of
from risk.models import (
    RiskRule,
    RuleStanding,
    RuleType,
    Trading,
    TradingState,
    ViolationAction,
)
from risk.rules import DAY_RULES, DayFigures, Finding
from risk.services.recording import CONFIRMATIONS, record_violation
from risk.services.switching import Cause, Scope, stop_of, write_trading_state
from risk.services.trailing import trailed_beyond
from risk.standings import (
    accounts_within,
    day_figures,
    rules_reaching,
    session_begun,
    speaks_of,
    standing_in,
    standings_of,
)
from risk.stopping import EntriesStopped, announce_stop

_STOPS_ENTRIES = (
    RuleType.MAX_DAILY_LOSS,
    RuleType.MAX_DRAWDOWN,
    RuleType.MIN_CAPITAL_THRESHOLD,
    RuleType.PROFIT_LOCK,
)


@dataclass(frozen=True, slots=True)
class ProtectiveExit:
    """A position that a rule wants closed. The pair names one exit: asking twice is asking once."""

    position_id: uuid.UUID
    rule_id: uuid.UUID
    reason: str


def evaluate_account(account: TradingAccount, *, now: datetime) -> list[ProtectiveExit]:
    """Bring the rules that speak of an account up to date; return the positions to close.

    Once what they have stopped is committed, the open entries that it forbids are cancelled: call
    this outside a transaction.
    """
    stops: list[EntriesStopped] = []
    exits = _evaluate(account, stops, now=now)
    for stop in stops:
        announce_stop(stop)
    return exits


@transaction.atomic
def _evaluate(
    account: TradingAccount, stops: list[EntriesStopped], *, now: datetime
) -> list[ProtectiveExit]:
    """Evaluate under the account's lock; note in ``stops`` what has been stopped.

    The day is that of the account's newest session that has begun: an order for tomorrow, placed
    while another exchange still trades today, begins none. Without one there is nothing to judge.
    """
    exits: list[ProtectiveExit] = []
    session_date = session_begun(account, now=now)
    if session_date is None:
        return exits
    # The account before the rules, as placing does it: the other way round two would wait forever.
    lock_account(account)
    locked = rules_reaching(account).select_for_update(of=("self",), no_key=True).order_by("pk")
    rules = [rule for rule in locked if speaks_of(rule, account)]
    standings = standings_of(rules)
    for rule in rules:
        if rule.rule_type in DAY_RULES:
            standing = standing_in(standings, rule, kind_of(account))
            was_reached = standing.is_violated
            exits += _evaluate_day(standing, account, session_date=session_date, now=now)
            if standing.is_violated and not was_reached and rule.rule_type in _STOPS_ENTRIES:
                words = standing.violation_message
                stops.append(stop_of(_scope(standing, account), words, now=now))
        elif rule.rule_type == RuleType.TRAILING_STOP:
            exits += [
                ProtectiveExit(position.pk, rule.pk, finding.words)
                for position, finding in trailed_beyond(rule, account, now=now)
            ]
    return exits


def _evaluate_day(
    standing: RuleStanding, account: TradingAccount, *, session_date: date, now: datetime
) -> list[ProtectiveExit]:
    if standing.evaluated_on is not None and session_date < standing.evaluated_on:
        # An account that has not traded today says nothing about today's limits.
        return []
    rule = standing.rule
    if standing.evaluated_on != session_date:
        _begin_session(standing, account, session_date=session_date, now=now)
    day = day_figures(standing, account, on=session_date)
    finding = DAY_RULES[rule.rule_type](rule.rule_value, day)
    moment = _moment(rule, account, now=now) if finding.is_beyond else now
    confirmations = _confirmations(standing, finding, moment=moment)
    _store(standing, finding, day=day, confirmations=confirmations)
    if confirmations < CONFIRMATIONS:
        return []
    if not standing.is_violated:
        _cross(standing, account, finding=finding, now=now)
    return _exits(rule, account, reason=finding.words)


def _moment(rule: RiskRule, account: TradingAccount, *, now: datetime) -> datetime:
    """When what a limit is held against was last told anew: the newest price in its reach.

    Orders are counted, not priced; and where nothing is open no price can be wrong.
    """
    if rule.rule_type == RuleType.MAX_ORDERS_PER_DAY:
        return now
    positions = Position.objects.filter(account__in=accounts_within(rule, account)).open()
    if rule.user_strategy_id is not None:
        positions = positions.filter(user_strategy=rule.user_strategy_id)
    newest: datetime | None = positions.aggregate(newest=Max("marked_at"))["newest"]
    return now if newest is None else newest


def _confirmations(standing: RuleStanding, finding: Finding, *, moment: datetime) -> int:
    """Count prices, neither looks nor accounts, at which the limit was found crossed in a row."""
    if not finding.is_beyond:
        standing.confirmed_at = None
        return 0
    if standing.confirmed_at is not None and moment <= standing.confirmed_at:
        return standing.confirmations
    standing.confirmed_at = moment
    return min(standing.confirmations + 1, CONFIRMATIONS)


def _begin_session(
    standing: RuleStanding, account: TradingAccount, *, session_date: date, now: datetime
) -> None:
    standing.evaluated_on, standing.peak_pnl, standing.confirmations = session_date, Decimal(0), 0
    standing.is_violated, standing.violation_message = False, ""
    standing.save()
    scope = _scope(standing, account)
    ended = TradingState.objects.filter(
        rule=standing.rule,
        account=scope.account,
        is_live=scope.kind.is_live if scope.kind else None,
        currency=scope.kind.currency if scope.kind else "",
    ).exclude(state=Trading.ACTIVE)
    ended.update(state=Trading.ACTIVE, reason="A new session", changed_at=now)


def _scope(standing: RuleStanding, account: TradingAccount) -> Scope:
    """What a rule stops: its account or strategy; of the workspace, one kind of money.

    A replay is a kind of its own, so there it is the replay's account.
    """
    rule = standing.rule
    if rule.account_id is not None or rule.user_strategy_id is not None:
        return Scope(rule.workspace, rule.account, rule.user_strategy_id)
    if standing.replay_id is not None:
        return Scope(rule.workspace, account)
    return Scope(rule.workspace, kind=standing.kind)


def _store(
    standing: RuleStanding, finding: Finding, *, day: DayFigures, confirmations: int
) -> None:
    current = finding.actual.quantize(Decimal("0.0001"))
    before = (standing.current_value, standing.peak_pnl, standing.confirmations)
    standing.current_value, standing.peak_pnl = current, day.peak
    standing.confirmations = confirmations
    if before != (current, day.peak, confirmations):
        figures = ["current_value", "peak_pnl", "confirmations", "confirmed_at"]
        standing.save(update_fields=figures)


def _cross(
    standing: RuleStanding, account: TradingAccount, *, finding: Finding, now: datetime
) -> None:
    """Record a limit reached, once, and stop entries where the rule says so."""
    rule = standing.rule
    standing.is_violated, standing.violation_message = True, finding.words
    standing.save(update_fields=["is_violated", "violation_message"])
    stops = rule.rule_type in _STOPS_ENTRIES
    if stops:
        cause = Cause(reason=finding.words, rule=rule)
        write_trading_state(_scope(standing, account), Trading.REDUCING, cause=cause, now=now)
    action = ViolationAction.TRADING_REDUCED if stops else ViolationAction.ORDER_REJECTED
    record_violation(rule, account, finding=finding, action=action, now=now)
    publish("risk", workspace_id=rule.workspace_id, subject_id=rule.pk, now=now)
    if not account.own_clock:
        notify(
            rule.user,
            kind=NotificationType.RISK_ALERT,
            level=AlertLevel.CRITICAL,
            title=f"Limit reached: {rule.get_rule_type_display()}",
            message=f"{finding.words}. {account.name}, {standing.kind}",
            now=now,
            workspace=rule.workspace,
        )


def _exits(rule: RiskRule, account: TradingAccount, *, reason: str) -> list[ProtectiveExit]:
    if not (rule.exits_positions or rule.rule_type == RuleType.PROFIT_LOCK):
        return []
    positions = Position.objects.filter(account=account).open()
    if rule.user_strategy_id is not None:
        positions = positions.filter(user_strategy=rule.user_strategy_id)
    return [ProtectiveExit(position.pk, rule.pk, reason) for position in positions]
