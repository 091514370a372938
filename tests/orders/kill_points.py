"""Kill a worker with SIGKILL before and after every SQL statement of an order's way, then recover.

Run as a program on a database of its own (``DATABASE_URL``); prints one JSON line per kill. A
child process does the work and dies; the parent then does what a restarted house does.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal

import django
from django.core.management import call_command
from django.db import connection

django.setup()

from brokers.adapters.paper.exchange import advance, match  # noqa: E402
from brokers.adapters.paper.gateway import open_gateway  # noqa: E402
from brokers.gateway import QuoteTick  # noqa: E402
from orders.models import EventSource, Order, Trade  # noqa: E402
from orders.services.commanding import advance_order  # noqa: E402
from orders.services.reconciling import reconcile_account  # noqa: E402
from orders.services.reporting import apply_updates  # noqa: E402
from orders.services.sending import find_lost_sends  # noqa: E402
from tests.orders.desk import Desk, make_desk, settle_unknown_orders, sweep_waiting  # noqa: E402

Work = Callable[[Desk, Order], None]
MOST_STATEMENTS = 400


@dataclass(frozen=True)
class Result:
    """What a kill led to. ``at_broker`` counts the orders there that carry our tag."""

    work: str
    moment: str
    statement: int
    killed: bool
    at_broker: int
    status: str
    filled_here: int
    filled_at_broker: int
    position_here: int
    agrees: bool


class Killer:
    """Counts SQL statements and kills its own process at one of them."""

    def __init__(self, statement: int, moment: str) -> None:
        self._left, self._moment = statement, moment

    def __call__(self, execute, sql, params, many, context):
        self._left -= 1
        if self._left == 0 and self._moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = execute(sql, params, many, context)
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def send(desk: Desk, order: Order) -> None:
    advance_order(order.pk, clock=desk.clock)


def hear_of_fills(desk: Desk, order: Order) -> None:
    desk.now += timedelta(seconds=2)
    for update in [*advance(at=desk.now), *match(_ticks(desk), at=desk.now)]:
        apply_updates(
            desk.account,
            orders=update.orders,
            trades=update.trades,
            source=EventSource.WEBSOCKET,
            now=desk.now,
        )


def _ticks(desk: Desk) -> list[QuoteTick]:
    return [QuoteTick(desk.instrument.key, Decimal("100.00"), desk.now, 100_000)]


def recover(desk: Desk) -> None:
    """What beat does after a restart, until nothing is left open in silence."""
    sweep_waiting(desk.clock)
    desk.now += timedelta(seconds=61)
    find_lost_sends(now=desk.now)
    for _ in range(4):
        desk.now += timedelta(seconds=150)
        settle_unknown_orders(desk.clock)
    desk.trade("100.00")
    desk.trade("100.00")
    reconcile_account(desk.account, clock=desk.clock)


def kill_everywhere(name: str, work: Work, prepare: Work) -> Iterator[Result]:
    for moment in ("before", "after"):
        for statement in range(1, MOST_STATEMENTS):
            # A desk and a share of its own, so that every kill happens at the same time of day.
            who = f"{name.split()[0]}-{moment}-{statement}"
            desk = make_desk(who, key=f"NSE:{who.upper()}")
            order = desk.place(quantity=1)
            prepare(desk, order)
            killed = _die_working(desk, order, work, Killer(statement, moment))
            recover(desk)
            yield _look(desk, order, (name, moment, statement, killed))
            if not killed:
                break


def _die_working(desk: Desk, order: Order, work: Work, killer: Killer) -> bool:
    connection.close()
    child = os.fork()
    if child == 0:
        with connection.execute_wrapper(killer):
            work(desk, order)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"the worker failed by itself: {status}")
    return os.WIFSIGNALED(status)


def _look(desk: Desk, order: Order, kill: tuple[str, str, int, bool]) -> Result:
    order.refresh_from_db()
    gateway = open_gateway(desk.account, desk.clock)
    mine = [report for report in gateway.orders() if report.tag == order.tag]
    reconciled = reconcile_account(desk.account, clock=desk.clock)
    return Result(
        *kill,
        at_broker=len(mine),
        status=order.status,
        filled_here=sum(Trade.objects.filter(order=order).values_list("quantity", flat=True)),
        filled_at_broker=sum(report.filled_quantity for report in mine),
        position_here=sum(desk.account.positions.open().values_list("quantity", flat=True)),
        agrees=reconciled.agrees,
    )


def nothing(desk: Desk, order: Order) -> None:
    """The order is taken as it was placed."""


def main() -> None:
    call_command("migrate", verbosity=0)
    ways: tuple[tuple[str, Work, Work], ...] = (
        ("send", send, nothing),
        ("hear of fills", hear_of_fills, send),
    )
    for way in ways:
        for result in kill_everywhere(*way):
            print(json.dumps(asdict(result)), flush=True)


if __name__ == "__main__":
    main()
