"""What one replayed day came to, read from the books it left behind."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Self

from django.db.models import Sum

from brokers.models import TradingAccount
from market.calendar import IST
from orders.models import Order, Trade
from strategies.models import CandleEvaluation, Signal, SignalStatus

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Charges:
    """The charges of some trades, item by item."""

    brokerage: Decimal = NOTHING
    stt: Decimal = NOTHING
    exchange_charges: Decimal = NOTHING
    clearing_charges: Decimal = NOTHING
    sebi_fee: Decimal = NOTHING
    stamp_duty: Decimal = NOTHING
    gst: Decimal = NOTHING

    @property
    def items(self) -> tuple[tuple[str, Decimal], ...]:
        return tuple((item.name, getattr(self, item.name)) for item in fields(self))

    @property
    def total(self) -> Decimal:
        return sum((amount for _, amount in self.items), NOTHING)

    def __add__(self, other: Self) -> "Charges":
        return Charges(**{name: amount + getattr(other, name) for name, amount in self.items})


@dataclass(frozen=True, slots=True)
class DayReport:
    """One day, or several added up. ``refusals`` count the reasons why something was not done."""

    day: date
    candles: int
    signals: int
    orders: int
    filled_orders: int
    fills: int
    refusals: tuple[tuple[str, int], ...]
    gross: Decimal
    charges: Charges

    @property
    def net(self) -> Decimal:
        return self.gross - self.charges.total


def report_day(account: TradingAccount, day: date) -> DayReport:
    """Read one session of the account: signals, orders, fills, refusals, profit and charges."""
    begins = datetime.combine(day, time(), IST)
    span = (begins, begins + timedelta(days=1))
    orders = Order.objects.filter(account=account, created_at__range=span)
    trades = Trade.objects.filter(account=account, session_date=day)
    sums = trades.aggregate(
        gross=Sum("realized_pnl"), **{item.name: Sum(item.name) for item in fields(Charges)}
    )
    gross = sums.pop("gross") or NOTHING
    mine = {"user_strategy__account": account, "candle_at__range": span}
    return DayReport(
        day=day,
        candles=CandleEvaluation.objects.filter(**mine).count(),
        signals=Signal.objects.filter(**mine).count(),
        orders=orders.count(),
        filled_orders=orders.filter(filled_quantity__gt=0).count(),
        fills=trades.count(),
        refusals=_refusals(account, span),
        gross=gross,
        charges=Charges(**{name: amount or NOTHING for name, amount in sums.items()}),
    )


def add_up(days: Iterable[DayReport]) -> DayReport:
    """Return the total of at least one day, dated by the last."""
    days = list(days)
    refusals: Counter[str] = Counter()
    for each in days:
        refusals.update(dict(each.refusals))
    return DayReport(
        day=days[-1].day,
        candles=sum(each.candles for each in days),
        signals=sum(each.signals for each in days),
        orders=sum(each.orders for each in days),
        filled_orders=sum(each.filled_orders for each in days),
        fills=sum(each.fills for each in days),
        refusals=_ranked(refusals),
        gross=sum((each.gross for each in days), NOTHING),
        charges=sum((each.charges for each in days), Charges()),
    )


def _refusals(
    account: TradingAccount, span: tuple[datetime, datetime]
) -> tuple[tuple[str, int], ...]:
    """Why signals became no order, orders no trade, and decisions no signal."""
    mine = {"user_strategy__account": account, "candle_at__range": span}
    signals = Signal.objects.filter(status__in=[SignalStatus.REFUSED, SignalStatus.EXPIRED], **mine)
    orders = Order.objects.filter(
        account=account, created_at__range=span, status__in=["REJECTED", "EXPIRED", "CANCELLED"]
    )
    notes = CandleEvaluation.objects.filter(**mine).exclude(note="")
    reasons = Counter(signals.values_list("outcome", flat=True))
    reasons.update(
        words or "Not filled" for words in orders.values_list("error_message", flat=True)
    )
    reasons.update(notes.values_list("note", flat=True))
    return _ranked(reasons)


def _ranked(reasons: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(reasons.items(), key=lambda reason: (-reason[1], reason[0])))
