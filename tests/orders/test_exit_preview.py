"""The look before an exit: the orders that it really takes."""

from typing import Any

import pytest
from django.test import Client

from brokers.terms import Side
from market.models import Instrument
from orders.services.exiting import exit_position
from portfolio.models import Position
from tests.orders.desk import Desk, make_desk

pytestmark = pytest.mark.django_db
URL = "/orders/exit/?which=all"


@pytest.fixture
def desk() -> Desk:
    desk = make_desk()
    desk.buy(10)
    return desk


def look(desk: Desk, name: str) -> Any:
    client = Client()
    client.force_login(desk.user)
    return client.get(URL, secure=True).context[name]


class TestThePreview:
    def test_shows_what_is_still_to_exit(self, desk: Desk) -> None:
        desk.place(Side.SELL, 4, limit="110.00")
        assert [each.quantity for each in look(desk, "planned")] == [6]

    def test_leaves_out_what_is_being_exited_already(self, desk: Desk) -> None:
        position = Position.objects.open().get()
        exit_position(position, by=desk.user, now=desk.now, idempotency_key="x")
        assert look(desk, "planned") == []

    def test_counts_the_orders_it_takes(self, desk: Desk) -> None:
        Instrument.objects.update(freeze_quantity=4)
        assert look(desk, "orders") == 3
