"""A working order that the broker's book has dropped: told, and the rest goes on."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import Settings

from brokers.gateway import QuoteTick, Unknown
from market.quotes import write_quotes
from notifications.models import AlertLevel, Notification
from orders.models import MissingOrder, Order
from orders.services.settling import settle_unknown
from orders.states import OrderStatus
from tests.builders import make_instrument
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk
from tests.orders.live_desk import make_live_desk, reconcile

pytestmark = pytest.mark.django_db
TITLE = "The broker does not list an order any more"


@pytest.fixture
def desk(settings: Settings) -> Desk:
    desk = make_live_desk(settings)
    desk.send(desk.place(limit="90.00"))
    desk.trade("100.00")
    assert reconcile(desk).agrees
    return desk


def drop(desk: Desk, *, minutes: float) -> bool:
    """Let the book be without the order for so long, read each half minute."""
    complete = False
    with answering(orders=[]):
        for _ in range(int(minutes * 2)):
            complete = reconcile(desk, after=30).is_complete
    return complete


def alerts() -> int:
    return Notification.objects.filter(title__startswith=TITLE).count()


class TestAnOrderThatTheBookHasDropped:
    def test_makes_the_book_incomplete_at_first(self, desk: Desk) -> None:
        assert not drop(desk, minutes=4)
        assert alerts() == 0

    def test_is_told_critically_and_once_after_five_minutes(self, desk: Desk) -> None:
        drop(desk, minutes=12)
        assert alerts() == 1
        assert Notification.objects.latest("created_at").alert_level == AlertLevel.CRITICAL

    def test_is_not_told_after_few_readings_however_long_ago(self, desk: Desk) -> None:
        drop(desk, minutes=0.5)
        desk.now += timedelta(hours=1)
        drop(desk, minutes=0.5)
        assert alerts() == 0

    def test_does_not_hold_up_the_rest_of_the_account(self, desk: Desk) -> None:
        assert drop(desk, minutes=6)
        desk.account.refresh_from_db()
        assert desk.account.reconciled_at == desk.now

    def test_stops_entries_in_its_instrument_alone(self, desk: Desk) -> None:
        drop(desk, minutes=6)
        write_quotes([QuoteTick(desk.instrument.key, Decimal(100), desk.now, 1000)])
        assert "may or may not be live" in desk.place().error_message
        desk.instrument = make_instrument("NSE:TCS")
        write_quotes([QuoteTick("NSE:TCS", Decimal(100), desk.now, 1000)])
        assert desk.place().state is OrderStatus.PENDING

    def test_stays_what_it_was(self, desk: Desk) -> None:
        drop(desk, minutes=12)
        assert Order.objects.get().state is OrderStatus.OPEN

    def test_says_so_on_its_page(self, desk: Desk) -> None:
        drop(desk, minutes=6)
        client = Client()
        client.force_login(desk.user)
        page = client.get(Order.objects.get().get_absolute_url()).content.decode()
        assert "Not in the broker’s book since" in page

    def test_that_is_listed_again_counts_as_any_other(self, desk: Desk) -> None:
        drop(desk, minutes=6)
        assert reconcile(desk, after=30).agrees
        assert not MissingOrder.objects.exists()
        write_quotes([QuoteTick(desk.instrument.key, Decimal(100), desk.now, 1000)])
        assert desk.place().state is OrderStatus.PENDING

    def test_does_not_keep_another_order_unknown(self, desk: Desk) -> None:
        drop(desk, minutes=6)
        write_quotes([QuoteTick("NSE:TCS", Decimal(100), desk.now, 1000)])
        desk.instrument = make_instrument("NSE:TCS")
        with answering(place=Unknown("read timed out")):
            order = desk.send(desk.place())
        with answering(orders=[]):
            for _ in range(3):
                desk.now += timedelta(seconds=301)
                settle_unknown(order.pk, clock=desk.clock)
        order.refresh_from_db()
        assert order.state is OrderStatus.REJECTED
