"""What the home page says of the chosen accounts. Each property costs at most two queries, once."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.db.models import Max, Q, QuerySet

from brokers.models import ConnectionStatus, TradingAccount
from notifications.models import Notification
from operations.figures import ist_minute
from orders.models import Order, Trade
from portfolio.board import Board, positions_board
from portfolio.models import Funds
from portfolio.selectors import DaySummary, day_summary, equity_curve, strategy_pnl
from risk.models import RiskRule, RuleType
from strategies.models import ActivationStatus, UserStrategy
from trading_site.context import Shell
from trading_site.equity_chart import EquityChart, equity_chart
from trading_site.sparkline import Sparkline, sparkline

ORDERS_SHOWN = 7
STRATEGIES_SHOWN = 6
ALERTS_SHOWN = 4
TRADES_IN_A_SPARK = 400
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Money:
    """The chosen accounts' money together, as their brokers last told it."""

    available: Decimal
    margin_used: Decimal
    accounts: int

    @property
    def whole(self) -> Decimal:
        return self.available + self.margin_used

    @property
    def used_percent(self) -> Decimal:
        return self.margin_used * 100 / self.whole if self.whole > 0 else ZERO


@dataclass(frozen=True, slots=True)
class LossLimit:
    """How far the nearest daily loss limit is away."""

    limit: Decimal
    left: Decimal
    is_reached: bool


@dataclass(frozen=True, slots=True)
class RunningStrategy:
    activation: UserStrategy
    pnl: Decimal
    spark: Sparkline | None


@dataclass(frozen=True, slots=True)
class BrokerRow:
    """An account and whether it can take an order, in words."""

    account: TradingAccount

    @property
    def is_ready(self) -> bool:
        return self.words.startswith("Ready")

    @property
    def words(self) -> str:
        connection = self.account.connection
        if connection.status != ConnectionStatus.CONNECTED:
            return f"{connection.get_status_display()}: no orders, no prices"
        if self.account.reconciled_at is None:
            return "Being reconciled: entries wait"
        if not self.account.may_send:
            return "Live trading is off for this account"
        return f"Ready · agreed with its broker at {ist_minute(self.account.reconciled_at)}"


class Home:
    """The home page of one request, over the accounts that its shell's menu has chosen."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.now = shell.now
        self.accounts: Sequence[TradingAccount] = shell.scope.accounts

    @cached_property
    def summary(self) -> DaySummary:
        return day_summary(self.accounts, now=self.now)

    @cached_property
    def chart(self) -> EquityChart | None:
        return equity_chart(equity_curve(self.accounts, now=self.now))

    @cached_property
    def money(self) -> Money | None:
        newest = (
            Funds.objects.filter(account__in=self.accounts)
            .values("account")
            .annotate(newest=Max("pk"))
            .values("newest")
        )
        funds = list(Funds.objects.filter(pk__in=newest))
        if not funds:
            return None
        available = sum((each.margin_available for each in funds), ZERO)
        return Money(available, sum((each.margin_used for each in funds), ZERO), len(funds))

    @cached_property
    def loss_limit(self) -> LossLimit | None:
        rules = RiskRule.objects.filter(
            Q(account=None) | Q(account__in=self.accounts),
            workspace=self.shell.workspace,
            user_strategy=None,
            rule_type=RuleType.MAX_DAILY_LOSS,
            is_active=True,
        )
        limits = [
            LossLimit(rule.rule_value, rule.rule_value - rule.current_value, rule.is_violated)
            for rule in rules
        ]
        return min(limits, key=lambda limit: limit.left, default=None)

    @cached_property
    def board(self) -> Board:
        return positions_board(self.accounts, by_strategy=False, now=self.now)

    @cached_property
    def orders(self) -> list[Order]:
        # By the desk as well: its index is in the order of time, an account's is not.
        desk = Order.objects.filter(workspace=self.shell.workspace, account__in=self.accounts)
        newest = desk.order_by("-created_at", "-pk")
        return list(newest.select_related("instrument", "account__connection")[:ORDERS_SHOWN])

    @cached_property
    def strategies(self) -> list[RunningStrategy]:
        running = list(self._activations)
        ids = [each.pk for each in running]
        results, sparks = strategy_pnl(ids), self._sparks(ids)
        return [
            RunningStrategy(each, results[each.pk].net, sparks.get(each.pk)) for each in running
        ]

    @cached_property
    def alerts(self) -> list[Notification]:
        if self.shell.user is None:
            return []
        visible = Notification.objects.visible_to(self.shell.user)
        return list(visible.order_by("-created_at", "-pk")[:ALERTS_SHOWN])

    @property
    def broker_rows(self) -> list[BrokerRow]:
        single = [scope.accounts[0] for scope in self.shell.scopes if len(scope.accounts) == 1]
        return [BrokerRow(account) for account in single]

    @property
    def _activations(self) -> QuerySet[UserStrategy]:
        alive = UserStrategy.objects.filter(account__in=self.accounts)
        alive = alive.exclude(status=ActivationStatus.STOPPED)
        ordered = alive.select_related("strategy", "account__connection").order_by("-activated_at")
        return ordered[:STRATEGIES_SHOWN]

    def _sparks(self, activation_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Sparkline]:
        """Draw each strategy's booked profit, trade by trade, over its newest trades."""
        if not activation_ids:
            return {}
        # By the desk as well: its index is in the order of time, and few trades are read.
        trades = Trade.objects.filter(
            workspace=self.shell.workspace, order__user_strategy__in=activation_ids
        )
        newest = trades.order_by("-traded_at").values_list("order__user_strategy", "realized_pnl")
        booked: dict[uuid.UUID, list[Decimal]] = {}
        for activation_id, profit in reversed(newest[:TRADES_IN_A_SPARK]):
            line = booked.setdefault(activation_id, [ZERO])
            line.append(line[-1] + profit)
        drawn = {each: sparkline(line) for each, line in booked.items()}
        return {each: spark for each, spark in drawn.items() if spark is not None}
