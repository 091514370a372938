"""The trial from beginning to end: set up, trade and kill, come to rest, compare, tell."""

import argparse
import os
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import requests
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from bench.survival.comparing import WAITING, Check, compare
from bench.survival.desk import Desk, open_desk
from bench.survival.house import House, kill_at_random
from bench.survival.load import Asked, Prices, Trader
from bench.survival.places import simulator, wait_for
from bench.survival.stands import STANDS
from operations.models import ErrorLog
from orders.models import Order
from orders.services.reconciling import reconcile_account
from orders.states import OrderStatus

# An order that never arrived is given up after five minutes, and its worker's lease before.
_REST_WITHIN = 480.0
_SHOWN = 10
_ANSWERS_AFTER = 0.25


def tell(arguments: argparse.Namespace) -> bool:
    """Run the trial; return whether nothing differs."""
    with tempfile.TemporaryDirectory(prefix="pinnacle-survival-") as given:
        folder = arguments.logs or Path(given)
        folder.mkdir(parents=True, exist_ok=True)
        settings.MEDIA_ROOT = Path(given) / "files"
        call_command("migrate", verbosity=0)
        with simulator(arguments.broker, folder) as address:
            return _trial(arguments, folder, address)


def _trial(arguments: argparse.Namespace, folder: Path, address: str) -> bool:
    stand = STANDS[arguments.broker]
    desk = open_desk(arguments.broker, stand, address)
    shares = [share.listed for share in desk.shares]
    prices = Prices(address, shares, seed=arguments.seed)
    house = House(folder, int(os.environ["WEB_PORT"]))
    web = f"http://127.0.0.1:{house.web_port}"
    # As slow as brokers are: a kill then meets orders that have arrived and are not answered.
    slow = {"name": "delay", "match": stand.placing, "seconds": _ANSWERS_AFTER}
    requests.post(f"{address}/_sim/faults", json=slow, timeout=10).raise_for_status()
    trader = Trader(desk, stand, web, prices, shares, arguments.seed)
    house.open()
    try:
        wait_for(f"{web}/healthz/", "The web")
        _trade_and_kill(arguments, house, trader, prices)
        rested = _come_to_rest()
        reconciled = list(_reconcile(desk))
        checks = [*compare(desk, trader.asked, address), *reconciled, _books()]
    finally:
        house.close()
    _print(arguments, house, trader.asked, rested)
    return _print_checks(checks)


def _trade_and_kill(
    arguments: argparse.Namespace, house: House, trader: Trader, prices: Prices
) -> None:
    moved, killed = threading.Event(), threading.Event()
    killing = {"seed": arguments.seed, "mean_pause": arguments.pause, "stopped": killed}
    helpers = [
        threading.Thread(target=prices.run, args=(moved,), name="prices"),
        threading.Thread(target=kill_at_random, args=(house,), kwargs=killing, name="killer"),
    ]
    for each in helpers:
        each.start()
    try:
        rate = arguments.rate or trader.stand.rate
        trader.run(rate=rate, seconds=arguments.minutes * 60)
    finally:
        killed.set()
        helpers[1].join()
        moved.set()
        helpers[0].join()


def _come_to_rest() -> float:
    """Leave it to the house's own jobs; return after how many seconds nothing waited any more."""
    begun, quiet = time.monotonic(), 0
    while quiet < 2 and time.monotonic() - begun < _REST_WITHIN:
        time.sleep(5.0)
        is_waiting = Order.objects.filter(status__in=WAITING).exists()
        quiet = 0 if is_waiting else quiet + 1
        connections.close_all()
    return time.monotonic() - begun


def _reconcile(desk: Desk) -> Iterator[Check]:
    """Compare each account as the house does, and hear from it that all is well."""
    for account in desk.accounts:
        for _ in range(3):
            account.refresh_from_db()
            found = reconcile_account(account, clock=timezone.now)
            if found.agrees:
                break
            time.sleep(3.0)
        wrong = () if found.agrees else (f"{account.name}: {found}",)
        yield Check(f"{account.name} agrees with its broker", 1, wrong)


def _books() -> Check:
    """Derive the books anew from the trades: a killed worker must not have booked half a fill."""
    try:
        call_command("rebuild_books", verbosity=0, stdout=sys.stderr)
    except CommandError as error:
        return Check("the books are what the trades make them", 1, (str(error),))
    return Check("the books are what the trades make them", 1, ())


def _print(arguments: argparse.Namespace, house: House, asked: Asked, rested: float) -> None:
    here = Counter(Order.objects.values_list("status", flat=True))
    lost = Order.objects.filter(events__to_status=OrderStatus.UNKNOWN).distinct().count()
    errors = Counter(ErrorLog.objects.values_list("error_type", flat=True))
    print(f"\n{arguments.broker}, {arguments.minutes:g} minutes, seed {arguments.seed}")
    rows = {
        "killed": house.kills,
        "ended by itself": house.endings(),
        "orders asked for": {"orders": len(asked.keys), "answered": len(asked.answered)},
        "sent within": {"s": round(asked.seconds)},
        "presses of Send": asked.presses,
        "cancels asked for": {"cancels": asked.cancels},
        "orders here": here,
        "denied because": _reasons(),
        "were UNKNOWN for a while": {"orders": lost},
        "errors written down": errors,
        "at rest after": {"s": round(rested)},
    }
    for name, counts in rows.items():
        told = ", ".join(f"{count} {words}" for words, count in counts.items()) or "none"
        print(f"| {name} | {told} |")


def _reasons() -> dict[str, int]:
    """Count the reasons of refusals here, the commonest first, their figures left out."""
    denied = Order.objects.filter(status=OrderStatus.DENIED)
    words = denied.values_list("error_message", flat=True)
    return dict(Counter(re.sub(r"[\d,.]+", "…", each)[:120] for each in words).most_common(8))


def _print_checks(checks: Sequence[Check]) -> bool:
    print("\n| What must hold | Looked at | Differing |\n|---|---:|---:|")
    for check in checks:
        print(f"| {check.name} | {check.looked_at} | {len(check.differing)} |")
    for check in checks:
        for words in check.differing[:_SHOWN]:
            print(f"DIFFERS: {check.name}: {words}")
    return not any(check.differing for check in checks)
