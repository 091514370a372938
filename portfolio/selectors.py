"""Reads of the books of account for pages, risk and strategies."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from django.db.models import F, Max, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from accounts.models import Workspace
from brokers.models import TradingAccount
from operations.fields import MoneyField
from portfolio.models import EquityPoint, Funds, Position, TradingSession
from portfolio.shown_days import is_last_of_replay, latest_sessions, of_last_days
from portfolio.trading_days import latest_days, of_latest_days

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class DaySummary:
    """What the latest trading day came to, in one currency.

    ``unrealized`` is what open positions gained that day; ``open_profit`` what they gained since
    they were opened. ``as_of`` is the oldest of the accounts' marks, None before the first.
    ``day`` is the latest of their days, see :func:`portfolio.shown_days.shown_days`.
    """

    currency: str
    realized: Decimal = NOTHING
    unrealized: Decimal = NOTHING
    open_profit: Decimal = NOTHING
    charges: Decimal = NOTHING
    uncharged_fills: int = 0
    capital_at_start: Decimal | None = None
    total_orders: int = 0
    successful_orders: int = 0
    as_of: datetime | None = None
    day: date | None = None

    @property
    def net(self) -> Decimal:
        """The day's gain after charges."""
        return self.realized + self.unrealized - self.charges

    @property
    def net_without_open(self) -> Decimal:
        """Add the profit of what is open, at any prices, and it is the day's gain at these."""
        return self.net - self.open_profit

    @property
    def unrealized_without_open(self) -> Decimal:
        """As :attr:`net_without_open`, of the unrealised gain alone."""
        return self.unrealized - self.open_profit

    @property
    def carried_in(self) -> Decimal:
        """What the open positions had gained before the day, and gain no second time in it."""
        return self.open_profit - self.unrealized

    def at_prices(self, open_profit: Decimal, *, as_of: datetime) -> "DaySummary":
        """Return the same day with what is open valued at newer prices."""
        unrealized = self.unrealized_without_open + open_profit
        return replace(self, unrealized=unrealized, open_profit=open_profit, as_of=as_of)

    @property
    def net_percent(self) -> Decimal | None:
        """The day's gain in percent of the capital it began with; None where that is not known."""
        if not self.capital_at_start or self.capital_at_start < 0:
            return None
        return self.net * 100 / self.capital_at_start


@dataclass(frozen=True, slots=True)
class DayBooks:
    """What a caller has read of the day already.

    ``sessions``: see :func:`newest_sessions` and :func:`portfolio.shown_days.latest_sessions`;
    ``told``: each account's money by its broker, None where that is to be read when it is needed.
    """

    sessions: Sequence[TradingSession]
    told: Mapping[uuid.UUID, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    at: datetime
    net: Decimal


def latest_funds(account: TradingAccount) -> Funds | None:
    """Return what the broker last said of the account's money; None when it never has."""
    return Funds.objects.filter(account=account).order_by("-as_of", "-pk").first()


def day_summary(
    accounts: TradingAccount | Collection[TradingAccount],
    *,
    now: datetime,
    books: DayBooks | None = None,
) -> DaySummary:
    """Return the latest trading day of the accounts that share the first one's currency.

    Money of different currencies is never added: :func:`day_summaries` has them all.
    """
    summaries = day_summaries(_many(accounts), now=now, books=books)
    return summaries[0] if summaries else DaySummary(currency="INR")


def day_summaries(
    accounts: Collection[TradingAccount], *, now: datetime, books: DayBooks | None = None
) -> list[DaySummary]:
    """Return one summary for each currency, in the order of the accounts.

    At most two queries; none where the caller hands in the ``books`` that it has read.
    """
    sessions = _sessions_of_the_day(accounts, now=now, books=books)
    by_currency: dict[str, list[TradingSession]] = {each.currency: [] for each in accounts}
    for account in accounts:
        if account.pk in sessions:
            by_currency[account.currency].append(sessions[account.pk])
    without = [each for each in accounts if each.pk not in sessions] if sessions else []
    idle = _money_of(without, books=books)
    return [
        _summary(currency, rows, idle=idle.get(currency, NOTHING))
        for currency, rows in by_currency.items()
    ]


def equity_curve(
    accounts: TradingAccount | Collection[TradingAccount], *, now: datetime
) -> list[CurvePoint]:
    """Return the latest day's net P&L minute by minute, added up over accounts; one query.

    An account without a point in a minute counts with its point before.
    """
    accounts = _many(accounts)
    points = EquityPoint.objects.filter(of_last_days(accounts, now), account__in=accounts)
    newest = max((point.session_date for point in points), default=None)
    last: dict[uuid.UUID, Decimal] = {}
    curve: dict[datetime, Decimal] = {}
    for point in sorted(points, key=lambda point: point.at):
        if point.session_date == newest:
            last[point.account_id] = point.net_pnl
            curve[point.at] = sum(last.values(), NOTHING)
    return [CurvePoint(at, net) for at, net in curve.items()]


def newest_sessions(workspace: Workspace, *, now: datetime) -> list[TradingSession]:
    """Return the sessions of a desk's latest days, oldest first, with their accounts.

    Of an account on a clock of its own it is the last one, whenever that was.
    """
    sessions = TradingSession.objects.filter(workspace=workspace).select_related(
        "account__connection"
    )
    newest = sessions.filter(of_latest_days(now) | is_last_of_replay())
    return list(newest.order_by("session_date"))


def made_by_strategy() -> Coalesce:
    """What a running strategy has made over all its days, after charges: a column of its row."""
    net = F("realized_pnl") + F("unrealized_pnl") - F("charges")
    its = Position.objects.net().filter(user_strategy=OuterRef("pk")).order_by()
    made = its.values("user_strategy").annotate(made=Sum(net)).values("made")
    return Coalesce(Subquery(made), Value(NOTHING), output_field=MoneyField())


def newest_money() -> dict[str, Subquery]:
    """What an account's broker last told of its money: two columns of its row, None before."""
    newest = Funds.objects.filter(account=OuterRef("pk")).order_by("-pk")
    return {
        column: Subquery(newest.values(column)[:1])
        for column in ("margin_available", "margin_used")
    }


def _many(
    accounts: TradingAccount | Collection[TradingAccount],
) -> Collection[TradingAccount]:
    return [accounts] if isinstance(accounts, TradingAccount) else accounts


def _sessions_of_the_day(
    accounts: Collection[TradingAccount], *, now: datetime, books: DayBooks | None
) -> dict[uuid.UUID, TradingSession]:
    """Return each account's newest session among the days that may be the latest one."""
    if books is not None:
        known = {each.pk: each for each in accounts}
        days = {name: latest_days(now, currency=name) for name in {a.currency for a in accounts}}
        newest = [
            each
            for each in books.sessions
            if (account := known.get(each.account_id))
            and (account.own_clock or each.session_date in days[account.currency])
        ]
        return {each.account_id: each for each in newest}
    return {each.account_id: each for each in latest_sessions(accounts, now=now)}


def _money_of(
    accounts: Collection[TradingAccount], *, books: DayBooks | None
) -> dict[str, Decimal]:
    """Return what accounts without a session of the day hold, by currency."""
    if not accounts:
        return {}
    told = books.told if books is not None else None
    held = _told_of(accounts) if told is None else told
    money: dict[str, Decimal] = {}
    for account in accounts:
        so_far = money.get(account.currency, NOTHING)
        money[account.currency] = so_far + held.get(account.pk, NOTHING)
    return money


def _told_of(accounts: Collection[TradingAccount]) -> dict[uuid.UUID, Decimal]:
    by_account = Funds.objects.filter(account__in=accounts).values("account")
    newest = Funds.objects.filter(pk__in=by_account.annotate(newest=Max("pk")).values("newest"))
    return {funds.account_id: funds.margin_available + funds.margin_used for funds in newest}


def _summary(currency: str, sessions: Sequence[TradingSession], *, idle: Decimal) -> DaySummary:
    marks = [each.marked_at for each in sessions if each.marked_at is not None]
    capital = sum((each.capital_at_start for each in sessions), idle)
    return DaySummary(
        currency=currency,
        realized=sum((each.realized_pnl for each in sessions), NOTHING),
        unrealized=sum((each.unrealized_today for each in sessions), NOTHING),
        open_profit=sum((each.unrealized_pnl for each in sessions), NOTHING),
        charges=sum((each.charges for each in sessions), NOTHING),
        uncharged_fills=sum(each.uncharged_fills for each in sessions),
        capital_at_start=capital if sessions else None,
        total_orders=sum(each.total_orders for each in sessions),
        successful_orders=sum(each.successful_orders for each in sessions),
        as_of=min(marks, default=None),
        day=max((each.session_date for each in sessions), default=None),
    )
