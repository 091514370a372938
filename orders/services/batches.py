"""Take trades in together where that is sound, and leave out only the one that cannot be."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.db import (
    DataError,
    IntegrityError,
    InternalError,
    NotSupportedError,
    ProgrammingError,
    transaction,
)

from brokers.gateway import OrderReport, TradeReport
from brokers.models import TradingAccount
from brokers.venue import CalendarUnknown
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.errors import record_error, words_of
from operations.models import ErrorLog, Severity
from orders.models import Order
from orders.soundness import HandWritingDiffers, ReportUnsound

# What cannot be believed, dated or written. Anything else is a fault of ours and is not hidden.
# A database that is busy or gone says nothing of a report: the reading fails, and is done again.
UNWRITABLE = (DataError, IntegrityError, InternalError, NotSupportedError, ProgrammingError)
UNUSABLE = (ReportUnsound, CalendarUnknown, ArithmeticError, *UNWRITABLE)
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

    :raises OperationalError: when the database is too busy or gone; what is written stays.
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


@transaction.atomic
def set_aside(account: TradingAccount, report: OrderReport | TradeReport, error: Exception) -> None:
    """Keep what was told, once, with an alarm; nothing else of it is used.

    The broker goes on telling it all day.
    """
    order_id = error.order_id if isinstance(error, HandWritingDiffers) else None
    context = raw(report)
    if _is_kept(account, context, error):
        return
    row = record_error(
        error, context=context, severity=Severity.CRITICAL, order_id=order_id, account_id=account.pk
    )
    if order_id is not None:
        _tell_writer(order_id, error, now=row.created_at)
    else:
        _tell_owner(account, context, error, now=row.created_at)


def _is_kept(account: TradingAccount, context: Mapping[str, str], error: Exception) -> bool:
    kept = ErrorLog.objects.filter(
        error_type=type(error).__name__, related_account_id=account.pk, message=words_of(error)
    )
    for name in ("broker_order_id", "trade_id"):
        said = context.get(name)
        is_same = {f"context__{name}": said} if said else {f"context__{name}__isnull": True}
        kept = kept.filter(**is_same)
    return kept.exists()


def _tell_owner(
    account: TradingAccount, context: Mapping[str, str], error: Exception, *, now: datetime
) -> None:
    number = context.get("broker_order_id", "without a number")
    notify(
        account.connection.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=f"What the broker tells of an order cannot be: {account.name}",
        message=(
            f"Order {number}, {context.get('instrument_key', '')}: {error}. It is set aside and "
            "changes nothing here. Look the order up at the broker."
        ),
        now=now,
        workspace=account.workspace,
    )


def _tell_writer(order_id: UUID, error: Exception, *, now: datetime) -> None:
    order = Order.objects.select_related("user", "workspace", "instrument").get(pk=order_id)
    notify(
        order.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=f"Not the trades that were written down: {order.instrument.trading_symbol}",
        message=f"{error}. Compare the position with the broker's.",
        now=now,
        workspace=order.workspace,
        data={"order": str(order.pk)},
    )


def raw(report: OrderReport | TradeReport) -> dict[str, str]:
    """Return what was told, in words that any database takes."""
    told = {name: value for name, value in asdict(report).items() if value not in (None, "")}
    # What is set aside for a character that no database takes must itself be writable.
    return {name: str(value).replace("\x00", "") for name, value in told.items()}
