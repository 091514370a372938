"""A desk's limits, copied for a replay: what they would have refused is refused there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import User, Workspace
from brokers.models import TradingAccount
from risk.board import plain_figure
from risk.models import RiskRule, RuleType
from risk.services.limits import RuleInvalid, RuleTerms, add_rule
from risk.standings import rules_reaching, speaks_of
from strategies.models import UserStrategy


@dataclass(frozen=True, slots=True)
class ReplayRules:
    """The limits a replay is played under, in words, and those of the desk that were left out."""

    in_force: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def copy_rules(
    desk: Workspace, account: TradingAccount, *, by: User, now: datetime
) -> tuple[str, ...]:
    """Put the desk's active limits in force for the replay's account; name those left out, and why.

    A limit of the whole desk becomes one of the account, a limit of a strategy one of the same
    strategy here. What speaks of another account says nothing of this one.
    """
    running = {each.strategy_id: each for each in UserStrategy.objects.filter(account=account)}
    left_out = []
    for rule in _strictest_first(desk):
        activation = running.get(rule.user_strategy.strategy_id) if rule.user_strategy else None
        obstacle = _obstacle(rule, account, activation)
        if not obstacle:
            try:
                add_rule(account.workspace, _terms(rule, account, activation), by=by, now=now)
            except RuleInvalid as invalid:
                obstacle = str(invalid)
        if obstacle:
            left_out.append(f"{_words(rule)}: {obstacle}")
    return tuple(left_out)


def rules_in_force(account: TradingAccount) -> tuple[str, ...]:
    """Name every limit that counts for the account, copied or set for all replays."""
    reaching = rules_reaching(account).select_related("user_strategy__strategy")
    rules = reaching.order_by("rule_type", "rule_value", "pk")
    return tuple(_words(rule) for rule in rules if speaks_of(rule, account))


def _strictest_first(desk: Workspace) -> Iterable[RiskRule]:
    """Of two activations of one strategy the stricter limit counts: it is copied first."""
    rules = RiskRule.objects.filter(workspace=desk, is_active=True)
    related = rules.select_related("account", "user_strategy__strategy")
    return sorted(related.order_by("created_at", "pk"), key=_leniency)


def _leniency(rule: RiskRule) -> tuple[str, Decimal]:
    is_floor = rule.rule_type == RuleType.MIN_CAPITAL_THRESHOLD
    return rule.rule_type, -rule.rule_value if is_floor else rule.rule_value


def _obstacle(rule: RiskRule, account: TradingAccount, activation: UserStrategy | None) -> str:
    if rule.account is not None:
        return f"it speaks of {rule.account.name} alone"
    if rule.user_strategy is not None and activation is None:
        return "its strategy is not played"
    return "" if speaks_of(rule, account) else f"it is in {rule.currency}"


def _terms(rule: RiskRule, account: TradingAccount, activation: UserStrategy | None) -> RuleTerms:
    return RuleTerms(
        rule_type=RuleType(rule.rule_type),
        rule_value=rule.rule_value,
        account=None if activation else account,
        user_strategy_id=activation.pk if activation else None,
        exits_positions=rule.exits_positions,
    )


def _words(rule: RiskRule) -> str:
    whose = f" ({rule.user_strategy.strategy.name})" if rule.user_strategy else ""
    what = ", closing what is open" if rule.exits_positions else ""
    return f"{rule.get_rule_type_display()} {plain_figure(rule.rule_value)}{what}{whose}"
