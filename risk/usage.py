"""How much of a limit is used at this moment: worked out from the day's books, never remembered.

A rule's stored figures are what its last evaluation saw, for the account that was evaluated last.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

from accounts.models import Workspace
from brokers.models import TradingAccount
from operations.figures import IST
from portfolio.models import TradingSession
from risk.models import RiskRule, RuleType
from risk.rules import DAY_RULES
from risk.selectors import RuleDistance, day_figures

_KEPT_ABOVE = (RuleType.MIN_CAPITAL_THRESHOLD, RuleType.PROFIT_LOCK)
NOTHING = Decimal(0)


def rule_usage(workspace: Workspace, *, now: datetime) -> list[RuleDistance]:
    """Every active rule of a workspace with its distance to the limit, nearest first."""
    rules = RiskRule.objects.filter(workspace=workspace, is_active=True)
    accounts = list(workspace.accounts.filter(is_active=True).select_related("connection"))
    found = [
        usage_of(rule, accounts, now=now)
        for rule in rules.select_related("account__connection", "user_strategy__strategy")
    ]
    return sorted(found, key=lambda each: each.share, reverse=True)


def usage_of(rule: RiskRule, accounts: Iterable[TradingAccount], *, now: datetime) -> RuleDistance:
    """Hold one rule against the books of these accounts; of several kinds, the nearest counts."""
    if rule.rule_type not in DAY_RULES:
        return RuleDistance(rule, NOTHING, rule.rule_value, NOTHING)
    measured = [
        _measured(rule, account, on=_day_of(account, now=now))
        for account in _reached(rule, accounts)
    ]
    untouched = RuleDistance(rule, NOTHING, rule.rule_value, NOTHING)
    return max(measured, key=lambda each: each.share, default=untouched)


def _reached(rule: RiskRule, accounts: Iterable[TradingAccount]) -> Iterator[TradingAccount]:
    """Name one account for each purse that the rule counts apart."""
    purses = set()
    for account in accounts:
        if rule.account_id not in (None, account.pk):
            continue
        if rule.user_strategy is not None and rule.user_strategy.account_id != account.pk:
            continue
        purse = (account.is_paper, account.currency, account.own_clock)
        if purse not in purses:
            purses.add(purse)
            yield account


def _day_of(account: TradingAccount, *, now: datetime) -> date:
    """Today; for an account on a clock of its own, the last day it has seen."""
    today = now.astimezone(IST).date()
    if not account.own_clock:
        return today
    sessions = TradingSession.objects.filter(account=account).order_by("-session_date")
    return sessions.values_list("session_date", flat=True).first() or today


def _measured(rule: RiskRule, account: TradingAccount, *, on: date) -> RuleDistance:
    day = day_figures(rule, account, on=on)
    if not day.capital_at_start and not day.pnl and not day.orders:
        return RuleDistance(rule, NOTHING, rule.rule_value, NOTHING)
    finding = DAY_RULES[rule.rule_type](rule.rule_value, day)
    was_reached = rule.is_violated and rule.evaluated_on == on
    share = Decimal(1) if was_reached else _share(rule, finding.actual)
    return RuleDistance(rule, finding.actual, rule.rule_value, share)


def _share(rule: RiskRule, actual: Decimal) -> Decimal:
    if rule.rule_type in _KEPT_ABOVE:
        return min(rule.rule_value / actual, Decimal(1)) if actual > 0 else NOTHING
    return max(NOTHING, min(actual / rule.rule_value, Decimal(1)))
