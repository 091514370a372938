"""From an order asked for to its broker called: in one thread, and through queue and worker."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from django.utils import timezone

from bench.desk import Desk, open_desk, quote_shares
from bench.figures import THOUSANDTHS, Figures, figure, median_of, percentile
from brokers.adapters.paper.gateway import PaperGateway
from brokers.gateway import Outcome, PlaceRequest
from brokers.models import TradingAccount
from brokers.registry import Clock, use_gateway
from brokers.terms import Side
from brokers.venue import installed_venue
from operations.ids import new_id
from orders.models import Order
from orders.nudging import without_nudges
from orders.requests import OrderRequest
from orders.services.commanding import advance_order
from orders.services.placing import place_order
from orders.states import OrderStatus
from trading_site.embedded import run_worker
from trading_site.live import MarketPipeline

ROUNDS = 3
ORDERS = 300
WARM_UP = 20
ORDERS_A_QUOTE = 5
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Sending:
    committed_p50: float = field(
        metadata=figure("committed, p50", "ms", "`place_order`: judged, reserved, on disk")
    )
    committed_p99: float = field(metadata=figure("committed, p99", "ms", "the same"))
    called_p50: float = field(
        metadata=figure("gateway called, p50", "ms", "… and claimed, in the same thread")
    )
    called_p99: float = field(metadata=figure("gateway called, p99", "ms", "the same"))
    queued_p50: float = field(
        metadata=figure("through a worker, p50", "ms", "… by the queue and a worker's thread")
    )
    queued_p99: float = field(metadata=figure("through a worker, p99", "ms", "the same"))


class OrderNotSent(Exception):
    """An order did not get as far as its broker: then there is nothing to time."""


class Stopwatch:
    """Stands before the paper broker, notes when an order arrives and passes it on."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.arrived_at = 0.0

    def start(self) -> float:
        self.arrived.clear()
        return perf_counter()

    def elapsed(self, started: float) -> float:
        """:raises OrderNotSent: when the order did not come within half a minute."""
        if not self.arrived.wait(_PATIENCE):
            raise OrderNotSent(f"No order arrived within {_PATIENCE:.0f} s")
        return (self.arrived_at - started) * THOUSANDTHS

    def open_gateway(self, account: TradingAccount, clock: Clock) -> PaperGateway:
        return _TimedGateway(account, clock, stopwatch=self)


class _TimedGateway(PaperGateway):
    def __init__(self, account: TradingAccount, clock: Clock, *, stopwatch: Stopwatch) -> None:
        super().__init__(account, clock, installed_venue())
        self._stopwatch = stopwatch

    def place(self, request: PlaceRequest) -> Outcome:
        self._stopwatch.arrived_at = perf_counter()
        self._stopwatch.arrived.set()
        return super().place(request)


def measure() -> dict[str, Figures]:
    stopwatch = Stopwatch()
    use_gateway("paper", stopwatch.open_gateway)
    try:
        desks = [open_desk(f"sending {number}") for number in range(ROUNDS)]
        in_line = [_times(desk, stopwatch, in_line=True) for desk in desks]
        with _worker():
            queued = [_times(desk, stopwatch, in_line=False) for desk in desks]
    finally:
        use_gateway("paper", None)
    words = f"An order ({ORDERS} orders, {ROUNDS} rounds)"
    return {words: median_of([_figures(*pair) for pair in zip(in_line, queued, strict=True)])}


def _figures(in_line: list[tuple[float, float]], queued: list[tuple[float, float]]) -> Sending:
    committed, called = zip(*in_line, strict=True)
    through = [time for _, time in queued]
    return Sending(
        committed_p50=percentile(committed, 50),
        committed_p99=percentile(committed, 99),
        called_p50=percentile(called, 50),
        called_p99=percentile(called, 99),
        queued_p50=percentile(through, 50),
        queued_p99=percentile(through, 99),
    )


def _times(desk: Desk, stopwatch: Stopwatch, *, in_line: bool) -> list[tuple[float, float]]:
    """Place orders one after the other; return when each was committed and when called, in ms."""
    pipeline, times = MarketPipeline(), []
    for number in range(WARM_UP + ORDERS):
        if number % ORDERS_A_QUOTE == 0:
            # Not timed: the quotes an order is judged by, and the fills of the orders before.
            quote_shares(pipeline)
        times.append(_send(desk, stopwatch, number, in_line=in_line))
    return times[WARM_UP:]


def _send(desk: Desk, stopwatch: Stopwatch, number: int, *, in_line: bool) -> tuple[float, float]:
    request = _request(desk, number)
    started = stopwatch.start()
    if in_line:
        with without_nudges():
            order = _place(desk, request)
        committed = (perf_counter() - started) * THOUSANDTHS
        advance_order(order.pk, clock=timezone.now)
    else:
        _place(desk, request)
        committed = (perf_counter() - started) * THOUSANDTHS
    return committed, stopwatch.elapsed(started)


def _place(desk: Desk, request: OrderRequest) -> Order:
    """:raises OrderNotSent: when risk refuses the order."""
    key = str(new_id())
    order = place_order(request, user=desk.user, idempotency_key=key, now=timezone.now())
    if order.state is OrderStatus.DENIED:
        raise OrderNotSent(order.error_message)
    return order


def _request(desk: Desk, number: int) -> OrderRequest:
    """Buy and sell each share in turn, so that half of the orders are exits."""
    pair, is_exit = divmod(number, 2)
    share = desk.shares[pair % len(desk.shares)]
    return OrderRequest(desk.account, share, Side.SELL if is_exit else Side.BUY, quantity=1)


@contextmanager
def _worker() -> Iterator[None]:
    """Run the worker of the one-process mode, once a process; with Redis its queue is there."""
    stopped = threading.Event()
    thread = threading.Thread(target=run_worker, args=(stopped,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(_PATIENCE)
