"""The risk page's figures: each account's state, each rule's distance to its limit in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Q

from accounts.models import Workspace
from brokers.models import TradingAccount
from operations.figures import IST, rupees, signed
from portfolio.models import TradingSession
from risk.models import ControlType, RiskRule, RuleType, TraderControl, Trading, TradingState
from risk.rules import REACH_RULES
from risk.selectors import RuleDistance
from risk.usage import rule_usage

NEAR = Decimal("0.8")
_STRICTNESS = (Trading.ACTIVE, Trading.REDUCING, Trading.HALTED)
_WHEN_REACHED = {
    RuleType.MAX_POSITION_SIZE: "Refuse the order",
    RuleType.MAX_LOTS: "Refuse the order",
    RuleType.MAX_ORDERS_PER_DAY: "Refuse new entries",
    RuleType.MIN_CAPITAL_THRESHOLD: "Refuse new entries",
    RuleType.MAX_DAILY_LOSS: "Exits only for the day",
    RuleType.MAX_DRAWDOWN: "Exits only for the day",
    RuleType.PROFIT_LOCK: "Exit all, then exits only",
    RuleType.TRAILING_STOP: "Exit the position",
}


@dataclass(frozen=True, slots=True)
class AccountState:
    """What one account may do, why, and what is at stake in it."""

    account: TradingAccount
    state: Trading
    reason: str
    since: datetime | None
    open_orders: int
    open_positions: int
    day_pnl: Decimal | None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as its row shows it. ``percent`` is None for a rule that is checked order by order."""

    rule: RiskRule
    reaches: str
    current: str
    limit: str
    percent: int | None
    is_near: bool
    when_reached: str


def account_states(workspace: Workspace, *, now: datetime) -> list[AccountState]:
    """Tell the strictest state that holds for each account, in a fixed number of queries."""
    accounts = list(
        workspace.accounts.filter(is_active=True).select_related("connection").order_by("name")
    )
    states = list(TradingState.objects.filter(workspace=workspace, user_strategy=None))
    switch = _switch_of(workspace)
    # An order or a position without an end is one that is still open.
    open_orders = _counts(workspace, "orders", Q(orders__closed_at=None, orders__isnull=False))
    held = Q(positions__status="OPEN", positions__position_type="NET")
    open_positions = _counts(workspace, "positions", held)
    today = now.astimezone(IST).date()
    sessions = TradingSession.objects.filter(workspace=workspace, session_date=today)
    pnl = dict(sessions.values_list("account_id", "total_pnl"))
    return [
        AccountState(
            account,
            *_strictest(account, states, switch),
            open_orders=open_orders.get(account.pk, 0),
            open_positions=open_positions.get(account.pk, 0),
            day_pnl=pnl.get(account.pk),
        )
        for account in accounts
    ]


def kill_switch_of(workspace: Workspace) -> TraderControl | None:
    """Return the kill switch in force for the whole workspace, with who turned it on."""
    return _switch_of(workspace)


def rule_rows(workspace: Workspace, *, now: datetime) -> list[RuleRow]:
    """List the rules in force as they stand now, nearest to its limit first."""
    return [_rule_row(distance) for distance in rule_usage(workspace, now=now)]


def plain_figure(value: Decimal) -> str:
    """Write a limit as one would type it: 5,000 or 2.5, without idle zeros."""
    _, _, fraction = f"{value.normalize():f}".partition(".")
    return rupees(value, len(fraction))


def _switch_of(workspace: Workspace) -> TraderControl | None:
    in_force = TraderControl.objects.filter(
        Q(workspace=workspace) | Q(workspace=None),
        account=None,
        control_type=ControlType.KILL_SWITCH,
        deactivated_at=None,
    )
    return in_force.select_related("activated_by").order_by("activated_at").first()


def _counts(workspace: Workspace, name: str, condition: Q) -> dict[object, int]:
    rows = workspace.accounts.filter(condition).order_by().values_list("pk")
    return dict(rows.annotate(Count(name)))


def _strictest(
    account: TradingAccount, states: Iterable[TradingState], switch: TraderControl | None
) -> tuple[Trading, str, datetime | None]:
    if switch is not None:
        return Trading.HALTED, switch.reason, switch.activated_at
    own = [state for state in states if state.account_id in (None, account.pk)]
    found = max(own, key=lambda each: _STRICTNESS.index(Trading(each.state)), default=None)
    if found is None:
        return Trading.ACTIVE, "", None
    return Trading(found.state), found.reason, found.changed_at


def _rule_row(distance: RuleDistance) -> RuleRow:
    rule = distance.rule
    kind = RuleType(rule.rule_type)
    is_per_order = kind in REACH_RULES or kind is RuleType.TRAILING_STOP
    when = _WHEN_REACHED[kind]
    if rule.exits_positions and kind is not RuleType.PROFIT_LOCK:
        when = f"Exit all, {when.lower()}"
    return RuleRow(
        rule=rule,
        reaches=_reaches(rule),
        current="checked at each order" if is_per_order else _figure(kind, distance.current),
        limit=_figure(kind, distance.limit),
        percent=None if is_per_order else int(distance.share * 100),
        is_near=not is_per_order and distance.share >= NEAR,
        when_reached=when,
    )


def _reaches(rule: RiskRule) -> str:
    if rule.user_strategy is not None:
        return rule.user_strategy.strategy.name
    return rule.account.name if rule.account else "The whole desk"


def _figure(kind: RuleType, value: Decimal) -> str:
    if kind is RuleType.MAX_DRAWDOWN:
        return f"{rupees(value)}%"
    if kind in (RuleType.MAX_LOTS, RuleType.MAX_ORDERS_PER_DAY):
        return rupees(value, 0)
    return signed(value) if kind is RuleType.PROFIT_LOCK else rupees(value)
