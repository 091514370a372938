"""What the home page says of the chosen accounts. Each property costs at most two queries, once."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from django.db.models import Count, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from brokers.models import ConnectionStatus, TradingAccount
from brokers.selectors import differing_instruments, unreadable_rows
from notifications.models import Notification
from operations.figures import IST, ist_minute
from orders.models import Order, Trade
from portfolio.board import Board, board_of, open_positions, positions_board
from portfolio.models import Position, TradingSession
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
from portfolio.trading_days import account_day
from strategies.models import ActivationStatus, UserStrategy
from trading_site.context import Shell
from trading_site.equity_chart import EquityChart, equity_chart
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

    @property
    def is_ready(self) -> bool:
        return self.words.startswith("Ready")

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
        connection = self.account.connection
        if connection.status != ConnectionStatus.CONNECTED:
            return f"{connection.get_status_display()}: no orders, no prices"
        if self.differing:
            waits = "only exits there" if self.account.reconciled_at else "entries wait"
            verb = "instrument differs" if self.differing == 1 else "instruments differ"
            return f"{self.differing} {verb}: {waits}"
        if self.unreadable:
            rows = "row" if self.unreadable == 1 else "rows"
            return f"{self.unreadable} {rows} of the broker's cannot be read: only exits there"
        if self.account.reconciled_at is None:
            return "Being reconciled: entries wait"
        if not self.account.may_send:
            return "Live trading is off for this account"
        return f"Ready · agreed with its broker at {ist_minute(self.account.reconciled_at)}"


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
        return day_summary(self.accounts, now=self.now, books=books)

    @cached_property
    def chart(self) -> EquityChart | None:
        curve = equity_curve(self.accounts, now=self.now)
        marked_at = self.summary.as_of
        if curve and marked_at is not None:
            # The line ends where the figure beside it stands, not at the last full minute.
            last = curve[-1]
            kept = curve[:-1] if marked_at <= last.at else curve
            curve = [*kept, CurvePoint(max(marked_at, last.at), self.summary.net)]
        return equity_chart(curve)

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

    @property
    def today(self) -> date:
        return self.now.astimezone(IST).date()

    @property
    def past_day(self) -> date | None:
        """The day that the figures are of where it is not today, as of a replay's."""
        day = self.summary.day
        return None if day in {account_day(each, self.now) for each in self.accounts} else day

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
        return [BrokerRow(account) for account in single]

    @property
    def _activations(self) -> QuerySet[UserStrategy]:
        alive = UserStrategy.objects.filter(account__in=self.accounts)
        alive = alive.exclude(status=ActivationStatus.STOPPED).annotate(made=made_by_strategy())
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
