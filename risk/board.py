"""The risk page's figures: each account's state, each rule's distance to its limit in words."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, Q

from accounts.models import Workspace
from brokers.models import TradingAccount
from operations.figures import rupees, signed
from portfolio.shown_days import latest_sessions, shown_days
from portfolio.trading_days import account_day
from risk.kinds import MoneyKind
from risk.models import RiskRule, RuleType, Trading, TradingState
from risk.releasing import RELEASED_BY, release_refusal
from risk.rules import HOME_CURRENCY, REACH_RULES
from risk.stops import StateInForce, StopsInForce
from risk.usage import RuleUsage, rule_usage

NEAR = Decimal("0.8")
_WHEN_REACHED = {
    RuleType.MAX_POSITION_SIZE: "Refuse the order",
    RuleType.MAX_LOTS: "Refuse the order",
    RuleType.MAX_ORDERS_PER_DAY: "Refuse new entries",
    RuleType.MIN_CAPITAL_THRESHOLD: "Exits only for the day",
    RuleType.MAX_DAILY_LOSS: "Exits only for the day",
    RuleType.MAX_DRAWDOWN: "Exits only for the day",
    RuleType.PROFIT_LOCK: "Exit all, then exits only",
    RuleType.TRAILING_STOP: "Exit the position",
}


@dataclass(frozen=True, slots=True)
class AccountState:
    """What one account may do, why, and what is at stake in it."""

    account: TradingAccount
    in_force: StateInForce
    open_orders: int
    open_positions: int
    day_pnl: Decimal | None
    # The day of that figure where it is not today, as of a replay.
    past_day: date | None

    @property
    def state(self) -> Trading:
        return self.in_force.state

    @property
    def reason(self) -> str:
        return self.in_force.reason

    @property
    def since(self) -> datetime | None:
        return self.in_force.since


@dataclass(frozen=True, slots=True)
class StopRow:
    """A state that stops something: whom, by whom, and whether this person may release it."""

    stop: TradingState
    where: str
    may_release: bool
    refusal: str


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as its row shows it, for one kind of money. ``percent`` is None for a rule that is
    checked order by order; ``reached`` tells in words of a limit that has been reached."""

    rule: RiskRule
    reaches: str
    current: str
    limit: str
    percent: int | None
    is_near: bool
    when_reached: str
    reached: str


def account_states(
    workspace: Workspace, *, stops: StopsInForce, now: datetime
) -> list[AccountState]:
    """Tell the strictest state that holds for each account, in a fixed number of queries."""
    accounts = list(
        workspace.accounts.filter(is_active=True).select_related("connection").order_by("name")
    )
    # An order or a position without an end is one that is still open.
    open_orders = _counts(workspace, "orders", Q(orders__closed_at=None, orders__isnull=False))
    held = Q(positions__status="OPEN", positions__position_type="NET")
    open_positions = _counts(workspace, "positions", held)
    sessions = latest_sessions(accounts, now=now)
    days = shown_days(accounts, now=now, sessions=sessions)
    pnl = {each.account_id: each.total_pnl for each in sessions}
    return [
        AccountState(
            account,
            stops.of(account),
            open_orders=open_orders.get(account.pk, 0),
            open_positions=open_positions.get(account.pk, 0),
            day_pnl=pnl.get(account.pk),
            past_day=_past(days.of[account], account_day(account, now)),
        )
        for account in accounts
    ]


def stop_rows(workspace: Workspace, *, role: str) -> list[StopRow]:
    """List the states that stop the desk or its accounts, and whether a role may release them."""
    states = TradingState.objects.filter(workspace=workspace, user_strategy=None)
    stopping = states.exclude(state=Trading.ACTIVE).select_related("account", "changed_by", "rule")
    return [
        StopRow(
            stop,
            where=_where(stop),
            may_release=role in RELEASED_BY[stop.set_by],
            refusal=release_refusal(stop),
        )
        for stop in stopping.order_by("changed_at", "pk")
    ]


def _where(stop: TradingState) -> str:
    if stop.account is not None:
        return stop.account.name
    if stop.is_live is None:
        return "The whole desk"
    return f"The whole desk, {MoneyKind(stop.is_live, stop.currency)}"


def rule_rows(workspace: Workspace, *, now: datetime) -> list[RuleRow]:
    """List the rules in force as they stand now, nearest to its limit first."""
    return [_rule_row(usage) for usage in rule_usage(workspace, now=now)]


def plain_figure(value: Decimal) -> str:
    """Write a limit as one would type it: 5,000 or 2.5, without idle zeros."""
    _, _, fraction = f"{value.normalize():f}".partition(".")
    return rupees(value, len(fraction))


def _past(day: date, today: date) -> date | None:
    return None if day == today else day


def _counts(workspace: Workspace, name: str, condition: Q) -> dict[object, int]:
    rows = workspace.accounts.filter(condition).order_by().values_list("pk")
    return dict(rows.annotate(Count(name)))


def _rule_row(usage: RuleUsage) -> RuleRow:
    rule = usage.rule
    kind = RuleType(rule.rule_type)
    is_per_order = kind in REACH_RULES or kind is RuleType.TRAILING_STOP
    when = _WHEN_REACHED[kind]
    if rule.exits_positions and kind is not RuleType.PROFIT_LOCK:
        when = f"Exit all, {when.lower()}"
    return RuleRow(
        rule=rule,
        reaches=_reaches(usage),
        current="checked at each order" if is_per_order else _figure(usage, usage.current),
        limit=_figure(usage, usage.limit),
        percent=None if is_per_order else int(usage.share * 100),
        is_near=not is_per_order and usage.share >= NEAR,
        when_reached=when,
        reached=usage.words,
    )


def _reaches(usage: RuleUsage) -> str:
    """Name what a rule speaks of; of the whole desk, which money this row is about."""
    rule = usage.rule
    if rule.user_strategy is not None:
        return rule.user_strategy.strategy.name
    if rule.account is not None:
        return rule.account.name
    return f"The whole desk, {usage.kind}" if usage.kind else "The whole desk"


def _figure(usage: RuleUsage, value: Decimal) -> str:
    kind = RuleType(usage.rule.rule_type)
    if kind is RuleType.MAX_DRAWDOWN:
        return f"{rupees(value)}%"
    if kind in (RuleType.MAX_LOTS, RuleType.MAX_ORDERS_PER_DAY):
        return rupees(value, 0)
    figure = signed(value) if kind is RuleType.PROFIT_LOCK else rupees(value)
    is_foreign = usage.rule.is_amount and usage.rule.currency != HOME_CURRENCY
    return f"{usage.rule.currency} {figure}" if is_foreign else figure
