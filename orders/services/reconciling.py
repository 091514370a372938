"""Reconcile an account: its orders, trades and positions here must be those at its broker."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from brokers.gateway import (
    Gateway,
    GatewayUnavailable,
    HoldingReport,
    OrderReport,
    PositionReport,
)
from brokers.models import TradingAccount
from brokers.registry import Clock, gateway_for
from brokers.terms import Product
from brokers.venue import installed_venue
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.errors import record_error
from operations.events import publish
from operations.figures import rupees
from operations.models import ErrorLog, Severity
from orders.lifecycle import Move, end_of_day
from orders.models import EventSource, Order
from orders.services.commanding import settle_changes
from orders.services.reporting import apply_updates
from orders.services.sending import locked_order
from orders.services.transitions import Note, make_move, snapshot_of, write_snapshot
from orders.states import OrderStatus
from portfolio.models import Position
from portfolio.services import refresh_funds

# A change or cancel that the broker's book does not show by then did not take.
COMMAND_GRACE = timedelta(seconds=30)
UNBOOKED_WITHIN = timedelta(days=2)
Holdings = dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What came of it, differences in words; ``is_complete`` is False when a read failed."""

    is_complete: bool
    differences: tuple[str, ...] = field(default_factory=tuple)

    @property
    def agrees(self) -> bool:
        return self.is_complete and not self.differences


def reconcile_account(account: TradingAccount, *, clock: Clock) -> Reconciliation:
    """Read the account's book at its broker, apply it, and compare the positions.

    Only an account that agrees may open positions. A failed read proves nothing and changes
    nothing but that; a difference in positions is read twice before it is believed.
    """
    gateway = gateway_for(account, clock=clock)
    try:
        differences = _read_and_compare(account, gateway, now=clock())
        if differences:
            differences = _read_and_compare(account, gateway, now=clock())
        refresh_funds(account, gateway.funds(), now=clock())
    except GatewayUnavailable as error:
        _record_failure(account, str(error))
        return Reconciliation(is_complete=False)
    _conclude(account, differences, now=clock())
    return Reconciliation(is_complete=True, differences=tuple(differences))


def reconcile_accounts(clock: Clock) -> None:
    """Reconcile every active account that lives on the house's clock."""
    accounts = TradingAccount.objects.filter(is_active=True, own_clock=False)
    for account in accounts.select_related("connection__user", "workspace"):
        try:
            reconcile_account(account, clock=clock)
        except Exception as error:
            # The edge between accounts: whatever is wrong with one must not stop the others.
            record_error(error, severity=Severity.CRITICAL, account_id=account.pk)


def _read_and_compare(account: TradingAccount, gateway: Gateway, *, now: datetime) -> list[str]:
    book, trades = gateway.orders(), gateway.trades()
    apply_updates(account, orders=book, trades=trades, source=EventSource.RECONCILE, now=now)
    _settle_commands(account, book, now=now)
    _end_missing(account, book, now=now)
    held = _differences(account, gateway.positions(), gateway.holdings())
    return held + _unbooked(account, now=now)


def _differences(
    account: TradingAccount,
    reports: Sequence[PositionReport],
    holdings: Sequence[HoldingReport],
) -> list[str]:
    theirs: Holdings = defaultdict(int)
    for report in reports:
        theirs[report.instrument_key, report.product] += report.quantity
    ours: Holdings = defaultdict(int)
    open_positions = Position.objects.filter(account=account).open()
    for key, product, quantity in open_positions.values_list(
        "instrument__key", "product", "quantity"
    ):
        ours[key, product] += quantity
    for holding in holdings:
        # Delivery shares of earlier days are holdings there and a position here. Shares that
        # were never bought here are no difference.
        delivery = (holding.instrument_key, Product.CNC.value)
        missing = max(ours[delivery] - theirs[delivery], 0)
        theirs[delivery] += min(holding.quantity + holding.t1_quantity, missing)
    return [
        f"{' '.join(book)}: {rupees(ours[book], 0)} here, {rupees(theirs[book], 0)} at the broker"
        for book in sorted(ours.keys() | theirs.keys())
        if ours[book] != theirs[book]
    ]


def _unbooked(account: TradingAccount, *, now: datetime) -> list[str]:
    """Name the orders that the broker calls filled without having told of their trades."""
    recent = Order.objects.filter(account=account, created_at__gt=now - UNBOOKED_WITHIN)
    orders = recent.filter(filled_quantity__gt=F("traded_quantity"))
    return [
        f"{order.broker_order_id}: {rupees(order.filled_quantity, 0)} filled, "
        f"{rupees(order.traded_quantity, 0)} in its trades"
        for order in orders
    ]


def _settle_commands(
    account: TradingAccount, book: Sequence[OrderReport], *, now: datetime
) -> None:
    """Return orders to their state where the broker plainly did not take the change or cancel."""
    working = {report.broker_order_id: report for report in book}
    changing = (OrderStatus.MODIFY_PENDING, OrderStatus.CANCEL_PENDING)
    stale = Order.objects.filter(
        account=account, status__in=changing, command_sent_at__lt=now - COMMAND_GRACE
    )
    for order in stale.select_related("account"):
        if order.broker_order_id not in working:
            continue
        if order.state is OrderStatus.MODIFY_PENDING:
            took = _matches(order, working[order.broker_order_id])
            words = "The broker's book shows the change" if took else "The broker did not take it"
            settle_changes(order.pk, succeeded=took, words=words, now=now)
        else:
            _refuse_cancel(order, now=now)


def _matches(order: Order, report: OrderReport) -> bool:
    held = {
        "QUANTITY": report.quantity,
        "PRICE": report.price,
        "TRIGGER_PRICE": report.trigger_price,
    }
    wanted = order.modifications.filter(succeeded=None)
    return all(held.get(each.modification_type) == Decimal(each.new_value) for each in wanted)


@transaction.atomic
def _refuse_cancel(order: Order, *, now: datetime) -> None:
    held = locked_order(order.pk)
    if held.state is OrderStatus.CANCEL_PENDING:
        words = "The broker still has it working: the cancel did not take"
        note = Note(Move.CANCEL_REFUSED, EventSource.RECONCILE, now, words)
        make_move(held, Move.CANCEL_REFUSED, note=note, now=now)


def _end_missing(account: TradingAccount, book: Sequence[OrderReport], *, now: datetime) -> None:
    """End the orders of an earlier day that are not in today's book: no book carries them over."""
    listed = {report.broker_order_id for report in book}
    missing = Order.objects.filter(account=account).working().exclude(broker_order_id__in=listed)
    for order in missing.select_related("instrument"):
        ref = order.instrument.ref()
        venue = installed_venue()
        if venue.session_date(ref, order.created_at) < venue.session_date(ref, now):
            _expire(order, now=now)


@transaction.atomic
def _expire(order: Order, *, now: datetime) -> None:
    held = locked_order(order.pk)
    if not held.state.is_working:
        return
    words = "Its day is over and it is not in the broker's book"
    note = Note("DAY_ENDED", EventSource.RECONCILE, now, words)
    write_snapshot(held, end_of_day(snapshot_of(held)), note=note, now=now)


def _record_failure(account: TradingAccount, words: str) -> None:
    ErrorLog.objects.create(
        error_type="ReconciliationIncomplete",
        message=f"{account.name}: {words}",
        severity=Severity.WARNING,
        related_account_id=account.pk,
    )


def _conclude(account: TradingAccount, differences: list[str], *, now: datetime) -> None:
    was_reconciled = account.reconciled_at is not None
    account.reconciled_at = None if differences else now
    account.save(update_fields=["reconciled_at"])
    if differences and was_reconciled:
        ErrorLog.objects.create(
            error_type="PositionMismatch",
            message=f"{account.name}: {'; '.join(differences)}",
            severity=Severity.CRITICAL,
            related_account_id=account.pk,
        )
        notify(
            account.connection.user,
            kind=NotificationType.RISK_ALERT,
            level=AlertLevel.CRITICAL,
            title=f"{account.name} does not agree with its broker: no new positions",
            message="; ".join(differences),
            now=now,
            workspace=account.workspace,
        )
    if bool(differences) == was_reconciled:
        publish("brokers", workspace_id=account.workspace_id, subject_id=account.pk, now=now)
