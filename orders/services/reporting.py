"""Take in what a broker tells: merge its reports, record its trades, adopt what is not ours."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from brokers.gateway import OrderReport, TradeReport
from brokers.models import TradingAccount
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.models import ErrorLog, Severity
from orders.models import EventSource, Order, Trade
from orders.services.adopting import adopt_order
from orders.services.batches import AT_ONCE, UNUSABLE, raw, runs, set_aside, take_in
from orders.services.merging import merged, news
from orders.services.parking import check_own, claim_parked, park
from orders.services.sending import held_order
from orders.services.trading import record_trades, tell_overfilled, unrecorded
from orders.services.transitions import Note, write_snapshot
from orders.soundness import ReportUnsound, sound_report, sound_trade
from orders.states import OrderStatus
from portfolio.services import lock_account
from risk.services import hand_over


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
    for report in news(account, _sound_reports(account, orders, now=now)):
        try:
            apply_order_report(account, report, source=source, now=now)
        except UNUSABLE as error:
            set_aside(account, report, error)

    def record(run: Sequence[TradeReport]) -> None:
        apply_trade_reports(account, run, source=source, now=now)

    for run in runs(_not_recorded(account, _sound_trades(account, trades, now=now))):
        take_in(account, run, record)


def _sound_reports(
    account: TradingAccount, reports: Sequence[OrderReport], *, now: datetime
) -> list[OrderReport]:
    sound = []
    for report in reports:
        try:
            sound.append(sound_report(report, now=now))
        except ReportUnsound as error:
            set_aside(account, report, error)
    return sound


def _sound_trades(
    account: TradingAccount, trades: Sequence[TradeReport], *, now: datetime
) -> list[TradeReport]:
    sound = []
    for trade in trades:
        try:
            sound.append(sound_trade(trade, now=now))
        except ReportUnsound as error:
            set_aside(account, trade, error)
    return sound


def _not_recorded(account: TradingAccount, trades: Sequence[TradeReport]) -> list[TradeReport]:
    """Leave out what is recorded just so: a day's trade book is told again at every reading.

    A trade that is recorded stays so, with no lock; what is told differently goes on to its alarm.
    """
    known: set[tuple[str, int, Decimal]] = set()
    for begin in range(0, len(trades), AT_ONCE):
        # One that no database can even ask for is set aside when its turn comes.
        part = [each.trade_id for each in trades[begin : begin + AT_ONCE]]
        part = [trade_id for trade_id in part if "\x00" not in trade_id]
        recorded = Trade.objects.filter(account=account, broker_trade_id__in=part)
        known.update(recorded.values_list("broker_trade_id", "quantity", "price"))
    return [each for each in trades if (each.trade_id, each.quantity, each.price) not in known]


@transaction.atomic
def apply_order_report(
    account: TradingAccount, report: OrderReport, *, source: EventSource, now: datetime
) -> None:
    """Merge one sound report; an order that nobody here placed is adopted as external.

    :raises ReportUnsound: when it is of another share or side than the order it names.
    """
    lock_account(account)
    order = _find(account, report) or adopt_order(account, report, now=now)
    if order is None:
        return
    held = held_order(order.pk)
    _check_same(held, report)
    was, asked, was_unknown = held.state, held.quantity, held.is_unknown
    after = merged(held, report)
    if after is None:
        return
    if was is OrderStatus.SUBMITTING or was_unknown:
        hand_over(held.pk, now=now)
    note = Note(f"REPORTED_{report.status}", source, report.updated_at, report.message, raw(report))
    write_snapshot(held, after, note=note, now=now)
    if after.filled_quantity > asked:
        tell_overfilled(held, asked, now=now)
    claim_parked(account, held, now=now)


def _check_same(order: Order, report: OrderReport) -> None:
    """Tell a report of this order from one of another that bears its number or its tag.

    A number of the broker's that its instrument list does not hold says nothing of the share.
    """
    is_same_share = report.instrument_key == order.instrument.key or "?" in report.instrument_key
    if report.side != order.side or not is_same_share:
        raise ReportUnsound(
            f"{report.broker_order_id} is {report.side} {report.instrument_key} at the broker, "
            f"and {order.side} {order.instrument.key} here"
        )


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
        park(account, new, now=now)
        return
    order = held_order(order_id)
    check_own(order, new)
    record_trades(order, new, source=source, now=now)


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
        context=raw(report),
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
