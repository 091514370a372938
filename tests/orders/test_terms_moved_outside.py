"""Terms that somebody moved in the broker's own app are taken over, each for itself."""

from dataclasses import replace
from decimal import Decimal

import pytest

from brokers.terms import Side
from orders.models import Order
from tests.orders.desk import Desk, make_desk
from tests.orders.test_lying_brokers import report_of, told

pytestmark = pytest.mark.django_db


def stop(desk: Desk, *, limit: str | None = None) -> Order:
    desk.buy(10)
    order = desk.send(desk.place(Side.SELL, 10, limit=limit, trigger="90.00"))
    desk.trade("100.00")
    return order


def report(desk: Desk, order: Order, *, price: str | None, trigger: str | None) -> Order:
    known = report_of(desk, order)
    moved = replace(
        known,
        price=Decimal(price) if price else None,
        trigger_price=Decimal(trigger) if trigger else None,
        sequence=known.sequence + 1,
    )
    told(desk, orders=[moved])
    order.refresh_from_db()
    return order


class TestATriggerMovedOutside:
    def test_of_a_stop_at_the_market_is_taken_over(self) -> None:
        desk = make_desk()
        order = report(desk, stop(desk), price=None, trigger="92.00")
        assert (order.price, order.trigger_price) == (None, Decimal("92.00"))

    def test_of_a_stop_with_a_limit_leaves_a_limit_that_is_not_told(self) -> None:
        desk = make_desk()
        order = report(desk, stop(desk, limit="89.00"), price=None, trigger="92.00")
        assert (order.price, order.trigger_price) == (Decimal("89.00"), Decimal("92.00"))


class TestAReportWithoutATrigger:
    def test_does_not_wipe_ours(self) -> None:
        desk = make_desk()
        order = report(desk, stop(desk), price=None, trigger=None)
        assert order.trigger_price == Decimal("90.00")

    def test_is_believed_of_the_price(self) -> None:
        desk = make_desk()
        order = report(desk, stop(desk, limit="89.00"), price="88.00", trigger=None)
        assert (order.price, order.trigger_price) == (Decimal("88.00"), Decimal("90.00"))
