"""Reads for the pages of orders and trades."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, F, Q, QuerySet, Sum

from accounts.models import User, Workspace
from operations.figures import IST
from orders.filters import UNFILLED_ENDS
from orders.models import EventSource, Order, OrderEvent, Trade
from orders.models.orders import OrderQuerySet
from orders.states import ALIVE, OrderStatus

CHARGES = (
    ("brokerage", "Brokerage"),
    ("stt", "STT"),
    ("exchange_charges", "Exchange"),
    ("clearing_charges", "Clearing"),
    ("sebi_fee", "SEBI"),
    ("stamp_duty", "Stamp duty"),
    ("gst", "GST"),
)
ALL_CHARGES = (
    F("brokerage")
    + F("stt")
    + F("exchange_charges")
    + F("clearing_charges")
    + F("sebi_fee")
    + F("stamp_duty")
    + F("gst")
)
TELLERS = {
    EventSource.SYSTEM: "Pinnacle",
    EventSource.REST_API: "REST",
    EventSource.WEBSOCKET: "Stream",
    EventSource.POSTBACK: "Postback",
    EventSource.RECONCILE: "Reconcile",
    EventSource.MANUAL: "By hand",
}
FILL = "FILL"


@dataclass(frozen=True, slots=True)
class OrderCounts:
    all: int
    open: int
    filled: int
    ended: int


@dataclass(frozen=True, slots=True)
class Charge:
    label: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class TradeTotals:
    """Of one kind of money: paper is never added to live, nor dollars to rupees."""

    is_paper: bool
    currency: str
    trades: int
    realized_pnl: Decimal
    charges: Decimal
    net_amount: Decimal
    uncharged: int = 0


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event as the order's page tells it, with the time since the event before in words."""

    event: OrderEvent
    title: str
    clock: str
    teller: str
    is_ours: bool
    moved: str
    gap_words: str
    is_fill: bool
    raw: str


def orders_on_page(user: User, workspace: Workspace) -> OrderQuerySet:
    """Orders that the person may see here, with all that a row of the list shows."""
    visible = Order.objects.visible_to(user).filter(workspace=workspace)
    return visible.select_related("instrument", "account__connection", "user_strategy__strategy")


def trades_on_page(user: User, workspace: Workspace) -> QuerySet[Trade]:
    """Trades that the person may see here, with all that a row of the list shows."""
    visible = Trade.objects.visible_to(user).filter(workspace=workspace)
    return visible.select_related(
        "instrument", "account__connection", "order__user_strategy__strategy"
    )


def order_counts(orders: QuerySet[Order]) -> OrderCounts:
    # Of the status alone, which an index holds: no row of the table is read.
    counts = orders.aggregate(
        all=Count("status"),
        open=Count("status", filter=Q(status__in=ALIVE)),
        filled=Count("status", filter=Q(status=OrderStatus.FILLED)),
        ended=Count("status", filter=Q(status__in=UNFILLED_ENDS)),
    )
    return OrderCounts(**counts)


def trade_totals(trades: QuerySet[Trade]) -> list[TradeTotals]:
    """Add up the trades, each kind of money by itself."""
    sums = trades.order_by().values("account__connection__paper_trading", "account__currency")
    rows = sums.annotate(
        trades=Count("pk"),
        realized=Sum("realized_pnl"),
        net=Sum("net_amount"),
        costs=Sum(ALL_CHARGES),
        uncharged=Count("pk", filter=Q(charges_known=False)),
    )
    return [
        TradeTotals(
            is_paper=row["account__connection__paper_trading"],
            currency=row["account__currency"],
            trades=row["trades"],
            realized_pnl=row["realized"],
            charges=row["costs"],
            net_amount=row["net"],
            uncharged=row["uncharged"],
        )
        for row in rows.order_by("account__connection__paper_trading", "account__currency")
    ]


def charges_of(trades: Sequence[Trade]) -> list[Charge]:
    """Itemise the charges of some trades together; what was nothing is left out."""
    items = [
        Charge(label, sum((getattr(trade, field) for trade in trades), Decimal(0)))
        for field, label in CHARGES
    ]
    return [item for item in items if item.amount]


def order_timeline(order: Order) -> list[TimelineEntry]:
    """Tell everything that happened to the order in the order it became known, newest first.

    The tellers' clocks disagree, and some know whole seconds only: by time, a fill could stand
    before the order was sent.
    """
    entries = []
    before: OrderEvent | None = None
    for event in order.events.order_by("sequence"):
        gap = event.occurred_at - before.occurred_at if before else None
        entries.append(_entry(event, order=order, gap=gap))
        before = event
    return entries[::-1]


def _entry(event: OrderEvent, *, order: Order, gap: timedelta | None) -> TimelineEntry:
    source = EventSource(event.event_source)
    told_by = {**TELLERS, EventSource.USER: order.user.name}
    moved = ""
    if event.from_status and event.from_status != event.to_status:
        moved = f"{event.get_from_status_display()} → {event.get_to_status_display()}"
    return TimelineEntry(
        event=event,
        title=event.message or _words(event),
        clock=_clock(event.occurred_at.astimezone(IST)),
        teller=told_by[source],
        is_ours=source in (EventSource.USER, EventSource.SYSTEM, EventSource.MANUAL),
        moved=moved,
        gap_words=_gap_words(gap) if gap else "",
        is_fill=event.event_type == FILL,
        raw=json.dumps(event.event_data, indent=1) if event.event_data else "",
    )


def _clock(at: datetime) -> str:
    """13:42:18.305, or 13:42:18 of a teller that knows whole seconds: it may be later than that."""
    return f"{at:%H:%M:%S}" if at.microsecond == 0 else f"{at:%H:%M:%S.%f}"[:-3]


def _gap_words(gap: timedelta) -> str:
    """Say how long: +27 ms, +4.2 s, +2 min 49 s, +3 h 5 min.

    Two tellers' clocks may disagree, so that a later event is earlier: then there is no gap to say.
    """
    if gap < timedelta(0):
        return ""
    milliseconds = round(gap / timedelta(milliseconds=1))
    seconds = milliseconds // 1000
    if seconds < 1:
        return f"+{milliseconds} ms"
    if seconds < 60:
        return f"+{milliseconds / 1000:.1f} s"
    if seconds < 3600:
        return f"+{seconds // 60} min {seconds % 60} s"
    return f"+{seconds // 3600} h {seconds % 3600 // 60} min"


def _words(event: OrderEvent) -> str:
    return event.event_type.replace("_", " ").capitalize()
