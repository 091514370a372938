"""Take trades in together where that is sound, and leave out only the one that cannot be."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from django.db import DatabaseError, transaction

from brokers.gateway import OrderReport, TradeReport
from brokers.models import TradingAccount
from brokers.venue import CalendarUnknown
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.errors import record_error
from operations.models import ErrorLog, Severity
from orders.models import Order
from orders.soundness import HandWritingDiffers, ReportUnsound

# What cannot be believed, dated or written. Anything else is a fault of ours and is not hidden.
UNUSABLE = (ReportUnsound, CalendarUnknown, DatabaseError, ArithmeticError)
AT_ONCE = 500


def runs(trades: Sequence[TradeReport]) -> Iterator[list[TradeReport]]:
    """Cut trades, in their order, into what is recorded at once: some of one order."""
    run: list[TradeReport] = []
    for trade in trades:
        if run and (trade.broker_order_id != run[-1].broker_order_id or len(run) == AT_ONCE):
            yield run
            run = []
        run.append(trade)
    if run:
        yield run


def take_in(
    account: TradingAccount,
    run: Sequence[TradeReport],
    record: Callable[[Sequence[TradeReport]], None],
) -> None:
    """Record a run, or the most of it that can be: a half with a bad one in it is halved again.

    ``record`` writes all that it is given in one transaction, or nothing.
    """
    try:
        record(run)
    except UNUSABLE as error:
        if len(run) == 1:
            set_aside(account, run[0], error)
            return
        half = len(run) // 2
        for part in (run[:half], run[half:]):
            take_in(account, part, record)


def set_aside(account: TradingAccount, report: OrderReport | TradeReport, error: Exception) -> None:
    """Keep what was told with an alarm; nothing else of it is used."""
    if isinstance(error, HandWritingDiffers):
        _tell_once(account, report, error)
    else:
        record_error(error, context=raw(report), severity=Severity.CRITICAL, account_id=account.pk)


@transaction.atomic
def _tell_once(
    account: TradingAccount, report: OrderReport | TradeReport, error: HandWritingDiffers
) -> None:
    """Tell the order's owner, once of each trade: the broker goes on telling it all day."""
    told, context = ErrorLog.objects.filter(related_order_id=error.order_id), raw(report)
    if told.filter(context__trade_id=context.get("trade_id")).exists():
        return
    row = record_error(
        error,
        context=context,
        severity=Severity.CRITICAL,
        order_id=error.order_id,
        account_id=account.pk,
    )
    order = Order.objects.select_related("user", "workspace", "instrument").get(pk=error.order_id)
    notify(
        order.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=f"Not the trades that were written down: {order.instrument.trading_symbol}",
        message=f"{error}. Compare the position with the broker's.",
        now=row.created_at,
        workspace=order.workspace,
        data={"order": str(order.pk)},
    )


def raw(report: OrderReport | TradeReport) -> dict[str, str]:
    """Return what was told, in words that any database takes."""
    told = {name: value for name, value in asdict(report).items() if value not in (None, "")}
    # What is set aside for a character that no database takes must itself be writable.
    return {name: str(value).replace("\x00", "") for name, value in told.items()}
