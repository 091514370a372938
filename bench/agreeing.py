"""Reconcile one account that has many orders at its broker, over the broker's own wire."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import requests
from django.db import connection
from django.utils import timezone

from bench.figures import Figures, figure
from bench.survival.desk import Desk
from bench.survival.load import on_tick
from brokers.models import TradingAccount
from brokers.registry import gateway_for
from orders.services.reconciling import reconcile_account

ORDERS = 500
ROUNDS = 5
_LONGEST = 3
_BETWEEN = 2.0  # the broker's books may be read once a second
_RESTING, _CROSSED = Decimal("0.97"), Decimal("0.96")


class NotAgreed(Exception):
    """The account did not agree: then its time means nothing."""


@dataclass(frozen=True, slots=True)
class Agreeing:
    steady: float = field(
        metadata=figure("nothing new", "s", f"median of {ROUNDS}", at_most=_LONGEST)
    )
    steady_statements: float = field(metadata=figure("statements", "", "of one of these"))
    bare: float = field(metadata=figure("bare reading", "s", "the five reports by the SDK alone"))
    ratio: float = field(metadata=figure("nothing new ÷ bare", "×", "what comparing costs"))
    fills: float = field(
        metadata=figure("half of them filled", "s", "250 fills booked", at_most=_LONGEST)
    )
    fills_statements: float = field(metadata=figure("statements", "", "of that one"))
    adopted: float = field(
        metadata=figure("all of them new", "s", "500 adopted, 250 of them with a fill to book")
    )
    adopted_statements: float = field(metadata=figure("statements", "", "of that one"))


def measure(desk: Desk, simulator: str, folder: Path) -> dict[str, Figures]:
    """Take the desk's last account; its orders are placed as in the broker's own app."""
    account = desk.accounts[-1]
    _place(desk, account, simulator)
    _trade(desk, simulator, at=Decimal(1))
    adopted = _timed(account)
    steady = [_timed(account) for _ in range(ROUNDS)]
    bare = median(_bare(account) for _ in range(ROUNDS))
    _trade(desk, simulator, at=_CROSSED)
    filled = _timed(account)
    quiet = median(seconds for seconds, _ in steady)
    figures = Agreeing(
        steady=quiet,
        steady_statements=median(count for _, count in steady),
        bare=bare,
        ratio=quiet / bare,
        fills=filled[0],
        fills_statements=filled[1],
        adopted=adopted[0],
        adopted_statements=adopted[1],
    )
    return {f"Reconciling an account with {ORDERS} orders": figures}


def _timed(account: TradingAccount) -> tuple[float, int]:
    """:raises NotAgreed: when it does not agree with its broker after it."""
    time.sleep(_BETWEEN)
    account.refresh_from_db()
    with counted() as count:
        begun = perf_counter()
        found = reconcile_account(account, clock=timezone.now)
        seconds = perf_counter() - begun
    if not found.agrees:
        raise NotAgreed(f"{account.name}: {found}")
    return seconds, count()


def _bare(account: TradingAccount) -> float:
    time.sleep(_BETWEEN)
    gateway = gateway_for(account, clock=timezone.now)
    begun = perf_counter()
    for read in (gateway.orders, gateway.trades, gateway.positions, gateway.holdings):
        read()
    gateway.funds()
    return perf_counter() - begun


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """Count the statements of this connection, and keep none of them."""
    counts = [0]

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        counts[0] += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        yield lambda: counts[0]


def _place(desk: Desk, account: TradingAccount, simulator: str) -> None:
    """Half of the orders cross the market at once, half rest below it."""
    session = requests.Session()
    for number in range(ORDERS):
        listed = desk.shares[number % len(desk.shares)].listed
        is_resting = number // len(desk.shares) % 2
        price = listed.start_price * (_RESTING if is_resting else Decimal("1.01"))
        order = {
            "client": account.connection.client_code or account.name,
            "token": listed.token,
            "side": "BUY",
            "quantity": 1,
            "order_type": "LIMIT",
            "product": "MIS",
            "price": str(on_tick(price, listed)),
        }
        session.post(f"{simulator}/_sim/orders", json=order, timeout=10).raise_for_status()


def _trade(desk: Desk, simulator: str, *, at: Decimal) -> None:
    """Let every share trade at that part of its first price."""
    time.sleep(1.0)
    for share in desk.shares:
        price = on_tick(share.listed.start_price * at, share.listed)
        tick = {"token": share.listed.token, "price": str(price), "volume": 1_000_000}
        requests.post(f"{simulator}/_sim/tick", json=tick, timeout=10).raise_for_status()
