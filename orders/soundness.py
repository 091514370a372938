"""Is what a broker told believable? What is not is set aside with an alarm, never guessed at."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TypeVar

from brokers.gateway import HoldingReport, OrderReport, PositionReport, TradeReport
from brokers.rows import Listed, UnreadableRow, unreadable_in
from brokers.terms import Side
from portfolio.booking import SMALLEST

Told = TypeVar("Told")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_SKEW = timedelta(days=1)  # a broker's clock may run ahead of ours, not by days
# What a row can keep has eleven digits before the point; an order's whole value must fit as well.
_MOST = Decimal(10**9)
_MOST_VALUE = Decimal(10**10)
_LAST_SEQUENCE = 2**63


class ReportUnsound(Exception):
    """A report says something that cannot be; it was not applied."""


class HandWritingDiffers(ReportUnsound):
    """What the broker tells of an order is not what a person has written down of it."""

    def __init__(self, order_id: uuid.UUID, words: str) -> None:
        super().__init__(f"{words}: nothing of it was booked")
        self.order_id = order_id


def sound_report(report: OrderReport, *, now: datetime) -> OrderReport:
    """Return a believable report, without the prices that say nothing.

    Brokers write 0 where there is no price: a market order's limit, a limit order's trigger.

    :raises ReportUnsound: naming what is wrong.
    """
    _check(report.broker_order_id != "", "it names no order")
    _check(_is_count(report.quantity) and report.quantity > 0, f"quantity {report.quantity!r}")
    _check(_is_count(report.filled_quantity), f"filled quantity {report.filled_quantity!r}")
    for price in (report.average_price, report.price, report.trigger_price):
        _check(price is None or _is_amount(price), f"price {price!r}")
    _check(report.side in Side.values, f"side {report.side!r}")
    _check(0 <= report.sequence < _LAST_SEQUENCE, f"sequence {report.sequence!r}")
    _check_time(report.updated_at, now)
    return replace(
        report,
        average_price=_kept(report.average_price),
        price=_kept(report.price),
        trigger_price=_kept(report.trigger_price),
    )


def sound_trade(trade: TradeReport, *, now: datetime) -> TradeReport:
    """Return a believable trade, its price rounded to the four decimals that are booked.

    :raises ReportUnsound: naming what is wrong.
    """
    _check(trade.trade_id != "", "the trade has no number")
    _check(_is_count(trade.quantity) and trade.quantity > 0, f"quantity {trade.quantity!r}")
    price = _kept(trade.price) if _is_amount(trade.price) else None
    _check(trade.side in Side.values, f"side {trade.side!r}")
    _check_time(trade.traded_at, now)
    if price is None:
        raise ReportUnsound(f"The broker's report cannot be: price {trade.price!r}")
    _check(price * trade.quantity < _MOST_VALUE, f"{trade.quantity} at {trade.price}")
    return replace(trade, price=price)


def believable(rows: Sequence[Told], check: Callable[[Told], object]) -> Listed[Told]:
    """Return the rows that can be; those that cannot count as rows that cannot be read."""
    sound, unsound = list[Told](), list(unreadable_in(rows))
    for row in rows:
        try:
            check(row)
        except ReportUnsound as error:
            unsound.append(_named(row, error))
        else:
            sound.append(row)
    return Listed(sound, unreadable=unsound)


def check_holding(row: PositionReport | HoldingReport) -> None:
    """Let a position or a holding pass of which every figure can be.

    :raises ReportUnsound: naming the first that cannot.
    """
    counts = (row.quantity, row.t1_quantity if isinstance(row, HoldingReport) else 0)
    for count in counts:
        _check(_is_count(abs(count)), f"{row.instrument_key}: quantity {count!r}")
    price = row.average_price
    _check(_is_amount(abs(price)), f"{row.instrument_key}: price {price!r}")


def _named(row: object, error: ReportUnsound) -> UnreadableRow:
    return UnreadableRow(
        str(error),
        order_id=getattr(row, "broker_order_id", ""),
        tag=getattr(row, "tag", ""),
        instrument_key=getattr(row, "instrument_key", ""),
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST


def _is_amount(value: object) -> bool:
    return isinstance(value, Decimal) and value.is_finite() and 0 <= value < _MOST


def _kept(price: Decimal | None) -> Decimal | None:
    """Round to what a row can keep, so that a price told again is the one that was written."""
    return (price.quantize(SMALLEST, ROUND_HALF_EVEN) or None) if price else None


def _check_time(at: object, now: datetime) -> None:
    is_aware = isinstance(at, datetime) and at.tzinfo is not None
    is_believed = isinstance(at, datetime) and is_aware and _EARLIEST < at < now + _SKEW
    _check(is_believed, f"time {at!r}")


def _check(holds: bool, words: str) -> None:
    if not holds:
        raise ReportUnsound(f"The broker's report cannot be: {words}")
