"""Give each kind of money the standing, and the stop, that its rule had for all of them together.

A stop stays a stop until its session ends, as it would have, for every kind that its limit speaks
of: an update lifts none. Amounts were in rupees; an account in another currency takes no entries by
them from now on.
"""

from django.db import migrations

FIGURES = (
    "evaluated_on",
    "current_value",
    "confirmations",
    "confirmed_at",
    "is_violated",
    "violation_message",
)
AMOUNTS = ("MAX_POSITION_SIZE", "MAX_DAILY_LOSS", "MIN_CAPITAL_THRESHOLD", "PROFIT_LOCK")
STRICTNESS = ("ACTIVE", "REDUCING", "HALTED")


def move(apps, schema_editor):
    for rule in apps.get_model("risk", "RiskRule").objects.order_by("pk"):
        kinds = _kinds(apps, rule)
        for is_live, currency, replay_id in kinds:
            apps.get_model("risk", "RuleStanding").objects.create(
                rule=rule,
                is_live=is_live,
                currency=currency,
                replay_id=replay_id,
                # A peak of several kinds together is none of theirs.
                peak_pnl=rule.peak_pnl if len(kinds) == 1 else 0,
                **{name: getattr(rule, name) for name in FIGURES},
            )
        if rule.account_id is None and rule.user_strategy_id is None:
            _split_states(apps, rule, kinds)
        elif kinds:
            rule.currency = kinds[0][1]
            rule.save(update_fields=["currency"])


def move_back(apps, schema_editor):
    for rule in apps.get_model("risk", "RiskRule").objects.order_by("pk"):
        worst = rule.standings.order_by("-is_violated", "-evaluated_on", "pk").first()
        if worst is not None:
            for name in (*FIGURES, "peak_pnl"):
                setattr(rule, name, getattr(worst, name))
            rule.save()
        if rule.account_id is None and rule.user_strategy_id is None:
            _join_states(apps, rule)
    apps.get_model("risk", "RuleStanding").objects.all().delete()


def _kinds(apps, rule):
    accounts = apps.get_model("brokers", "TradingAccount").objects.select_related("connection")
    if rule.account_id is not None:
        mine = accounts.filter(pk=rule.account_id)
    elif rule.user_strategy_id is not None:
        mine = accounts.filter(pk=rule.user_strategy.account_id)
    else:
        mine = accounts.filter(workspace_id=rule.workspace_id)
        if rule.rule_type in AMOUNTS:
            mine = mine.filter(currency=rule.currency)
    found = {
        (not each.connection.paper_trading, each.currency, each.pk if each.own_clock else None)
        for each in mine
    }
    return sorted(found, key=str)


def _split_states(apps, rule, kinds):
    states = apps.get_model("risk", "TradingState").objects
    for state in list(states.filter(rule=rule, is_live=None)):
        for is_live, currency, replay_id in kinds:
            states.create(
                workspace_id=state.workspace_id,
                rule=rule,
                account_id=replay_id,
                is_live=None if replay_id else is_live,
                currency="" if replay_id else currency,
                state=state.state,
                reason=state.reason,
                changed_by_id=state.changed_by_id,
                changed_at=state.changed_at,
            )
        state.delete()


def _join_states(apps, rule):
    states = apps.get_model("risk", "TradingState").objects.filter(rule=rule)
    strictest, *others = sorted(
        states, key=lambda each: STRICTNESS.index(each.state), reverse=True
    ) or [None]
    for state in others:
        state.delete()
    if strictest is not None:
        strictest.account_id, strictest.is_live, strictest.currency = None, None, ""
        strictest.save()


class Migration(migrations.Migration):

    dependencies = [
        ("risk", "0002_keep_rules_for_each_kind_of_money"),
    ]

    operations = [migrations.RunPython(move, move_back)]
