"""Fills that come before their order: kept, and recorded once it is known."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from brokers.gateway import TradeReport
from brokers.models import TradingAccount
from brokers.terms import Product, Side
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.figures import rupees
from operations.models import ErrorLog, Severity
from orders.models import EventSource, Order, ParkedReport
from orders.services.batches import raw, runs, take_in
from orders.services.sending import held_order
from orders.services.trading import record_trades, unrecorded
from orders.soundness import ReportUnsound

# An order comes a while after its fill, or never.
CLAIMED_WITHIN = timedelta(days=2)


def park(account: TradingAccount, trades: Sequence[TradeReport], *, now: datetime) -> None:
    """Keep fills whose order is not known yet, each once."""
    parked = [
        ParkedReport(
            account=account,
            trade_id=trade.trade_id,
            broker_order_id=trade.broker_order_id,
            report=raw(trade),
            received_at=now,
        )
        for trade in trades
    ]
    ParkedReport.objects.bulk_create(parked, ignore_conflicts=True)


def claim_parked(account: TradingAccount, order: Order, *, now: datetime) -> None:
    """Record the trades that waited for their order; what cannot be is told and waits on."""
    waiting = ParkedReport.objects.filter(account=account, broker_order_id=order.broker_order_id)

    @transaction.atomic
    def record(trades: Sequence[TradeReport]) -> None:
        # Read anew: one that was undone has left its marks on the object at hand.
        held = held_order(order.pk)
        check_own(held, trades)
        new = unrecorded(account, trades)
        record_trades(held, new, source=EventSource.RECONCILE, now=now)
        waiting.filter(trade_id__in=[each.trade_id for each in trades]).delete()

    for run in runs([_trade_of(row.report) for row in waiting.order_by("pk")]):
        take_in(account, run, record)


@transaction.atomic
def tell_unclaimed(account: TradingAccount, *, now: datetime) -> None:
    """Tell the owner once of the fills whose order never came; nothing waits for them any more."""
    old = ParkedReport.objects.filter(
        account=account, told_at=None, received_at__lte=now - CLAIMED_WITHIN
    )
    trades = [_trade_of(row.report) for row in old.order_by("pk")]
    if not trades or not old.update(told_at=now):
        return
    words = "; ".join(_words(trade) for trade in trades)
    ErrorLog.objects.create(
        error_type="FillWithoutOrder",
        message=f"{account.name}: {words}",
        severity=Severity.CRITICAL,
        related_account_id=account.pk,
    )
    notify(
        account.connection.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=f"The broker told of fills whose order never came: {account.name}",
        message=(
            f"{words}. None of it is booked. Look it up at the broker: where the position differs "
            "by it, the difference is adopted, or yours to settle."
        ),
        now=now,
        workspace=account.workspace,
    )


def _words(trade: TradeReport) -> str:
    what = f"{trade.side.title()} {rupees(trade.quantity, 0)} {trade.instrument_key}"
    return f"{what} at {rupees(trade.price)}, order {trade.broker_order_id}"


def check_own(order: Order, trades: Sequence[TradeReport]) -> None:
    """:raises ReportUnsound: when a trade is not of what the order asked for."""
    for trade in trades:
        if (trade.instrument_key, trade.side) != (order.instrument.key, order.side):
            raise ReportUnsound(f"Trade {trade.trade_id} is not of what order {order.pk} asked for")


def _trade_of(raw: dict[str, str]) -> TradeReport:
    return TradeReport(
        trade_id=raw["trade_id"],
        broker_order_id=raw["broker_order_id"],
        instrument_key=raw["instrument_key"],
        side=Side(raw["side"]),
        product=Product(raw["product"]),
        quantity=int(raw["quantity"]),
        price=Decimal(raw["price"]),
        traded_at=datetime.fromisoformat(raw["traded_at"]),
        exchange_trade_id=raw.get("exchange_trade_id", ""),
    )
