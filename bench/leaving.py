"""From an order committed here to the broker having it: by the queue, a worker and the wire."""

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import requests
from django.db import connections, transaction
from django.utils import timezone

from bench.figures import THOUSANDTHS, Figures, figure, percentile
from bench.survival.desk import Desk, DeskShare
from bench.survival.house import House
from bench.survival.load import on_tick
from bench.survival.places import NotUp
from brokers.models import TradingAccount
from brokers.registry import gateway_for
from brokers.terms import OrderType, Product, Side, Validity
from operations.ids import new_order_tag
from orders.models import Order
from orders.requests import OrderRequest
from orders.services.placing import place_order
from orders.services.sending import place_request

RATES = (5, 10, 20)  # a second; the last is what is asked of a house
SECONDS = 20
WARM_UP = 40
BARE = 30
_HANDS = 4
_RESTS_FOR = 10.0
_UP_WITHIN = 60.0
_BELOW = Decimal("0.97")


@dataclass(frozen=True, slots=True)
class Leaving:
    p50: float = field(
        metadata=figure("p50", "ms", "from the commit until the broker has it", at_most=25)
    )
    p99: float = field(metadata=figure("p99", "ms", "the same", at_most=150))
    bare_p50: float = field(
        metadata=figure("bare, p50", "ms", "the same call by itself, the worker's part left out")
    )
    ratio: float = field(metadata=figure("p50 ÷ bare p50", "×", "what queue and claim cost"))
    arrived: float = field(metadata=figure("arrived", "%", "of the orders, each once"))


def measure(desk: Desk, simulator: str, folder: Path) -> dict[str, Figures]:
    """Send from three accounts, which together may send as much; the fourth is left alone."""
    accounts = desk.accounts[:3]
    house = House(folder, 0)
    house.open(only=("orders worker",))
    sent: dict[int, dict[str, float]] = {}
    try:
        _wait_for(_send(desk, accounts, range(WARM_UP), 10), simulator)
        for rate in RATES:
            sent[rate] = _send(desk, accounts, range(rate * SECONDS), rate)
            time.sleep(_RESTS_FOR)
    finally:
        house.close()
    bare = _bare(accounts[0])
    had = _arrivals(simulator)
    alone = percentile(_times(bare, had), 50)
    return {
        f"Commit to broker ({rate} orders a second for {SECONDS} s)": _figures(each, had, alone)
        for rate, each in sent.items()
    }


def _figures(committed: Mapping[str, float], had: Mapping[str, float], alone: float) -> Leaving:
    times = _times(committed, had)
    p50 = percentile(times, 50)
    return Leaving(
        p50=p50,
        p99=percentile(times, 99),
        bare_p50=alone,
        ratio=p50 / alone,
        arrived=100 * len(times) / len(committed),
    )


def _times(begun: Mapping[str, float], had: Mapping[str, float]) -> list[float]:
    return [(had[tag] - at) * THOUSANDTHS for tag, at in begun.items() if tag in had]


def _wait_for(committed: Collection[str], simulator: str) -> None:
    """Begin with an empty queue: orders sent while the worker comes up would be waited for.

    :raises NotUp: when the broker does not have them within a minute.
    """
    ends = time.monotonic() + _UP_WITHIN
    while not set(committed) <= set(_arrivals(simulator)):
        if time.monotonic() > ends:
            raise NotUp("The orders worker did not work off what it was given to warm up")
        time.sleep(0.5)


def _send(
    desk: Desk, accounts: Sequence[TradingAccount], numbers: range, rate: int
) -> dict[str, float]:
    """Place evenly; return when each order, by its tag, was committed."""
    shares = list(desk.shares)
    begun, waiting = time.monotonic(), []
    with ThreadPoolExecutor(_HANDS) as hands:
        for number in numbers:
            time.sleep(max(begun + number / rate - time.monotonic(), 0))
            request = _request(accounts[number % len(accounts)], shares[number % len(shares)])
            waiting.append(hands.submit(_place, desk, request))
    return dict(each.result() for each in waiting)


def _request(account: TradingAccount, share: DeskShare) -> OrderRequest:
    """Ask for one share so far below the market that the order rests."""
    return OrderRequest(
        account=account,
        instrument=share.instrument,
        side=Side.BUY,
        quantity=1,
        order_type=OrderType.LIMIT,
        product=Product.MIS,
        validity=Validity.DAY,
        price=on_tick(share.listed.start_price * _BELOW, share.listed),
    )


def _place(desk: Desk, request: OrderRequest) -> tuple[str, float]:
    committed = []
    try:
        with transaction.atomic():
            # Before the nudge, which is sent on commit as well and belongs to what is measured.
            transaction.on_commit(lambda: committed.append(time.time()))
            order = place_order(
                request, user=desk.user, idempotency_key=str(uuid4()), now=timezone.now()
            )
        return order.tag, committed[0]
    finally:
        connections.close_all()


def _bare(account: TradingAccount) -> dict[str, float]:
    """Call the broker's SDK alone, with what the worker would send."""
    gateway = gateway_for(account, clock=timezone.now)
    sent = place_request(Order.objects.filter(account=account).select_related("instrument")[0])
    begun = {}
    for _ in range(BARE):
        time.sleep(0.2)
        tag = new_order_tag(timezone.now())
        begun[tag] = time.time()
        gateway.place(replace(sent, tag=tag))
    return begun


def _arrivals(simulator: str) -> dict[str, float]:
    clients = requests.get(f"{simulator}/_sim/state", timeout=60).json()["clients"]
    orders = [order for client in clients.values() for order in client["orders"]]
    return {each["tag"]: datetime.fromisoformat(each["placed_at"]).timestamp() for each in orders}
