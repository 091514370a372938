"""Is what a broker told believable? What is not is set aside with an alarm, never guessed at."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from brokers.gateway import OrderReport, TradeReport
from brokers.terms import Side
from portfolio.booking import SMALLEST

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_MOST = Decimal(10**11)


class ReportUnsound(Exception):
    """A report says something that cannot be; it was not applied."""


class HandWritingDiffers(ReportUnsound):
    """What the broker tells of an order is not what a person has written down of it."""

    def __init__(self, order_id: uuid.UUID, words: str) -> None:
        super().__init__(f"{words}: nothing of it was booked")
        self.order_id = order_id


def sound_report(report: OrderReport) -> OrderReport:
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
    _check_time(report.updated_at)
    return replace(
        report,
        average_price=_kept(report.average_price),
        price=_kept(report.price),
        trigger_price=_kept(report.trigger_price),
    )


def sound_trade(trade: TradeReport) -> TradeReport:
    """Return a believable trade, its price rounded to the four decimals that are booked.

    :raises ReportUnsound: naming what is wrong.
    """
    _check(trade.trade_id != "", "the trade has no number")
    _check(_is_count(trade.quantity) and trade.quantity > 0, f"quantity {trade.quantity!r}")
    price = _kept(trade.price) if _is_amount(trade.price) else None
    _check(trade.side in Side.values, f"side {trade.side!r}")
    _check_time(trade.traded_at)
    if price is None:
        raise ReportUnsound(f"The broker's report cannot be: price {trade.price!r}")
    return replace(trade, price=price)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST


def _is_amount(value: object) -> bool:
    return isinstance(value, Decimal) and value.is_finite() and 0 <= value < _MOST


def _kept(price: Decimal | None) -> Decimal | None:
    """Round to what a row can keep, so that a price told again is the one that was written."""
    return (price.quantize(SMALLEST, ROUND_HALF_EVEN) or None) if price else None


def _check_time(at: object) -> None:
    is_aware = isinstance(at, datetime) and at.tzinfo is not None
    _check(is_aware and isinstance(at, datetime) and at > _EARLIEST, f"time {at!r}")


def _check(holds: bool, words: str) -> None:
    if not holds:
        raise ReportUnsound(f"The broker's report cannot be: {words}")
