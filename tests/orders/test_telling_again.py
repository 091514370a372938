"""A day's book is told again whole at every reading: what is not new costs and changes nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.gateway import BrokerStatus, OrderReport
from orders.models import EventSource, Order
from orders.services.reporting import apply_updates
from orders.states import OrderStatus
from tests.builders import NOW
from tests.orders.desk import Desk, make_desk

pytestmark = pytest.mark.django_db
_names = (f"desk{number}" for number in count())
KEPT = ("status", "filled_quantity", "quantity", "price", "average_price", "report_sequence")


def told(desk: Desk, *reports: OrderReport) -> int:
    """Tell them in one batch; return the number of statements."""
    source = EventSource.RECONCILE
    with CaptureQueriesContext(connection) as statements:
        apply_updates(desk.account, orders=reports, trades=[], source=source, now=desk.now)
    return len(statements)


def report_of(order: Order, **terms: object) -> OrderReport:
    report = OrderReport(
        broker_order_id=order.broker_order_id,
        tag=order.tag,
        instrument_key=order.instrument.key,
        side=order.side,  # type: ignore[arg-type]
        order_type=order.order_type,  # type: ignore[arg-type]
        product=order.product,  # type: ignore[arg-type]
        validity=order.validity,  # type: ignore[arg-type]
        status=BrokerStatus.OPEN,
        quantity=order.quantity,
        filled_quantity=0,
        updated_at=NOW,
        price=order.price,
        sequence=5,
    )
    return replace(report, **terms)  # type: ignore[arg-type]


def resting(desk: Desk) -> Order:
    return desk.send(desk.place(limit="99.00", quantity=10))


class TestABookToldAgain:
    def test_costs_as_much_for_many_orders_as_for_one(self) -> None:
        desk = make_desk()
        book = [report_of(resting(desk)) for _ in range(12)]
        told(desk, *book)
        assert told(desk, *book) == told(desk, book[0])

    def test_takes_in_the_one_that_is_news(self) -> None:
        desk = make_desk()
        orders = [resting(desk) for _ in range(3)]
        book = [report_of(order) for order in orders]
        told(desk, *book)
        book[1] = replace(book[1], status=BrokerStatus.CANCELLED, sequence=6)
        told(desk, *book)
        states = [Order.objects.get(pk=order.pk).state for order in orders]
        assert states == [OrderStatus.OPEN, OrderStatus.CANCELLED, OrderStatus.OPEN]

    def test_with_a_number_no_database_takes_sets_that_one_aside(self) -> None:
        desk = make_desk()
        order = resting(desk)
        told(desk, report_of(order, broker_order_id="A\x00B", tag=""), report_of(order))
        assert Order.objects.get(pk=order.pk).state is OrderStatus.OPEN

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(
                    [BrokerStatus.OPEN, BrokerStatus.PARTIALLY_FILLED, BrokerStatus.CANCELLED]
                ),
                st.integers(0, 3),
                st.integers(1, 4),
                st.sampled_from(["99.00", "99.05"]),
            ),
            max_size=6,
        )
    )
    def test_ends_as_if_each_report_had_come_alone(
        self, history: Sequence[tuple[BrokerStatus, int, int, str]]
    ) -> None:
        desk = make_desk(next(_names), cash="10000000")
        together, alone = resting(desk), resting(desk)
        for_both = [
            {
                "status": status,
                "filled_quantity": filled,
                "sequence": sequence,
                "price": Decimal(price),
                "updated_at": NOW + timedelta(seconds=sequence),
            }
            for status, filled, sequence, price in history
        ]
        told(desk, *(report_of(together, **terms) for terms in for_both))
        for terms in for_both:
            told(desk, report_of(alone, **terms))
        together.refresh_from_db()
        alone.refresh_from_db()
        assert [getattr(together, name) for name in KEPT] == [getattr(alone, name) for name in KEPT]
