"""The trades of an account as fills, in the order in which they were booked."""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from brokers.models import TradingAccount
from brokers.terms import Product, Side
from orders.models import OrderSource, Trade
from portfolio.corporate_actions import ShareChange
from portfolio.fills import Fill, FillPart
from portfolio.models import LedgerEntry, LedgerName, ShareCredit


def booked_fills(account: TradingAccount) -> Iterator[Fill | ShareChange]:
    """Yield every booked trade, and every corporate action where it came between them.

    The ledger knows the order, for each trade has one cash line in it.
    """
    credits = list(
        ShareCredit.objects.filter(account=account).order_by("after_entry", "applied_at")
    )
    trades = {str(trade.pk): trade for trade in _trades(account)}
    quantity_before: defaultdict[uuid.UUID, int] = defaultdict(int)
    value_before: defaultdict[uuid.UUID, Decimal] = defaultdict(Decimal)
    for entry, number in _vouchers(account):
        while credits and credits[0].after_entry < entry:
            yield credits.pop(0).change
        trade = trades.get(number)
        if trade is None:  # money brought in, or an adjustment
            continue
        yield Fill(
            trade_id=trade.pk,
            order_id=trade.order_id,
            account=account,
            instrument=trade.instrument,
            user_strategy_id=trade.order.user_strategy_id,
            product=Product(trade.product),
            side=Side(trade.side),
            quantity=trade.quantity,
            price=trade.price,
            traded_at=trade.traded_at,
            session_date=trade.session_date,
            quantity_before=quantity_before[trade.order_id],
            value_before=value_before[trade.order_id],
            parts=_parts(trade),
            is_adjustment=trade.order.source == OrderSource.ADJUSTMENT,
            is_settlement=trade.is_settlement,
        )
        quantity_before[trade.order_id] += trade.quantity
        value_before[trade.order_id] += trade.value
    yield from (credit.change for credit in credits)


def unbooked_trades(account: TradingAccount) -> list[uuid.UUID]:
    """Return the trades that no voucher speaks of; there should be none."""
    booked = {number for _, number in _vouchers(account)}
    return [trade.pk for trade in _trades(account) if str(trade.pk) not in booked]


def _trades(account: TradingAccount) -> list[Trade]:
    trades = Trade.objects.filter(account=account).select_related("instrument", "order")
    return list(trades.prefetch_related("parts").order_by("created_at", "pk"))


def _parts(trade: Trade) -> tuple[FillPart, ...]:
    """The books a trade was split over when it was booked, in that order."""
    parts = sorted(trade.parts.all(), key=lambda part: part.pk)
    return tuple(FillPart(part.user_strategy_id, part.quantity) for part in parts)


def _vouchers(account: TradingAccount) -> list[tuple[int, str]]:
    lines = LedgerEntry.objects.filter(account=account, ledger=LedgerName.CASH).order_by("id")
    return list(lines.values_list("id", "voucher_number"))
