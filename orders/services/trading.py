"""Record trades: each once, booked with its charges, whatever state its order is in."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import groupby

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
from orders.services.surplus import cancel_surplus_exits
from orders.services.transitions import Note, snapshot_of, take_snapshot, write_taken
from orders.soundness import HandWritingDiffers, ReportUnsound
from orders.states import FINAL
from portfolio.booking import SMALLEST
from portfolio.charges import ChargeBreakdown
from portfolio.fills import Fill, FillPart
from portfolio.services import Sitting, count_order
from risk.selectors import Book

FILL = "FILL"
_BY_HAND = "HAND-"
# Each trade with how it was split over several books, where it was.
Split = list[tuple[Trade, tuple[FillPart, ...]]]


def record_trade(order: Order, report: TradeReport, *, source: EventSource, now: datetime) -> None:
    """Write and book one trade of an order that the caller has locked; a known one is skipped."""
    record_trades(order, unrecorded(order.account, [report]), source=source, now=now)


def record_trades(
    order: Order, reports: Sequence[TradeReport], *, source: EventSource, now: datetime
) -> None:
    """Write and book trades of an order that the caller has locked, and that are not recorded yet.

    The books come out as if they were recorded one after the other; the order's history and its
    owner are told of them in one. What comes after the order has ended is written and booked all
    the same, and told.
    """
    if not reports:
        return
    if order.state.is_final:
        _check_hand_written(order)
    before, was_untraded = order.state, order.traded_quantity == 0
    asked = order.quantity
    split = _booked(order, reports, now=now)
    trades = Trade.objects.bulk_create(trade for trade, _ in split)
    record_parts(order, split, now=now)
    write_taken(order, before=before, note=_note(trades, source=source), now=now)
    publish("trades", workspace_id=order.workspace_id, subject_id=trades[-1].pk, now=now)
    if was_untraded:
        count_order(order.account, session_date=trades[0].session_date, successful=True, now=now)
    if order.traded_quantity > asked:
        tell_overfilled(order, asked, now=now)
    late = [trade for trade in trades if trade.is_late]
    if late:
        _alarm_late(order, late, now=now)
    book = Book(order.account, order.instrument, Product(order.product))
    cancel_surplus_exits(book, Side(order.side), now=now, but=order)


def tell_overfilled(order: Order, asked: int, *, now: datetime) -> None:
    """Tell the owner of more than was asked for: it is booked, for the broker counts it."""
    filled = max(order.filled_quantity, order.traded_quantity)
    notify(
        order.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=f"More filled than was asked for: {order.instrument.trading_symbol}",
        message=f"{rupees(filled, 0)} of {rupees(asked, 0)}. Look at the order at the broker.",
        now=now,
        workspace=order.workspace,
        data={"order": str(order.pk)},
    )


def unrecorded(account: TradingAccount, reports: Sequence[TradeReport]) -> list[TradeReport]:
    """Leave out the trades that are recorded or told twice; true under the account's lock alone.

    One that a person wrote down before the broker told it takes the broker's number over.

    :raises ReportUnsound: when one was told before with another quantity or price.
    :raises HandWritingDiffers: when it is not what a person wrote down of its order.
    """
    names = {name for report in reports for name in (report.trade_id, _written_as(report))}
    asked = Trade.objects.filter(account=account, broker_trade_id__in=names)
    rows = asked.values_list("broker_trade_id", "quantity", "price")
    known, new = {number: (quantity, price) for number, quantity, price in rows}, []
    for report in reports:
        figures, written = (report.quantity, report.price), _written_as(report)
        before = known.get(report.trade_id) or known.get(written)
        if before is None:
            known[report.trade_id] = figures
            new.append(report)
        elif before != figures and report.trade_id not in known:
            raise _differing(asked.get(broker_trade_id=written), report)
        elif before != figures:
            raise ReportUnsound(f"Trade {report.trade_id} was {before[0]} at {before[1]} before")
        elif written in known and written != report.trade_id:
            asked.filter(broker_trade_id=written).update(broker_trade_id=report.trade_id)
    return new


def _check_hand_written(order: Order) -> None:
    """Book nothing beside what a person wrote down of an order, until the broker has confirmed it.

    :raises HandWritingDiffers: while something that was written down is not confirmed.
    """
    if order.trades.filter(broker_trade_id__startswith=_BY_HAND).exists():
        raise HandWritingDiffers(order.pk, "The broker tells a trade that nobody wrote down")


def _differing(written: Trade, report: TradeReport) -> HandWritingDiffers:
    told = f"{report.quantity} at {report.price}"
    words = f"The broker tells {told} of trade {report.trade_id}"
    return HandWritingDiffers(
        written.order_id, f"{words}, written down as {written.quantity} at {written.price}"
    )


def hand_trade_id(broker_order_id: str, number: str) -> str:
    """Name a trade that a person wrote down: a broker's own id may have more in it than that."""
    return f"{_BY_HAND}{broker_order_id}-{number}"


def _written_as(report: TradeReport) -> str:
    return hand_trade_id(report.broker_order_id, report.exchange_trade_id or report.trade_id)


def _booked(order: Order, reports: Sequence[TradeReport], *, now: datetime) -> Split:
    """Book the trades and take them into the order, which is not written yet."""
    trades = [_new_trade(order, report, now=now) for report in reports]
    split: Split = []
    for _, sitting in groupby(trades, key=lambda trade: (trade.product, trade.session_date)):
        split += _book(order, list(sitting), now=now)
    if order.traded_quantity >= order.filled_quantity:
        average = order.traded_value / order.traded_quantity
        order.average_price = average.quantize(SMALLEST, ROUND_HALF_EVEN)
    return split


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
        is_settlement=order.source == OrderSource.EXPIRY,
        session_date=installed_venue().session_date(order.instrument.ref(), report.traded_at),
        traded_at=report.traded_at,
        created_at=now,
    )


def _book(order: Order, trades: Sequence[Trade], *, now: datetime) -> Split:
    sitting = Sitting(_fill(order, trades[0], ()), now=now)
    split = []
    for trade in trades:
        parts = parts_by_book(order, trade, sitting.positions.strategies_books)
        booked = sitting.book(_fill(order, trade, parts))
        trade.realized_pnl, trade.net_amount = booked.realized_pnl, booked.net_amount
        trade.charges_known = booked.charges_known
        set_charges(trade, booked.charges)
        _take_in(order, trade, now=now)
        split.append((trade, parts))
    sitting.write()
    return split


def _fill(order: Order, trade: Trade, parts: tuple[FillPart, ...]) -> Fill:
    return Fill(
        trade_id=trade.pk,
        order_id=order.pk,
        account=order.account,
        instrument=order.instrument,
        user_strategy_id=order.user_strategy_id,
        product=Product(trade.product),
        side=Side(trade.side),
        quantity=trade.quantity,
        price=trade.price,
        traded_at=trade.traded_at,
        session_date=trade.session_date,
        quantity_before=order.traded_quantity,
        value_before=order.traded_value,
        parts=parts,
        is_adjustment=order.source == OrderSource.ADJUSTMENT,
        is_settlement=trade.is_settlement,
    )


def _take_in(order: Order, trade: Trade, *, now: datetime) -> None:
    order.traded_quantity += trade.quantity
    order.traded_value += trade.value
    trade.is_late = order.state in FINAL and order.traded_quantity > order.filled_quantity
    after = apply_fills(snapshot_of(order), total=order.traded_quantity)
    take_snapshot(order, after, at=trade.traded_at, now=now)


def set_charges(trade: Trade, charges: ChargeBreakdown) -> None:
    """Itemise what the trade was charged; the caller saves it."""
    trade.brokerage, trade.exchange_charges = charges.brokerage, charges.exchange_charges
    trade.clearing_charges, trade.sebi_fee = charges.clearing_charges, charges.sebi_fee
    trade.stt, trade.stamp_duty, trade.gst = charges.stt, charges.stamp_duty, charges.gst


def _note(trades: Sequence[Trade], *, source: EventSource) -> Note:
    """Say what came, one trade or many, as one event."""
    is_known = all(trade.charges_known for trade in trades)
    told = _what(trades) if is_known else f"{_what(trades)}, its charges are not known"
    charges = sum((trade.charges for trade in trades), Decimal(0))
    data = {
        "trade_id": trades[0].broker_trade_id,
        "quantity": str(_quantity(trades)),
        "price": str(_average(trades)),
        "charges": str(charges) if is_known else "not known",
    }
    if len(trades) > 1:
        data |= {"fills": str(len(trades)), "last_trade_id": trades[-1].broker_trade_id}
    return Note(FILL, source, trades[-1].traded_at, told, data)


def _what(trades: Sequence[Trade]) -> str:
    words = f"{rupees(_quantity(trades), 0)} at {rupees(_average(trades))}"
    return words if len(trades) == 1 else f"{rupees(len(trades), 0)} fills, {words} on average"


def _quantity(trades: Sequence[Trade]) -> int:
    return sum(trade.quantity for trade in trades)


def _average(trades: Sequence[Trade]) -> Decimal:
    if len(trades) == 1:
        return trades[0].price
    value = sum((trade.value for trade in trades), Decimal(0))
    return (value / _quantity(trades)).quantize(SMALLEST, ROUND_HALF_EVEN)


def _alarm_late(order: Order, late: Sequence[Trade], *, now: datetime) -> None:
    what = "A fill" if len(late) == 1 else f"{rupees(len(late), 0)} fills"
    notify(
        order.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=f"{what} came after the end of an order: {order.instrument.trading_symbol}",
        message=f"{_what(late)}, booked. The order was {order.status}.",
        now=now,
        workspace=order.workspace,
        data={"order": str(order.pk), "trade": str(late[-1].pk)},
    )
