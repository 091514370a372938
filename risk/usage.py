"""How much of a limit is used at this moment: worked out from the day's books, never remembered.

A rule of the whole workspace is used by each kind of money for itself, so it has as many usages.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from accounts.models import Workspace
from brokers.models import TradingAccount
from portfolio.models import TradingSession
from portfolio.trading_days import account_day
from risk.kinds import MoneyKind, kind_of
from risk.models import RiskRule, RuleStanding, RuleType
from risk.rules import DAY_RULES
from risk.standings import Standings, day_figures, speaks_of, standing_in, standings_of

_KEPT_ABOVE = (RuleType.MIN_CAPITAL_THRESHOLD, RuleType.PROFIT_LOCK)
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class RuleUsage:
    """A rule and how near one kind of money is to it: ``share`` is 0 far away, 1 at the limit or
    beyond. ``kind`` is None where no money is measured; ``words`` tell of a limit reached."""

    rule: RiskRule
    kind: MoneyKind | None
    current: Decimal
    limit: Decimal
    share: Decimal
    words: str = ""


def rule_usage(workspace: Workspace, *, now: datetime) -> list[RuleUsage]:
    """Every active rule of a workspace, for each kind of money, nearest to its limit first."""
    rules = RiskRule.objects.filter(workspace=workspace, is_active=True)
    accounts = list(workspace.accounts.filter(is_active=True).select_related("connection"))
    found = usages_of(
        rules.select_related("account__connection", "user_strategy__strategy"), accounts, now=now
    )
    return sorted(found, key=lambda each: each.share, reverse=True)


def usages_of(
    rules: Iterable[RiskRule], accounts: Iterable[TradingAccount], *, now: datetime
) -> list[RuleUsage]:
    """Hold rules against the books of these accounts, one usage for each kind of money."""
    rules, accounts = list(rules), list(accounts)
    standings = standings_of(rules)
    return [
        usage for rule in rules for usage in _usages(rule, accounts, standings=standings, now=now)
    ]


def _usages(
    rule: RiskRule, accounts: Iterable[TradingAccount], *, standings: Standings, now: datetime
) -> list[RuleUsage]:
    untouched = RuleUsage(rule, None, NOTHING, rule.rule_value, NOTHING)
    if rule.rule_type not in DAY_RULES:
        return [untouched]
    measured = [
        _measured(standing_in(standings, rule, kind), account, on=_day_of(account, now=now))
        for kind, account in _reached(rule, accounts)
    ]
    return measured or [untouched]


def _reached(
    rule: RiskRule, accounts: Iterable[TradingAccount]
) -> Iterator[tuple[MoneyKind, TradingAccount]]:
    """Name one account for each kind of money that the rule counts apart."""
    kinds = set()
    for account in accounts:
        if rule.account_id not in (None, account.pk) or not speaks_of(rule, account):
            continue
        if rule.user_strategy is not None and rule.user_strategy.account_id != account.pk:
            continue
        kind = kind_of(account)
        if kind not in kinds:
            kinds.add(kind)
            yield kind, account


def _day_of(account: TradingAccount, *, now: datetime) -> date:
    """Today; for an account on a clock of its own, the last day it has seen."""
    today = account_day(account, now)
    if not account.own_clock:
        return today
    sessions = TradingSession.objects.filter(account=account).order_by("-session_date")
    return sessions.values_list("session_date", flat=True).first() or today


def _measured(standing: RuleStanding, account: TradingAccount, *, on: date) -> RuleUsage:
    rule, kind = standing.rule, standing.kind
    day = day_figures(standing, account, on=on)
    if not day.capital_at_start and not day.pnl and not day.orders:
        return RuleUsage(rule, kind, NOTHING, rule.rule_value, NOTHING)
    finding = DAY_RULES[rule.rule_type](rule.rule_value, day)
    was_reached = standing.is_violated and standing.evaluated_on == on
    share = Decimal(1) if was_reached else _share(rule, finding.actual)
    words = standing.violation_message if was_reached else ""
    return RuleUsage(rule, kind, finding.actual, rule.rule_value, share, words)


def _share(rule: RiskRule, actual: Decimal) -> Decimal:
    if rule.rule_type in _KEPT_ABOVE:
        return min(rule.rule_value / actual, Decimal(1)) if actual > 0 else NOTHING
    return max(NOTHING, min(actual / rule.rule_value, Decimal(1)))
