"""Adopt an order that somebody placed in the broker's own app: it counts, like any other."""

from datetime import datetime

from brokers.gateway import OrderReport
from brokers.models import TradingAccount
from brokers.venue import installed_venue
from market.models import Instrument
from operations.ids import new_order_tag
from operations.models import ErrorLog, Severity
from orders.days import is_day_over
from orders.models import EventSource, Order, OrderSource
from orders.services.transitions import Note, add_event
from orders.states import FINAL, OrderStatus
from risk.services import Held, hold


def adopt_order(account: TradingAccount, report: OrderReport, *, now: datetime) -> Order | None:
    """Write an external order, to be brought up to date by the report that named it.

    It is no strategy's: each of its fills goes to the books that it closes.

    None when its instrument is not known here: that is logged, and the account's positions will
    not agree until the instrument has been imported. None also while it could be one of ours
    whose answer is still awaited: it is adopted once that is settled.
    """
    if not report.tag and _may_be_ours(account, report):
        return None
    instrument = Instrument.objects.filter(key=report.instrument_key).first()
    if instrument is None:
        ErrorLog.objects.create(
            error_type="UnknownInstrument",
            message=f"Order {report.broker_order_id} is in {report.instrument_key}, not known here",
            severity=Severity.CRITICAL,
            related_account_id=account.pk,
        )
        return None
    order = Order.objects.create(
        workspace_id=account.workspace_id,
        user=account.connection.user,
        account=account,
        instrument=instrument,
        source=OrderSource.EXTERNAL,
        tag=new_order_tag(now),
        idempotency_key=f"{account.pk}:{report.broker_order_id}",
        request_hash="",
        broker_order_id=report.broker_order_id,
        side=report.side,
        order_type=report.order_type,
        product=report.product,
        validity=report.validity,
        quantity=report.quantity,
        price=report.price,
        trigger_price=report.trigger_price,
        status=OrderStatus.PLACED,
        expires_at=now,
        submitted_at=report.placed_at,
        created_at=report.placed_at or now,
    )
    _record(order, report, now=now)
    return order


def _may_be_ours(account: TradingAccount, report: OrderReport) -> bool:
    """What outlasted its own day is not in the book of a later one under any name."""
    awaited = Order.objects.filter(account=account).unsettled()
    alike = awaited.filter(
        instrument__key=report.instrument_key, side=report.side, quantity=report.quantity
    )
    placed_at = report.placed_at or report.updated_at
    return any(
        not is_day_over(order, now=placed_at) for order in alike.select_related("instrument")
    )


def _record(order: Order, report: OrderReport, *, now: datetime) -> None:
    if OrderStatus(report.status) not in FINAL:
        held = Held(
            order_id=order.pk,
            account=order.account,
            instrument=order.instrument,
            side=report.side,
            product=report.product,
            quantity=report.quantity - report.filled_quantity,
            price=report.price or report.average_price,
            session_date=installed_venue().session_date(order.instrument.ref(), now),
        )
        hold(held, now=now)
    words = "Placed outside Pinnacle, in the broker's own app or by the broker"
    note = Note("ADOPTED", EventSource.RECONCILE, report.placed_at or now, words)
    add_event(order, note=note, from_status="", now=now)
    order.save(update_fields=["event_count"])
