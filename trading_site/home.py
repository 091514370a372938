"""What the home page says of the chosen accounts. Each property costs at most two queries, once."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.db.models import Count, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from brokers.models import TradingAccount
from brokers.selectors import differing_instruments, unreadable_rows
from brokers.standing import Standing
from notifications.models import Notification
from operations.figures import ist_when
from orders.models import Order, Trade
from portfolio.board import Board, at_board_prices, board_of, open_positions, positions_board
from portfolio.models import Position, TradingSession
from portfolio.profit_chart import ProfitChart, profit_chart
from portfolio.selectors import (
    CurvePoint,
    DayBooks,
    DaySummary,
    day_summary,
    equity_curve,
    made_by_strategy,
    newest_money,
    newest_sessions,
)
from portfolio.shown_days import ShownDays, shown_days
from strategies.models import ActivationStatus, UserStrategy
from trading_site.context import Shell
from trading_site.home_losses import LossLimit, nearest_loss_limit
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
class RunningStrategy:
    activation: UserStrategy
    pnl: Decimal
    spark: Sparkline | None


@dataclass(frozen=True, slots=True)
class BrokerRow:
    """An account and whether it can take an order, in words."""

    account: TradingAccount
    now: datetime

    @property
    def standing(self) -> Standing:
        return self.account.standing

    @property
    def differing(self) -> int:
        """In how many instruments its positions are not what its broker tells."""
        count: int = self.account.differing  # type: ignore[attr-defined]  # annotated
        return count

    @property
    def unreadable(self) -> int:
        """How many rows that its broker lists cannot be read."""
        count: int = self.account.unreadable  # type: ignore[attr-defined]  # annotated
        return count

    @property
    def words(self) -> str:
        agreed_at = ist_when(self.account.reconciled_at, now=self.now)
        if self.standing is Standing.READY:
            return f"Ready · agreed with its broker at {agreed_at}"
        if self.standing is Standing.REPLAY:
            return f"Replay · played until {agreed_at}"
        if self.differing and self.standing.reaches_broker:
            verb = "instrument differs" if self.differing == 1 else "instruments differ"
            return f"{self.differing} {verb}: {self.standing.effect}"
        if self.unreadable and self.standing.reaches_broker:
            rows = "row" if self.unreadable == 1 else "rows"
            return f"{self.unreadable} {rows} of the broker's cannot be read: only exits there"
        return f"{self.standing.value}: {self.standing.effect}"


class Home:
    """The home page of one request, over the accounts that its shell's menu has chosen."""

    def __init__(self, shell: Shell, *, is_whole: bool = False) -> None:
        self.shell = shell
        self.now = shell.now
        shell.also_of_accounts = {
            **newest_money(),
            "differing": differing_instruments(),
            "unreadable": unreadable_rows(),
        }
        self.accounts: Sequence[TradingAccount] = shell.scope.accounts
        self._is_whole = is_whole and bool(self.accounts)
        if self._is_whole:
            self._read_with_the_shell()

    @cached_property
    def summary(self) -> DaySummary:
        told = {pk: available + used for pk, (available, used) in self._told.items()}
        books = DayBooks(self._sessions, told)
        return at_board_prices(day_summary(self.accounts, now=self.now, books=books), self.board)

    @cached_property
    def chart(self) -> ProfitChart | None:
        curve = equity_curve(self.accounts, now=self.now)
        marked_at = self.summary.as_of
        if curve and marked_at is not None:
            # The line ends where the figure beside it stands, not at the last full minute.
            last = curve[-1]
            kept = curve[:-1] if marked_at <= last.at else curve
            curve = [*kept, CurvePoint(max(marked_at, last.at), self.summary.net)]
        return profit_chart(curve)

    @cached_property
    def money(self) -> Money | None:
        if not self._told:
            return None
        available = sum((available for available, _ in self._told.values()), ZERO)
        used = sum((used for _, used in self._told.values()), ZERO)
        return Money(available, used, len(self._told))

    @cached_property
    def loss_limit(self) -> LossLimit | None:
        return nearest_loss_limit(
            self.shell.workspace, self.accounts, sessions=self._sessions, now=self.now
        )

    @cached_property
    def board(self) -> Board:
        if not self._is_whole:
            return positions_board(self.accounts, by_strategy=False, now=self.now)
        return board_of(self._positions, self.shell.quotes, by_strategy=False, now=self.now)

    @cached_property
    def orders(self) -> list[Order]:
        # By the desk as well: its index is in the order of time, an account's is not.
        desk = Order.objects.filter(workspace=self.shell.workspace, account__in=self.accounts)
        newest = desk.order_by("-created_at", "-pk")
        return list(newest.select_related("instrument", "account__connection")[:ORDERS_SHOWN])

    @cached_property
    def days(self) -> ShownDays:
        """The day that the page speaks of: a replay's last, and on a Sunday that of Friday."""
        return shown_days(self.accounts, now=self.now, sessions=self._sessions)

    @cached_property
    def strategies(self) -> list[RunningStrategy]:
        running = list(self._activations)
        sparks = self._sparks([each.pk for each in running])
        return [
            RunningStrategy(each, each.made, sparks.get(each.pk))  # type: ignore[attr-defined]  # annotated
            for each in running
        ]

    @cached_property
    def alerts(self) -> list[Notification]:
        return [alert for alert, _ in self._alerts_and_unread]

    @property
    def broker_rows(self) -> list[BrokerRow]:
        single = [scope.accounts[0] for scope in self.shell.scopes if len(scope.accounts) == 1]
        return [BrokerRow(account, self.now) for account in single]

    @property
    def _activations(self) -> QuerySet[UserStrategy]:
        alive = UserStrategy.objects.filter(account__in=self.accounts)
        if not self.shell.scope.is_replay:  # there they were played, and are over
            alive = alive.exclude(status=ActivationStatus.STOPPED)
        alive = alive.annotate(made=made_by_strategy())
        ordered = alive.select_related("strategy", "account__connection").order_by("-activated_at")
        return ordered[:STRATEGIES_SHOWN]

    @cached_property
    def _told(self) -> dict[uuid.UUID, tuple[Decimal, Decimal]]:
        """What each account has available and what is used, where its broker has told it."""
        told = {
            each.pk: (each.margin_available, each.margin_used)  # type: ignore[attr-defined]  # annotated
            for each in self.accounts
        }
        return {pk: money for pk, money in told.items() if None not in money}

    @cached_property
    def _sessions(self) -> list[TradingSession]:
        workspace = self.shell.workspace
        return newest_sessions(workspace, now=self.now) if workspace else []

    @cached_property
    def _positions(self) -> list[Position]:
        return open_positions(self.accounts)

    @cached_property
    def _alerts_and_unread(self) -> list[tuple[Notification, int]]:
        """The newest alerts, each with how many are unread: one question for both."""
        user = self.shell.user
        if user is None:
            return []
        here = Notification.objects.at_desk(self.shell.workspace)
        count = here.unread_by(user).order_by().values(one=Value(1))
        counted = count.annotate(count=Count("pk")).values("count")
        visible = here.visible_to(user).annotate(unread=Coalesce(Subquery(counted), 0))
        newest = visible.order_by("-created_at", "-pk")[:ALERTS_SHOWN]
        return [(alert, alert.unread) for alert in newest]  # type: ignore[attr-defined]  # annotated

    def _read_with_the_shell(self) -> None:
        """Share what the page and the frame around it both need, before either is drawn."""
        self.shell.also_quoted = {position.instrument.key for position in self._positions}
        self.shell.unread = next((unread for _, unread in self._alerts_and_unread), 0)

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
