"""What the pages say of positions that the broker tells otherwise."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from orders.models import Order
from tests.orders.desk import Desk
from tests.orders.live_desk import make_live_desk, moved, reconcile, saying

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(settings: Settings) -> Desk:
    desk = make_live_desk(settings)
    desk.buy(10)
    reconcile(desk)
    return desk


def read(desk: Desk, path: str) -> str:
    client = Client()
    client.force_login(desk.user)
    return client.get(path).content.decode()


class TestThePositionsPage:
    def test_says_nothing_where_both_sides_agree(self, desk: Desk) -> None:
        assert "Differences with the broker" not in read(desk, reverse("portfolio:positions"))

    def test_shows_an_open_difference_and_what_it_waits_for(self, desk: Desk) -> None:
        with saying(moved(desk, 7)):
            reconcile(desk)
        page = read(desk, reverse("portfolio:positions"))
        assert "Differences with the broker" in page
        assert "Waiting for a second reading" in page


class TestAnAdjustment:
    def test_is_named_so_among_the_orders_and_the_trades(self, desk: Desk) -> None:
        with saying(moved(desk, 7)):
            reconcile(desk)
            reconcile(desk, after=30)
        assert "Adjusted to what the broker holds" in read(desk, reverse("orders:list"))
        assert "Adjustment" in read(desk, reverse("orders:trades"))

    def test_explains_itself_on_its_page(self, desk: Desk) -> None:
        with saying(moved(desk, 7)):
            reconcile(desk)
            reconcile(desk, after=30)
        page = read(desk, Order.objects.get(source="ADJUSTMENT").get_absolute_url())
        assert "not an order" in page
        assert "10 here, 7 at the broker" in page
