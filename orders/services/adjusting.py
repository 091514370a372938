"""Adopt a believed difference: one visible adjustment brings our books to the broker's figure.

It is an order of its own with one trade, of source ADJUSTMENT, split over the books it closes as
an order from outside is. Never a change of a position behind the books' back.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from brokers.models import TradingAccount
from brokers.terms import Product, Side
from brokers.venue import CalendarUnknown
from market.models import Instrument
from market.quotes import quote_of
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.figures import ist_minute, rupees
from operations.models import ErrorLog, Severity
from orders.models import EventSource, Order, OrderSource
from orders.services.differing import our_holdings
from orders.services.recorded import Change, record_change
from portfolio.models import DifferenceState, Position, PositionDifference
from portfolio.services import lock_account

# A difference that is still open by then is somebody's business, whatever it waits for.
TELL_AFTER_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Price:
    """What an adjustment is booked at, and in words whose price that is."""

    amount: Decimal
    words: str


@dataclass(frozen=True, slots=True)
class ByHand:
    """Who accepts the broker's figure before the readings have confirmed it, and why."""

    by: User
    reason: str

    @property
    def words(self) -> str:
        return f"accepted by {self.by.name}: {self.reason}"


def adopt_difference(
    difference_id: uuid.UUID, *, now: datetime, by_hand: ByHand | None = None
) -> PositionDifference:
    """Bring our books to the broker's figure and tell the account's owner; once only.

    What has moved here since the reading is left for the next one, and so is what nobody knows a
    price of: the difference stays open and says so.
    """
    try:
        return _adopt(difference_id, by_hand, now=now)
    except CalendarUnknown as error:
        words = f"It cannot be dated: {error}"
        PositionDifference.objects.filter(pk=difference_id).update(reason=words)
        return PositionDifference.objects.get(pk=difference_id)


@transaction.atomic
def tell_open_difference(row: PositionDifference, *, now: datetime) -> None:
    """Tell the owner once of a difference that nobody here can settle, and why."""
    is_old = (now - row.first_seen_at).total_seconds() >= TELL_AFTER_SECONDS
    is_due = is_old or (row.is_doubted and row.readings > 1)
    untold = PositionDifference.objects.open().filter(pk=row.pk, told_at=None)
    if not is_due or not untold.update(told_at=now):
        return
    row.told_at = now
    name = row.instrument.trading_symbol if row.instrument else row.instrument_key
    title = f"{name} differs at the broker of {row.account.name}: only exits there"
    _tell(row, title, f"{figures(row)}. {row.reason}.", now=now)


@transaction.atomic
def _adopt(
    difference_id: uuid.UUID, by_hand: ByHand | None, *, now: datetime
) -> PositionDifference:
    row = PositionDifference.objects.select_related(
        "account__connection__user", "account__workspace", "instrument"
    ).get(pk=difference_id)
    lock_account(row.account)
    row.refresh_from_db(fields=["state", "ours", "theirs", "reason"])
    if row.state != DifferenceState.OPEN or row.instrument is None:
        return row
    if our_holdings(row.account)[row.instrument_key, row.product] != row.ours:
        return row
    price = price_of(row)
    if price is None:
        row.reason = "Nobody knows a price to book it at"
        row.save(update_fields=["reason"])
        return row
    order = _book(row, row.instrument, price, by_hand, now=now)
    row.state, row.adjusted_at, row.adjustment_id = DifferenceState.ADJUSTED, now, order.pk
    row.told_at = now
    row.reason = order.error_message
    row.save(update_fields=["state", "adjusted_at", "adjustment_id", "told_at", "reason"])
    what = f"{'Added' if order.side == Side.BUY else 'Taken off'} {rupees(order.quantity, 0)}"
    title = f"{what} {order.instrument.trading_symbol} in {row.account.name}, as its broker says"
    _tell(row, title, f"{row.reason}. Charges are not known.", now=now)
    return row


def _book(
    row: PositionDifference,
    instrument: Instrument,
    price: Price,
    by_hand: ByHand | None,
    *,
    now: datetime,
) -> Order:
    ground = by_hand.words if by_hand else f"in {row.readings} readings"
    reason = f"{figures(row)}, {ground}; booked at {price.words}"
    change = Change(
        account=row.account,
        instrument=instrument,
        product=Product(row.product),
        quantity=row.missing,
        price=price.amount,
        source=OrderSource.ADJUSTMENT,
        key=f"adjustment:{row.pk}",
        trade_id=f"ADJ-{row.pk}",
        told_by=EventSource.MANUAL if by_hand else EventSource.RECONCILE,
        event="ADJUSTED",
        words=f"Not an order: the broker's positions said otherwise than ours. {reason}",
        reason=reason,
        data={"by": str(by_hand.by.pk), "reason": by_hand.reason} if by_hand else {},
    )
    return record_change(change, traded_at=now, now=now)


def price_of(row: PositionDifference) -> Price | None:
    """The broker's average; where it told none, the last price anybody knows, and whose it is."""
    if row.price is not None and row.price > 0:
        return Price(row.price, f"the broker's average, {rupees(row.price)}")
    quote = quote_of(row.instrument_key)
    if quote is not None and quote.ltp > 0:
        as_of = ist_minute(quote.as_of)
        return Price(quote.ltp, f"the last price, {rupees(quote.ltp)} as of {as_of}")
    held = Position.objects.filter(
        account=row.account, instrument=row.instrument, product=row.product
    ).open()
    average = next((each.average_price for each in held.order_by("opened_at")), None)
    if average is None or average <= 0:
        return None
    rounded = average.quantize(Decimal("0.0001"))
    return Price(rounded, f"our own average, {rupees(rounded)}: no other price is known")


def figures(row: PositionDifference) -> str:
    return (
        f"{row.instrument_key} {row.product}: {rupees(row.ours, 0)} here, "
        f"{rupees(row.theirs, 0)} at the broker"
    )


def _tell(row: PositionDifference, title: str, message: str, *, now: datetime) -> None:
    account: TradingAccount = row.account
    ErrorLog.objects.create(
        error_type="PositionMismatch",
        message=f"{account.name}: {message}",
        severity=Severity.CRITICAL,
        related_account_id=account.pk,
        related_order_id=row.adjustment_id,
    )
    notify(
        account.connection.user,
        kind=NotificationType.RISK_ALERT,
        level=AlertLevel.CRITICAL,
        title=title,
        message=message,
        now=now,
        workspace=account.workspace,
        data={"order": str(row.adjustment_id)} if row.adjustment_id else {},
    )
