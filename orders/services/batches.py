"""Take trades in together where that is sound, and leave out only the one that cannot be."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from django.db import DatabaseError

from brokers.gateway import OrderReport, TradeReport
from brokers.models import TradingAccount
from brokers.venue import CalendarUnknown
from operations.errors import record_error
from operations.models import Severity
from orders.soundness import ReportUnsound

# What cannot be believed, dated or written. Anything else is a fault of ours and is not hidden.
UNUSABLE = (ReportUnsound, CalendarUnknown, DatabaseError)
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
    record_error(error, context=raw(report), severity=Severity.CRITICAL, account_id=account.pk)


def raw(report: OrderReport | TradeReport) -> dict[str, str]:
    """Return what was told, in words that any database takes."""
    told = {name: value for name, value in asdict(report).items() if value not in (None, "")}
    # What is set aside for a character that no database takes must itself be writable.
    return {name: str(value).replace("\x00", "") for name, value in told.items()}
