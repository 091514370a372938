"""What risk reads: states, exposures, the day's figures."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from accounts.models import Workspace
from brokers.models import TradingAccount
from brokers.terms import Product, Side
from market.models import Instrument
from portfolio.models import Position, PositionType, TradingSession
from risk.models import (
    ControlType,
    Reservation,
    RiskRule,
    RuleType,
    TraderControl,
    Trading,
    TradingState,
)
from risk.rules import DayFigures, Exposure

_STRICTNESS = (Trading.ACTIVE, Trading.REDUCING, Trading.HALTED)


def entries_blocked() -> Q:
    """A condition on Order rows, true where a state or a kill switch forbids entries now.

    It is part of the very statement that claims an order for sending, so nothing is claimed
    after the switch has been committed.
    """
    states = TradingState.objects.filter(
        Q(account=None) | Q(account=OuterRef("account_id")),
        Q(user_strategy=None) | Q(user_strategy=OuterRef("user_strategy_id")),
        workspace=OuterRef("workspace_id"),
        state__in=[Trading.REDUCING, Trading.HALTED],
    )
    switches = TraderControl.objects.filter(
        Q(workspace=None) | Q(workspace=OuterRef("workspace_id")),
        Q(account=None) | Q(account=OuterRef("account_id")),
        control_type=ControlType.KILL_SWITCH,
        deactivated_at=None,
    )
    return Q(Exists(states)) | Q(Exists(switches))


def effective_state(account: TradingAccount, user_strategy_id: uuid.UUID | None = None) -> Trading:
    """The strictest state that holds for an account (and strategy)."""
    return state_with_reason(account, user_strategy_id)[0]


def state_with_reason(
    account: TradingAccount, user_strategy_id: uuid.UUID | None = None
) -> tuple[Trading, str]:
    """The strictest state that holds for an account (and strategy), and why."""
    switch = kill_switch(account.workspace_id, account=account)
    if switch is not None:
        return Trading.HALTED, f"The kill switch is on: {switch.reason}".rstrip(": ")
    rows = TradingState.objects.filter(
        Q(account=None) | Q(account=account),
        Q(user_strategy=None) | Q(user_strategy=user_strategy_id),
        workspace=account.workspace_id,
    )
    strictest = max(rows, key=lambda row: _STRICTNESS.index(Trading(row.state)), default=None)
    if strictest is None:
        return Trading.ACTIVE, ""
    return Trading(strictest.state), strictest.reason


def kill_switch(
    workspace_id: uuid.UUID, *, account: TradingAccount | None = None
) -> TraderControl | None:
    """The kill switch in force for a workspace (or one account of it), if there is one."""
    return (
        TraderControl.objects.filter(
            Q(workspace=None) | Q(workspace=workspace_id),
            Q(account=None) | Q(account=account) if account else Q(account=None),
            control_type=ControlType.KILL_SWITCH,
            deactivated_at=None,
        )
        .order_by("activated_at")
        .first()
    )


@dataclass(frozen=True, slots=True)
class Book:
    """Whose holding of what: of one strategy when named, else of the whole account."""

    account: TradingAccount
    instrument: Instrument
    product: Product


def exposure(
    book: Book, *, strategy: uuid.UUID | None, own: bool, without: uuid.UUID | None = None
) -> Exposure:
    """Read one book's exposure: of a strategy's own part, or of the account's net.

    ``without`` leaves one order's reservation out, as when that order is being changed.
    """
    positions = Position.objects.filter(
        account=book.account, instrument=book.instrument, product=book.product
    ).open()
    held = Reservation.objects.filter(
        account=book.account,
        instrument=book.instrument,
        product=book.product,
        released_at=None,
    )
    if without is not None:
        held = held.exclude(order_id=without)
    if own:
        positions = positions.filter(user_strategy=strategy)
        held = held.filter(user_strategy_id=strategy)
    quantity = positions.aggregate(total=Sum("quantity"))["total"] or 0
    pending = dict(held.values_list("side").annotate(Sum("quantity")).order_by())
    return Exposure(quantity, pending.get(Side.BUY, 0), pending.get(Side.SELL, 0))


def reserved_margin(account: TradingAccount, *, since: object) -> Decimal:
    """Margin that the broker's figure of that moment does not know of yet."""
    unknown_to_broker = Q(handed_over_at=None) | Q(handed_over_at__gte=since)
    held = Reservation.objects.filter(unknown_to_broker, account=account, released_at=None)
    return held.aggregate(total=Sum("margin"))["total"] or Decimal(0)


def rules_for(
    account: TradingAccount, user_strategy_id: uuid.UUID | None
) -> QuerySet[RiskRule, RiskRule]:
    """The active rules that speak of an order of this account and strategy."""
    return RiskRule.objects.filter(
        Q(account=None) | Q(account=account),
        Q(user_strategy=None) | Q(user_strategy=user_strategy_id),
        workspace=account.workspace_id,
        is_active=True,
    )


def day_figures(rule: RiskRule, account: TradingAccount, *, on: date) -> DayFigures:
    """The day's money within a rule's reach.

    A rule of a strategy sees that strategy's trades of the day; one of an account that account's
    session; one of the whole workspace the sessions of all its accounts of the same kind, since
    paper money is never added to live money, nor one currency to another.
    """
    if rule.user_strategy_id is not None:
        return _strategy_figures(rule, account, on=on)
    accounts = [account] if rule.account_id else list(_alike(account))
    sessions = TradingSession.objects.filter(account__in=accounts, session_date=on)
    totals = sessions.aggregate(pnl=Sum("total_pnl"), capital=Sum("capital_at_start"))
    orders = Reservation.objects.filter(account__in=accounts, session_date=on).count()
    return _figures(rule, totals["pnl"], totals["capital"], orders=orders, on=on)


def _alike(account: TradingAccount) -> Iterable[TradingAccount]:
    return TradingAccount.objects.filter(
        workspace=account.workspace_id,
        currency=account.currency,
        own_clock=account.own_clock,
        connection__paper_trading=account.is_paper,
    )


def _strategy_figures(rule: RiskRule, account: TradingAccount, *, on: date) -> DayFigures:
    day = Position.objects.filter(
        account=account,
        user_strategy=rule.user_strategy_id,
        position_type=PositionType.DAY,
        session_date=on,
    ).aggregate(
        realized=Sum("realized_pnl"), unrealized=Sum("unrealized_pnl"), charges=Sum("charges")
    )
    zero = Decimal(0)
    pnl = (day["realized"] or zero) + (day["unrealized"] or zero) - (day["charges"] or zero)
    session = TradingSession.objects.filter(account=account, session_date=on).first()
    capital = session.capital_at_start if session else None
    orders = Reservation.objects.filter(
        account=account, user_strategy_id=rule.user_strategy_id, session_date=on
    ).count()
    return _figures(rule, pnl, capital, orders=orders, on=on)


def _figures(
    rule: RiskRule, pnl: Decimal | None, capital: Decimal | None, *, orders: int, on: date
) -> DayFigures:
    now = pnl or Decimal(0)
    peak = max(rule.peak_pnl, now) if rule.evaluated_on == on else max(now, Decimal(0))
    return DayFigures(pnl=now, peak=peak, capital_at_start=capital or Decimal(0), orders=orders)


@dataclass(frozen=True, slots=True)
class RuleDistance:
    """A rule and how near it is: ``share`` is 0 far away, 1 at the limit or beyond."""

    rule: RiskRule
    current: Decimal
    limit: Decimal
    share: Decimal


def distances(workspace: Workspace) -> list[RuleDistance]:
    """Every active rule of a workspace with its distance to the limit, nearest first."""
    rules = RiskRule.objects.filter(workspace=workspace, is_active=True)
    found = [
        RuleDistance(rule, rule.current_value, rule.rule_value, _share(rule))
        for rule in rules.select_related("account", "user_strategy__strategy")
    ]
    return sorted(found, key=lambda each: each.share, reverse=True)


def _share(rule: RiskRule) -> Decimal:
    if rule.is_violated:
        return Decimal(1)
    if rule.rule_type in (RuleType.MIN_CAPITAL_THRESHOLD, RuleType.PROFIT_LOCK):
        if rule.current_value <= 0:
            return Decimal(0)
        return min(rule.rule_value / rule.current_value, Decimal(1))
    return max(Decimal(0), min(rule.current_value / rule.rule_value, Decimal(1)))
