"""Order updates from a broker's stream: from the inbox of its socket to the rows of the orders."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import cycle
from time import perf_counter

from django.utils import timezone

from bench.desk import Desk, open_desk, quote_shares
from bench.figures import Figures, figure
from bench.sending import OrderNotSent
from brokers.gateway import BrokerStatus, OrderReport, TradeReport
from brokers.models import ProcessingStatus, StreamMessage
from brokers.streaming.protocol import OrderNews, StreamKind
from brokers.terms import OrderType, Product, Side, Validity
from operations.ids import new_id
from orders.models import EventSource, Order
from orders.nudging import without_nudges
from orders.requests import OrderRequest
from orders.services.commanding import advance_order
from orders.services.placing import place_order
from orders.services.reporting import apply_updates
from trading_site.live import MarketPipeline
from trading_site.stream_worker import StreamWorker

ORDERS = 100
A_SECOND, SECONDS = 2_000, 30
FILLS = 1_000
QUANTITY = 10_000
_PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class Updates:
    told: float = field(metadata=figure("told", "updates/s", "put into the inbox, evenly"))
    taken_in: float = field(
        metadata=figure("taken in", "updates/s", "written as rows and merged into their orders")
    )
    late: float = field(
        metadata=figure("last one done", "s", "after the last one was told", at_most=5)
    )
    events: float = field(
        metadata=figure("events", "", "rows of order history that came of it: bursts are merged")
    )
    fills: float = field(
        metadata=figure("fills", "fills/s", "told one by one: each booked, charged and posted")
    )


def measure() -> dict[str, Figures]:
    desk = open_desk("updates")
    quote_shares(MarketPipeline())
    orders = [_resting(desk, number) for number in range(ORDERS)]
    before = sum(order.event_count for order in orders)
    with _worker(desk) as worker:
        began = perf_counter()
        count = _tell(worker, orders)
        told = perf_counter()
        _wait_until_done(count)
        done = perf_counter()
    grown = sum(Order.objects.filter(account=desk.account).values_list("event_count", flat=True))
    figures = Updates(
        told=count / (told - began),
        taken_in=count / (done - began),
        late=done - told,
        events=grown - before,
        fills=_fills_a_second(desk, orders[0]),
    )
    return {f"Order updates ({count:,} of {ORDERS} orders)": figures}


def _resting(desk: Desk, number: int) -> Order:
    share = desk.shares[number % len(desk.shares)]
    request = OrderRequest(
        desk.account,
        share,
        Side.BUY,
        quantity=QUANTITY,
        order_type=OrderType.LIMIT,
        price=Decimal(1),
    )
    with without_nudges():
        order = place_order(
            request, user=desk.user, idempotency_key=str(new_id()), now=timezone.now()
        )
    advance_order(order.pk, clock=timezone.now)
    order.refresh_from_db()
    if not order.broker_order_id:
        raise OrderNotSent(order.error_message)
    return order


@contextmanager
def _worker(desk: Desk) -> Iterator[StreamWorker]:
    worker, stopped = (
        StreamWorker(desk.account.connection, StreamKind.ORDERS, timezone.now),
        threading.Event(),
    )
    thread = threading.Thread(target=worker.run, args=(stopped,), daemon=True)
    thread.start()
    try:
        yield worker
    finally:
        stopped.set()
        worker.inbox.close()
        thread.join(_PATIENCE)


def _tell(worker: StreamWorker, orders: list[Order]) -> int:
    """Tell each order's growing fill in turn, so many a second; return how many were told."""
    began, filled, count = perf_counter(), dict.fromkeys((o.pk for o in orders), 0), 0
    for order in cycle(orders):
        if count >= A_SECOND * SECONDS:
            return count
        ahead = began + count / A_SECOND - perf_counter()
        if ahead > 0.01:
            time.sleep(ahead)
        filled[order.pk] += 1
        report = _report(order, filled[order.pk])
        frame = json.dumps({"order": order.broker_order_id, "filled": report.filled_quantity})
        worker.inbox.put_frame(0, frame, [OrderNews((report,))])
        count += 1
    return count


def _report(order: Order, filled: int) -> OrderReport:
    return OrderReport(
        broker_order_id=order.broker_order_id,
        tag=order.tag,
        instrument_key=order.instrument.key,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        product=Product(order.product),
        validity=Validity(order.validity),
        status=BrokerStatus.PARTIALLY_FILLED,
        quantity=QUANTITY,
        filled_quantity=filled,
        updated_at=timezone.now(),
        average_price=Decimal(1),
        price=Decimal(1),
    )


def _wait_until_done(count: int) -> None:
    """:raises OrderNotSent: when the updates are not worked off in five minutes."""
    ends = perf_counter() + _PATIENCE
    done = StreamMessage.objects.filter(processing_status=ProcessingStatus.PROCESSED)
    while done.count() < count:
        if perf_counter() > ends:
            raise OrderNotSent("The updates were not worked off in time")
        time.sleep(0.05)


def _fills_a_second(desk: Desk, order: Order) -> float:
    trade = TradeReport(
        "", order.broker_order_id, order.instrument.key, Side.BUY, Product(order.product), 1,
        Decimal(1), timezone.now(),
    )  # fmt: skip
    trades = [replace(trade, trade_id=f"T{number}") for number in range(FILLS)]
    began = perf_counter()
    apply_updates(
        desk.account, orders=[], trades=trades, source=EventSource.WEBSOCKET, now=timezone.now()
    )
    return FILLS / (perf_counter() - began)
