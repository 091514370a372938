"""One order in very many fills, from the broker's wire to the books: stream first, then reading.

The order is one of the broker's own app. The stream tells how it grows; the fills themselves are
in the trade book alone, which the broker's own library reads.
"""

import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import requests
from django.utils import timezone

from bench.agreeing import NotAgreed, counted
from bench.figures import Figures, figure
from bench.survival.comparing import client_of
from bench.survival.desk import Desk, DeskShare
from bench.survival.stands import STANDS
from brokers.models import StreamConnection, StreamMessage, StreamStatus, TradingAccount
from brokers.streaming.protocol import StreamKind
from orders.models import Order, Trade
from orders.services.reconciling import reconcile_account
from trading_site.stream_runner import run_broker_streams

FILLS = 100_000
_PATIENCE = 600.0
_MEGABYTE = 1024  # ru_maxrss counts kilobytes


@dataclass(frozen=True, slots=True)
class Fills:
    made: float = field(metadata=figure("made", "s", "by the simulator: fills, rows and frames"))
    known: float = field(
        metadata=figure("known by the stream", "s", "from the first fill until the order is FILLED")
    )
    frames: float = field(
        metadata=figure("frames", "", "that the stream wrote down; a gap is closed by reading")
    )
    booked: float = field(
        metadata=figure(
            "read and booked", "s", "every fill with its charges, in one reconciliation"
        )
    )
    a_second: float = field(metadata=figure("booked", "fills/s", "the same"))
    statements: float = field(metadata=figure("statements", "", "of that one"))
    again: float = field(metadata=figure("nothing new", "s", "the reconciliation after it"))
    memory: float = field(metadata=figure("memory", "MB", "the most that this process has had"))


def measure(desk: Desk, simulator: str, folder: Path) -> dict[str, Figures]:
    """Take the desk's last account.

    :raises NotAgreed: when it does not agree with its broker afterwards, to the last fill.
    """
    account, share = desk.accounts[-1], desk.shares[-1]
    order_id = _place(account, share, simulator)
    with _streams(account):
        begun = perf_counter()
        _tick(share, simulator)
        made = perf_counter() - begun
        _wait(
            lambda: Order.objects.filter(broker_order_id=order_id, filled_quantity=FILLS).exists()
        )
        known = perf_counter() - begun
        _wait(_is_worked_off)
    booked, statements = _timed(account)
    again, _ = _timed(account)
    order = Order.objects.get(broker_order_id=order_id)
    count = Trade.objects.filter(order=order).count()
    if (count, order.traded_quantity) != (FILLS, FILLS):
        raise NotAgreed(f"{count} fills of {FILLS}, {order.traded_quantity} booked")
    figures = Fills(
        made=made,
        known=known,
        frames=StreamMessage.objects.filter(broker_order_id=order_id).count(),
        booked=booked,
        a_second=FILLS / booked,
        statements=statements,
        again=again,
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE,
    )
    return {f"One order in {FILLS:,} fills ({account.connection.broker_type})": figures}


def _place(account: TradingAccount, share: DeskShare, simulator: str) -> str:
    """Let the broker's app buy so many at the market; it trades one by one at the next tick."""
    state = requests.get(f"{simulator}/_sim/state", timeout=60).json()["clients"]
    client, price = client_of(account, state), share.listed.start_price
    paid = {"client": client, "amount": str(price * FILLS)}
    requests.post(f"{simulator}/_sim/cash", json=paid, timeout=10).raise_for_status()
    fault = {"name": "many_fills", "match": "place", "amount": FILLS}
    requests.post(f"{simulator}/_sim/faults", json=fault, timeout=10).raise_for_status()
    order = {
        "client": client,
        "token": share.listed.token,
        "side": "BUY",
        "quantity": FILLS,
        "order_type": "LIMIT",
        "product": STANDS[account.connection.broker_type].product.value,
        "price": str(price),
    }
    answer = requests.post(f"{simulator}/_sim/orders", json=order, timeout=10)
    answer.raise_for_status()
    if "order_id" not in answer.json():
        raise NotAgreed(f"The simulator took no such order: {answer.text}")
    time.sleep(1.0)
    return str(answer.json()["order_id"])


def _tick(share: DeskShare, simulator: str) -> None:
    tick = {
        "token": share.listed.token,
        "price": str(share.listed.start_price),
        "volume": 10 * FILLS,
    }
    requests.post(f"{simulator}/_sim/tick", json=tick, timeout=_PATIENCE).raise_for_status()


@contextmanager
def _streams(account: TradingAccount) -> Iterator[None]:
    """Run the house's streams until left, once the account's orders are listened to."""
    stopped = threading.Event()
    thread = threading.Thread(target=run_broker_streams, args=(stopped,), daemon=True)
    thread.start()
    mine = StreamConnection.objects.filter(
        connection=account.connection,
        subscribed_events__0=StreamKind.ORDERS.value,
        status=StreamStatus.CONNECTED,
    )
    try:
        _wait(mine.exists)
        yield
    finally:
        stopped.set()
        thread.join(_PATIENCE)


def _is_worked_off() -> bool:
    time.sleep(2.0)
    return not StreamMessage.objects.filter(processing_status="RECEIVED").exists()


def _wait(is_so: Callable[[], bool]) -> None:
    """:raises NotAgreed: when it does not come about in ten minutes."""
    ends = perf_counter() + _PATIENCE
    while not is_so():
        if perf_counter() > ends:
            raise NotAgreed("The fills did not come in")
        time.sleep(0.2)


def _timed(account: TradingAccount) -> tuple[float, int]:
    account.refresh_from_db()
    with counted() as count:
        begun = perf_counter()
        found = reconcile_account(account, clock=timezone.now)
        seconds = perf_counter() - begun
    if not found.agrees:
        raise NotAgreed(f"{account.name}: {found}")
    return seconds, count()
