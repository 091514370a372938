"""How far the nearest daily loss limit is away, from the day's books that the page has read."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import F, FilteredRelation, Q

from accounts.models import Workspace
from brokers.models import TradingAccount
from portfolio.models import TradingSession
from portfolio.trading_days import account_day
from risk.kinds import MoneyKind, kind_of
from risk.models import RiskRule, RuleType
from risk.standings import speaks_of

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class LossLimit:
    """How far the nearest daily loss limit is away."""

    limit: Decimal
    left: Decimal
    is_reached: bool

    @property
    def share(self) -> Decimal:
        return 1 - self.left / self.limit


_Reached = set[tuple[MoneyKind, date | None]]
_STOOD = ("is_live", "currency", "replay", "evaluated_on")


def nearest_loss_limit(
    workspace: Workspace | None,
    accounts: Sequence[TradingAccount],
    *,
    sessions: Sequence[TradingSession],
    now: datetime,
) -> LossLimit | None:
    """Hold the day's losses against the limits of the desk and of its accounts; one query.

    ``sessions`` are the newest of the whole desk, with their accounts: a limit of the desk counts
    the accounts that are not shown as well. None where nothing limits the accounts.
    """
    limits = [
        _limit(rule, account, reached, sessions=sessions, today=account_day(account, now))
        for rule, reached in _rules(workspace, accounts)
        for account in accounts
        if rule.account_id in (None, account.pk) and speaks_of(rule, account)
    ]
    # The nearest by its share: amounts of two currencies do not compare.
    return max(limits, key=lambda each: (each.is_reached, each.share), default=None)


def _limit(
    rule: RiskRule,
    account: TradingAccount,
    reached: _Reached,
    *,
    sessions: Sequence[TradingSession],
    today: date,
) -> LossLimit:
    kind = kind_of(account)
    reach = [
        each
        for each in sessions
        if (each.account_id == account.pk if rule.account_id else kind_of(each.account) == kind)
    ]
    # A replay's day is the last that it has seen.
    day = max((each.session_date for each in reach), default=today) if kind.replay_id else today
    made = sum((each.total_pnl for each in reach if each.session_date == day), ZERO)
    left = max(rule.rule_value - max(-made, ZERO), ZERO)
    return LossLimit(rule.rule_value, left, not left or (kind, day) in reached)


def _rules(
    workspace: Workspace | None, accounts: Sequence[TradingAccount]
) -> list[tuple[RiskRule, _Reached]]:
    """Read the limits, each with the kinds of money that have reached it, and on which day.

    What was lost and won back since then has reached it all the same.
    """
    rules = RiskRule.objects.filter(
        Q(account=None) | Q(account__in=accounts),
        workspace=workspace,
        user_strategy=None,
        rule_type=RuleType.MAX_DAILY_LOSS,
        is_active=True,
    )
    condition = Q(standings__is_violated=True)
    rows = rules.annotate(stood=FilteredRelation("standings", condition=condition))
    found: dict[uuid.UUID, tuple[RiskRule, _Reached]] = {}
    for rule in rows.annotate(**{f"stood_{name}": F(f"stood__{name}") for name in _STOOD}):
        live, currency, replay, day = (getattr(rule, f"stood_{name}") for name in _STOOD)
        _, reached = found.setdefault(rule.pk, (rule, set()))
        if live is not None:
            reached.add((MoneyKind(live, currency, replay), day))
    return list(found.values())
