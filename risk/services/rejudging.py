"""Hold what a rule has found against its limit as it is now."""

from datetime import datetime

from brokers.models import TradingAccount
from risk.kinds import kind_of
from risk.models import RiskRule, RuleStanding, Trading, TradingState
from risk.rules import DAY_RULES, Finding
from risk.standings import day_figures


def rejudge_rule(rule: RiskRule, *, now: datetime) -> None:
    """Bring a rule's standings, and what it has stopped, into line with its changed limit.

    A limit still reached stays reached, in the words of the new one. One that is not reached any
    more is counted afresh; what it had stopped is not let go by that, and says what would. What a
    person has let go meanwhile is counted afresh as well. The caller has locked the rule.
    """
    for standing in rule.standings.select_for_update().order_by("pk"):
        standing.rule = rule
        stopped = _stopped_by(standing)
        finding = _found_now(standing) if standing.is_violated and stopped is not None else None
        is_reached = finding is not None and finding.is_beyond
        standing.is_violated = is_reached
        standing.violation_message = finding.words if finding and is_reached else ""
        if not is_reached:
            standing.confirmations, standing.confirmed_at = 0, None
        standing.save(
            update_fields=["is_violated", "violation_message", "confirmations", "confirmed_at"]
        )
        if stopped is not None:
            _say_why(stopped, finding if is_reached else None, rule, now=now)


def _stopped_by(standing: RuleStanding) -> TradingState | None:
    """The state that this rule has set for this kind of money, while it stops something."""
    states = TradingState.objects.select_for_update(of=("self",)).filter(rule=standing.rule)
    states = states.exclude(state=Trading.ACTIVE)
    if standing.rule.account_id is None and standing.rule.user_strategy_id is None:
        if standing.replay_id is not None:
            states = states.filter(account=standing.replay_id)
        else:
            states = states.filter(is_live=standing.is_live, currency=standing.currency)
    return states.first()


def _found_now(standing: RuleStanding) -> Finding | None:
    account, on = _account_of(standing), standing.evaluated_on
    judge = DAY_RULES.get(standing.rule.rule_type)
    if account is None or on is None or judge is None:
        return None
    return judge(standing.rule.rule_value, day_figures(standing, account, on=on))


def _account_of(standing: RuleStanding) -> TradingAccount | None:
    """Any account of the standing's kind of money within the rule's reach."""
    rule = standing.rule
    accounts = TradingAccount.objects.filter(workspace=rule.workspace_id)
    if rule.account_id is not None:
        accounts = accounts.filter(pk=rule.account_id)
    elif rule.user_strategy_id is not None:
        accounts = accounts.filter(user_strategies=rule.user_strategy_id)
    found = accounts.select_related("connection").order_by("pk")
    return next((each for each in found if kind_of(each) == standing.kind), None)


def _say_why(
    stopped: TradingState, finding: Finding | None, rule: RiskRule, *, now: datetime
) -> None:
    if finding is not None:
        stopped.reason = finding.words[:300]
    else:
        words = f"Stopped by “{rule.get_rule_type_display()}” before its limit was changed"
        stopped.reason = f"{words}: set active by hand, or the next session, lets it go on"
    stopped.changed_at = now
    stopped.save(update_fields=["reason", "changed_at"])
