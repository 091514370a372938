"""Record a trade: once, booked with its charges, whatever state its order is in."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from brokers.gateway import TradeReport
from brokers.models import TradingAccount
from brokers.terms import Product, Side
from brokers.venue import installed_venue
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.events import publish
from operations.figures import rupees
from operations.ids import new_id
from orders.lifecycle import apply_fills
from orders.models import EventSource, Order, OrderSource, Trade
from orders.outside import parts_by_book, record_parts
from orders.services.cancelling import cancel_order
from orders.services.transitions import Note, snapshot_of, write_snapshot
from orders.soundness import ReportUnsound
from orders.states import CANCELLABLE, FINAL
from portfolio.charges import ChargeBreakdown
from portfolio.fills import Fill, FillPart
from portfolio.services import book_fill, count_order, lock_account
from risk.selectors import Book, exposure


def record_trade(order: Order, report: TradeReport, *, source: EventSource, now: datetime) -> None:
    """Write and book one trade of an order that the caller has locked; a known one is skipped.

    A trade that comes after its order has ended is written and booked all the same, and told.
    """
    if is_recorded(order.account, report):
        return
    is_first = order.traded_quantity == 0
    trade = _new_trade(order, report, now=now)
    parts = _book(trade, now=now)
    order.traded_quantity += trade.quantity
    order.traded_value += trade.value
    trade.is_late = order.state in FINAL and order.traded_quantity > order.filled_quantity
    trade.save(force_insert=True)
    record_parts(trade, parts, now=now)
    _update_order(order, trade, source=source, now=now)
    if is_first:
        count_order(order.account, session_date=trade.session_date, successful=True, now=now)
    if trade.is_late:
        _alarm_late(order, trade, now=now)
    _cancel_surplus_exits(order, now=now)


def _cancel_surplus_exits(order: Order, *, now: datetime) -> None:
    """Cancel exits that would do more than close what is left; else a later fill would flip it."""
    exits = Order.objects.filter(
        account=order.account,
        instrument=order.instrument,
        product=order.product,
        side=order.side,
        is_exit=True,
        status__in=CANCELLABLE,
    ).exclude(pk=order.pk)
    for surplus in exits.select_related("workspace"):
        book = Book(order.account, order.instrument, Product(order.product))
        sign, key, whose = Side(order.side).sign, surplus.pk, surplus.user_strategy_id
        left = exposure(book, strategy=None, own=False, without=key).exitable(sign)
        if whose is not None:
            own = exposure(book, strategy=whose, own=True, without=key).exitable(sign)
            left = min(left, own)
        if surplus.remaining_quantity > left:
            cancel_order(surplus, by=None, now=now)


def is_recorded(account: TradingAccount, report: TradeReport) -> bool:
    """Tell whether the trade is written; only under its order's lock does a no stay true.

    :raises ReportUnsound: when it was told before with another quantity or price.
    """
    known = (
        Trade.objects.filter(account=account, broker_trade_id=report.trade_id)
        .values_list("quantity", "price")
        .first()
    )
    if known is not None and known != (report.quantity, report.price):
        raise ReportUnsound(f"Trade {report.trade_id} was {known[0]} at {known[1]} before")
    return known is not None


def _new_trade(order: Order, report: TradeReport, *, now: datetime) -> Trade:
    return Trade(
        pk=new_id(),
        workspace_id=order.workspace_id,
        account=order.account,
        order=order,
        instrument=order.instrument,
        broker_trade_id=report.trade_id,
        exchange_trade_id=report.exchange_trade_id,
        side=report.side,
        product=report.product,
        quantity=report.quantity,
        price=report.price,
        session_date=installed_venue().session_date(order.instrument.ref(), report.traded_at),
        traded_at=report.traded_at,
        created_at=now,
    )


def _book(trade: Trade, *, now: datetime) -> tuple[FillPart, ...]:
    lock_account(trade.account)
    parts = parts_by_book(trade)
    fill = Fill(
        trade_id=trade.pk,
        order_id=trade.order.pk,
        account=trade.account,
        instrument=trade.instrument,
        user_strategy_id=trade.order.user_strategy_id,
        product=Product(trade.product),
        side=Side(trade.side),
        quantity=trade.quantity,
        price=trade.price,
        traded_at=trade.traded_at,
        session_date=trade.session_date,
        quantity_before=trade.order.traded_quantity,
        value_before=trade.order.traded_value,
        parts=parts,
        is_adjustment=trade.order.source == OrderSource.ADJUSTMENT,
    )
    booked = book_fill(fill, now=now)
    trade.realized_pnl, trade.net_amount = booked.realized_pnl, booked.net_amount
    trade.charges_known = booked.charges_known
    set_charges(trade, booked.charges)
    return parts


def set_charges(trade: Trade, charges: ChargeBreakdown) -> None:
    """Itemise what the trade was charged; the caller saves it."""
    trade.brokerage, trade.exchange_charges = charges.brokerage, charges.exchange_charges
    trade.clearing_charges, trade.sebi_fee = charges.clearing_charges, charges.sebi_fee
    trade.stt, trade.stamp_duty, trade.gst = charges.stt, charges.stamp_duty, charges.gst


def _update_order(order: Order, trade: Trade, *, source: EventSource, now: datetime) -> None:
    after = apply_fills(snapshot_of(order), total=order.traded_quantity)
    if order.traded_quantity >= after.filled_quantity:
        average = order.traded_value / order.traded_quantity
        order.average_price = average.quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
    data = {
        "trade_id": trade.broker_trade_id,
        "quantity": str(trade.quantity),
        "price": str(trade.price),
        "charges": str(trade.charges) if trade.charges_known else "not known",
    }
    told = _what(trade) if trade.charges_known else f"{_what(trade)}, its charges are not known"
    note = Note("FILL", source, trade.traded_at, told, data)
    write_snapshot(order, after, note=note, now=now)
    publish("trades", workspace_id=order.workspace_id, subject_id=trade.pk, now=now)


def _what(trade: Trade) -> str:
    return f"{rupees(trade.quantity, 0)} at {rupees(trade.price)}"


def _alarm_late(order: Order, trade: Trade, *, now: datetime) -> None:
    notify(
        order.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=f"A fill came after the end of an order: {order.instrument.trading_symbol}",
        message=f"{_what(trade)}, booked. The order was {order.status}.",
        now=now,
        workspace=order.workspace,
        data={"order": str(order.pk), "trade": str(trade.pk)},
    )
