"""End the positions of expired contracts as the exchange does; see :mod:`portfolio.expiry`.

A price that nobody knows is asked for: until a person has entered it, or the index's candle of that
day is on file, the position stays as it is and its owner is told.
"""

import uuid
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from brokers.models import TradingAccount
from brokers.terms import InstrumentType, Product
from brokers.venue import CalendarUnknown
from market.calendar import IST
from market.models import Instrument
from market.settlement import final_price, has_expired, is_on_index, last_moment
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.errors import contained
from operations.events import publish
from operations.figures import rupees
from operations.models import ErrorLog, Severity
from orders.models import EventSource, Order, OrderSource
from orders.services.recorded import Change, record_change
from portfolio.expiry import Outcome, Terms, TermsUnknown, outcome
from portfolio.models import ExpirySettlement, Position, PositionStatus, SettlementState
from portfolio.services import lock_account

_ENDED = (
    "state",
    "quantity",
    "final_price",
    "settled_at_price",
    "delivery_quantity",
    "delivery_price",
    "settled_at",
    "reason",
)


def settle_expired(*, now: datetime, accounts: Collection[TradingAccount] | None = None) -> int:
    """Settle every open position whose contract has expired; return how many were.

    Without ``accounts``, those on the common clock; a replay names its own. Safe to run again.
    """
    held = Position.objects.open().filter(instrument__expiry__lte=now.astimezone(IST).date())
    chosen = (
        held.filter(account__own_clock=False)
        if accounts is None
        else held.filter(account__in=accounts)
    )
    settled = 0
    for position in chosen.select_related("instrument").order_by("opened_at", "pk"):
        if has_expired(position.instrument, now):
            with contained("settling an expired contract", account_id=position.account_id):
                settled += settle_position(position.pk, now=now)
    return settled


@transaction.atomic
def settle_position(position_id: uuid.UUID, *, now: datetime) -> bool:
    """Settle one position of an expired contract, or note what it waits for; once only."""
    related = ("account__connection__user", "account__workspace", "instrument")
    position = Position.objects.select_related(*related).get(pk=position_id)
    lock_account(position.account)
    position.refresh_from_db(fields=["status", "quantity", "open_cost"])
    if position.status != PositionStatus.OPEN:
        return False
    row = _row_of(position, now=now)
    final = final_price(position.instrument, workspace_id=position.workspace_id)
    if final is None:
        _await(row, "Nobody here knows the exchange's final settlement price", now=now)
        return False
    try:
        ended = outcome(_terms(position.instrument), quantity=position.quantity, final=final)
        with transaction.atomic():
            order = _book(position, ended, final, now=now)
    except (CalendarUnknown, TermsUnknown) as error:
        _await(row, str(error), now=now)
        return False
    _end(row, ended, final, now=now)
    _tell_ended(row, order, now=now)
    return True


def _row_of(position: Position, *, now: datetime) -> ExpirySettlement:
    row, _ = ExpirySettlement.objects.select_related().get_or_create(
        position=position,
        defaults={
            "workspace_id": position.workspace_id,
            "account": position.account,
            "instrument": position.instrument,
            "quantity": position.quantity,
            "found_at": now,
        },
    )
    row.account, row.instrument, row.quantity = (
        position.account,
        position.instrument,
        position.quantity,
    )
    return row


def _terms(contract: Instrument) -> Terms:
    kind = InstrumentType(contract.instrument_type)
    return Terms(kind, is_on_index(contract), contract.strike)


def _book(position: Position, ended: Outcome, final: Decimal, *, now: datetime) -> Order:
    underlying = position.instrument.underlying or position.instrument.trading_symbol
    reason = f"Settled at {rupees(ended.price)}: {underlying} ended at {rupees(final)}"
    change = Change(
        account=position.account,
        instrument=position.instrument,
        product=Product(position.product),
        quantity=-position.quantity,
        price=ended.price,
        source=OrderSource.EXPIRY,
        key=f"expiry:{position.pk}",
        trade_id=f"EXP-{position.pk}",
        told_by=EventSource.SYSTEM,
        event="EXPIRED_CONTRACT",
        words=f"Not an order: the contract has expired. {reason}",
        reason=reason,
        user_strategy_id=position.user_strategy_id,
    )
    return record_change(change, traded_at=last_moment(position.instrument), now=now)


def _end(row: ExpirySettlement, ended: Outcome, final: Decimal, *, now: datetime) -> None:
    row.final_price, row.settled_at_price, row.settled_at = final, ended.price, now
    row.state, row.reason = SettlementState.SETTLED, ""
    if ended.delivery is not None:
        row.state = SettlementState.DELIVERY_PENDING
        row.delivery_quantity, row.delivery_price = ended.delivery.quantity, ended.delivery.price
        row.reason = delivery_words(row)
    row.save(update_fields=_ENDED)


def delivery_words(row: ExpirySettlement) -> str:
    """Say which shares change hands, and for how much."""
    price = row.delivery_price or Decimal(0)
    verb = "Take" if row.delivery_quantity > 0 else "Give"
    money = "to pay" if row.delivery_quantity > 0 else "to receive"
    shares, value = abs(row.delivery_quantity), abs(row.delivery_quantity) * price
    return (
        f"{verb} {rupees(shares, 0)} {row.instrument.underlying} at {rupees(price)}: "
        f"{rupees(value)} {money}, before taxes and what the broker nets against other trades"
    )


def _await(row: ExpirySettlement, reason: str, *, now: datetime) -> None:
    """Note what it waits for, and tell the owner when that is new."""
    is_new = row.reason != reason
    row.reason = reason
    row.save(update_fields=["quantity", "reason"])
    if not is_new:
        return
    publish("positions", workspace_id=row.workspace_id, subject_id=row.account_id, now=now)
    is_delivered = not is_on_index(row.instrument)
    after = (
        " It is on shares: unless it ends out of the money they change hands, never cash."
        if is_delivered
        else ""
    )
    _tell(
        row,
        f"{row.instrument.trading_symbol} has expired: its final price is missing",
        f"{rupees(row.quantity, 0)} in {row.account.name} wait. {reason}. Enter it under "
        f"Positions, Expired contracts.{after}",
        level=AlertLevel.CRITICAL if is_delivered else AlertLevel.WARNING,
        now=now,
    )


def _tell_ended(row: ExpirySettlement, order: Order, *, now: datetime) -> None:
    symbol, trade = row.instrument.trading_symbol, order.trades.get()
    tax = f", securities transaction tax {rupees(trade.stt)}" if trade.stt else ""
    unknown = "" if trade.charges_known else " Its tax is not known."
    message = f"{row.account.name}: {order.error_message}{tax}.{unknown}"
    if row.state != SettlementState.DELIVERY_PENDING:
        title = f"{symbol} has expired: {rupees(row.quantity, 0)} settled"
        _tell(row, title, message, level=AlertLevel.INFO, now=now, order=order)
        return
    title = f"Delivery pending: {rupees(abs(row.delivery_quantity), 0)} {row.instrument.underlying}"
    words = f"{message} {row.reason}. Look at your broker today, then confirm it here."
    _tell(row, title, words, level=AlertLevel.CRITICAL, now=now, order=order)


def _tell(
    row: ExpirySettlement,
    title: str,
    message: str,
    *,
    level: AlertLevel,
    now: datetime,
    order: Order | None = None,
) -> None:
    if row.account.own_clock:
        return
    if level is AlertLevel.CRITICAL:
        ErrorLog.objects.create(
            error_type="ContractExpired",
            message=f"{row.account.name}: {title}. {message}",
            severity=Severity.CRITICAL,
            related_account_id=row.account_id,
            related_order_id=order.pk if order else None,
        )
    notify(
        row.account.connection.user,
        kind=NotificationType.RISK_ALERT,
        level=level,
        title=title,
        message=message,
        now=now,
        workspace=row.account.workspace,
        data={"order": str(order.pk)} if order else {"settlement": str(row.pk)},
    )
