"""Take in what a broker tells: merge its reports, record its trades, adopt what is not ours."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from django.db import DatabaseError, transaction

from brokers.gateway import OrderReport, TradeReport
from brokers.models import TradingAccount
from brokers.terms import Product, Side
from brokers.venue import CalendarUnknown
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.errors import record_error
from operations.models import ErrorLog, Severity
from orders.lifecycle import Report, apply_report
from orders.models import EventSource, Order, ParkedReport, Trade
from orders.services.adopting import adopt_order
from orders.services.sending import held_order
from orders.services.trading import record_trade, record_trades, unrecorded
from orders.services.transitions import Note, snapshot_of, write_snapshot
from orders.soundness import ReportUnsound, check_trade_report, sound_report
from orders.states import OrderStatus
from portfolio.booking import SMALLEST
from portfolio.services import lock_account
from risk.services import hand_over

# What cannot be believed, dated or written. Anything else is a fault of ours and is not hidden.
UNUSABLE = (ReportUnsound, CalendarUnknown, DatabaseError)
_AT_ONCE = 500


def apply_updates(
    account: TradingAccount,
    *,
    orders: Sequence[OrderReport],
    trades: Sequence[TradeReport],
    source: EventSource,
    now: datetime,
) -> None:
    """Apply reports and trades of one account, in any order, any number of times.

    Each is applied in a transaction of its own, but for trades of one order that come together:
    up to 500 of them share one. What cannot be believed or written is set aside with an alarm and
    does not hold back the others; a worker that dies leaves whole transactions, and what is left
    over is applied when it is told again.
    """
    for report in orders:
        try:
            apply_order_report(account, sound_report(report), source=source, now=now)
        except UNUSABLE as error:
            _set_aside(account, report, error)
    for run in _runs(_not_recorded(account, _sound_trades(account, trades))):
        _apply_run(account, run, source=source, now=now)


def _runs(trades: Sequence[TradeReport]) -> Iterator[list[TradeReport]]:
    """Cut trades, in their order, into what is recorded at once: some of one order.

    What a trade of more than four decimals comes to is rounded as it is written, so it goes alone.
    """
    run: list[TradeReport] = []
    for trade in trades:
        is_next = run and trade.broker_order_id == run[-1].broker_order_id and len(run) < _AT_ONCE
        if run and not (is_next and _is_whole(trade) and _is_whole(run[-1])):
            yield run
            run = []
        run.append(trade)
    if run:
        yield run


def _is_whole(trade: TradeReport) -> bool:
    return trade.price == trade.price.quantize(SMALLEST)


def _apply_run(
    account: TradingAccount, run: Sequence[TradeReport], *, source: EventSource, now: datetime
) -> None:
    """Record a run, or the most of it that can be: a half with a bad one in it is halved again."""
    try:
        apply_trade_reports(account, run, source=source, now=now)
    except UNUSABLE as error:
        if len(run) == 1:
            _set_aside(account, run[0], error)
            return
        half = len(run) // 2
        for part in (run[:half], run[half:]):
            _apply_run(account, part, source=source, now=now)


def _sound_trades(account: TradingAccount, trades: Sequence[TradeReport]) -> list[TradeReport]:
    sound = []
    for trade in trades:
        try:
            check_trade_report(trade)
        except ReportUnsound as error:
            _set_aside(account, trade, error)
        else:
            sound.append(trade)
    return sound


def _not_recorded(account: TradingAccount, trades: Sequence[TradeReport]) -> list[TradeReport]:
    """Leave out what is recorded just so: a day's trade book is told again at every reading.

    A trade that is recorded stays so, with no lock; what is told differently goes on to its alarm.
    """
    known: set[tuple[str, int, Decimal]] = set()
    for begin in range(0, len(trades), _AT_ONCE):
        # One that no database can even ask for is set aside when its turn comes.
        part = [each.trade_id for each in trades[begin : begin + _AT_ONCE]]
        part = [trade_id for trade_id in part if "\x00" not in trade_id]
        recorded = Trade.objects.filter(account=account, broker_trade_id__in=part)
        known.update(recorded.values_list("broker_trade_id", "quantity", "price"))
    return [each for each in trades if (each.trade_id, each.quantity, each.price) not in known]


def _set_aside(
    account: TradingAccount, report: OrderReport | TradeReport, error: Exception
) -> None:
    record_error(error, context=_raw(report), severity=Severity.CRITICAL, account_id=account.pk)


@transaction.atomic
def apply_order_report(
    account: TradingAccount, report: OrderReport, *, source: EventSource, now: datetime
) -> None:
    """Merge one sound report; an order that nobody here placed is adopted as external."""
    lock_account(account)
    order = _find(account, report) or adopt_order(account, report, now=now)
    if order is None:
        return
    held = held_order(order.pk)
    before = (snapshot_of(held), held.broker_order_id, held.price, held.trigger_price)
    _take_over(held, report)
    after = apply_report(before[0], _lifecycle_report(report))
    unchanged = (after, held.broker_order_id, held.price, held.trigger_price) == before
    if unchanged and not _average_improves(held, report):
        return
    _take_average(held, report)
    if before[0].status in (OrderStatus.SUBMITTING, OrderStatus.UNKNOWN):
        hand_over(held.pk, now=now)
    note = Note(
        f"REPORTED_{report.status}", source, report.updated_at, report.message, _raw(report)
    )
    write_snapshot(held, after, note=note, now=now)
    _claim_parked(account, held, now=now)


@transaction.atomic
def apply_trade_reports(
    account: TradingAccount, trades: Sequence[TradeReport], *, source: EventSource, now: datetime
) -> None:
    """Record fills of one order, or park them until it is known: all of them, or none.

    :raises ReportUnsound: when one contradicts its order, or what was told of it before.
    """
    lock_account(account)
    new = unrecorded(account, trades)
    if not new:
        return
    mine = Order.objects.filter(account=account, broker_order_id=new[0].broker_order_id)
    order_id = mine.values_list("pk", flat=True).first()
    if order_id is None:
        _park(account, new, now=now)
        return
    order = held_order(order_id)
    _check_own(order, new)
    record_trades(order, new, source=source, now=now)


def _park(account: TradingAccount, trades: Sequence[TradeReport], *, now: datetime) -> None:
    parked = [
        ParkedReport(
            account=account,
            trade_id=trade.trade_id,
            broker_order_id=trade.broker_order_id,
            report=_raw(trade),
            received_at=now,
        )
        for trade in trades
    ]
    ParkedReport.objects.bulk_create(parked, ignore_conflicts=True)


def _check_own(order: Order, trades: Sequence[TradeReport]) -> None:
    """:raises ReportUnsound: when a trade is not of what the order asked for."""
    for trade in trades:
        if (trade.instrument_key, trade.side) != (order.instrument.key, order.side):
            raise ReportUnsound(f"Trade {trade.trade_id} is not of what order {order.pk} asked for")


def _find(account: TradingAccount, report: OrderReport) -> Order | None:
    mine = Order.objects.filter(account=account).only("account", "tag", "broker_order_id")
    order = mine.filter(broker_order_id=report.broker_order_id).first()
    if order is None and report.tag:
        order = mine.filter(tag=report.tag).first()
        if order is not None and order.broker_order_id not in ("", report.broker_order_id):
            _alarm_double(order, report)
            return None
    return order


def _alarm_double(order: Order, report: OrderReport) -> None:
    ErrorLog.objects.create(
        error_type="DuplicateAtBroker",
        message=f"Tag {order.tag} is on {order.broker_order_id} and on {report.broker_order_id}",
        severity=Severity.CRITICAL,
        context=_raw(report),
        related_order_id=order.pk,
        related_account_id=order.account_id,
    )
    notify(
        order.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=f"The broker has one order twice: {order.instrument.trading_symbol}",
        message=f"{order.broker_order_id} and {report.broker_order_id}. Both are counted here.",
        now=report.updated_at,
        workspace=order.workspace,
        data={"order": str(order.pk)},
    )


def _lifecycle_report(report: OrderReport) -> Report:
    return Report(
        report.status, report.quantity, report.filled_quantity, report.sequence, report.updated_at
    )


def _take_over(order: Order, report: OrderReport) -> None:
    """Take the terms that the broker holds; it may have replaced a market order by a limit."""
    order.broker_order_id = report.broker_order_id
    order.exchange_order_id = report.exchange_order_id or order.exchange_order_id
    is_newer = order.reported_at is None or (report.sequence, report.updated_at) >= (
        order.report_sequence,
        order.reported_at,
    )
    if is_newer and report.price is not None and order.state is not OrderStatus.MODIFY_PENDING:
        order.price = report.price
        order.trigger_price = report.trigger_price or order.trigger_price


def _average_improves(order: Order, report: OrderReport) -> bool:
    return report.average_price is not None and order.average_price is None


def _take_average(order: Order, report: OrderReport) -> None:
    """Believe the broker's average until our own trades add up to as much."""
    if report.average_price is not None and report.filled_quantity > order.traded_quantity:
        order.average_price = report.average_price


def _claim_parked(account: TradingAccount, order: Order, *, now: datetime) -> None:
    """Record the trades that waited for their order; what cannot be is told and waits on."""
    parked = ParkedReport.objects.filter(account=account, broker_order_id=order.broker_order_id)
    for row in parked.order_by("pk"):
        trade = _trade_of(row.report)
        try:
            with transaction.atomic():
                # Read anew: one that was undone has left its marks on the object at hand.
                held = held_order(order.pk)
                _check_own(held, [trade])
                record_trade(held, trade, source=EventSource.RECONCILE, now=now)
                row.delete()
        except UNUSABLE as error:
            _set_aside(account, trade, error)


def _raw(report: OrderReport | TradeReport) -> dict[str, str]:
    told = {name: value for name, value in asdict(report).items() if value not in (None, "")}
    # What is set aside for a character that no database takes must itself be writable.
    return {name: str(value).replace("\x00", "") for name, value in told.items()}


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
