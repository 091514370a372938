"""A desk whose account counts as a live one, and a broker that says what a test tells it to.

The broker behind it is the paper one: it takes orders and fills them, so that its books are real;
only what it says of its positions, or leaves out of its lists, is the test's.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from pytest_django import Settings

from brokers.adapters.paper.gateway import open_gateway
from brokers.gateway import PositionReport
from brokers.terms import Product
from orders.services.reconciling import Reconciliation, reconcile_account
from portfolio.models import PositionDifference
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk


def make_live_desk(settings: Settings, username: str = "asha") -> Desk:
    settings.LIVE_TRADING = True
    desk = make_desk(username)
    desk.account.connection.paper_trading = False
    desk.account.connection.save()
    desk.account.live_enabled = True
    desk.account.save()
    return desk


def held(
    desk: Desk,
    quantity: int,
    *,
    key: str = "",
    product: Product = Product.MIS,
    price: str = "99.00",
) -> PositionReport:
    """The broker's word on a position. Without day figures it says nothing of today's trades."""
    return PositionReport(key or desk.instrument.key, product, quantity, Decimal(price))


def broker_positions(desk: Desk) -> list[PositionReport]:
    return list(open_gateway(desk.account, desk.clock).positions())


def moved(desk: Desk, quantity: int, **fields: object) -> list[PositionReport]:
    """What the broker says of its first position, with another quantity and the same trades."""
    first, *rest = broker_positions(desk)
    return [replace(first, quantity=quantity, **fields), *rest]  # type: ignore[arg-type]  # any field


@contextmanager
def saying(positions: Sequence[PositionReport], **answers: object) -> Iterator[None]:
    with answering(positions=positions, **answers):  # type: ignore[arg-type]  # by name
        yield


def reconcile(desk: Desk, *, after: float = 0) -> Reconciliation:
    """Reconcile some seconds later."""
    desk.now += timedelta(seconds=after)
    return reconcile_account(desk.account, clock=desk.clock)


def the_difference() -> PositionDifference:
    return PositionDifference.objects.get()
