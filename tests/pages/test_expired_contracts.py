"""The page of expired contracts: what waits for a person, and what they say of it."""

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from orders.models import Order, OrderSource
from orders.services.expiring import settle_expired
from portfolio.models import ExpirySettlement, SettlementState
from tests.orders.desk import Desk, make_desk
from tests.orders.expiries import LAST_EVENING, READ, holding, make_contract
from tests.pages.desks import client_of, client_with_role

pytestmark = pytest.mark.django_db
PAGE = reverse("orders:expired")


@pytest.fixture
def desk() -> Desk:
    desk = holding(make_desk(), make_contract(), 65)
    settle_expired(now=desk.now)
    return desk


@pytest.fixture
def delivery() -> Desk:
    contract = make_contract(underlying="RELIANCE", strike="2400", lot=500)
    desk = holding(make_desk(), contract, 500, price="50.00")
    settle_expired(now=desk.now)
    enter(client_of(desk), "2500")
    return desk


def the_row() -> ExpirySettlement:
    return ExpirySettlement.objects.get()


def enter(client: Client, price: str, **fields: str) -> str:
    address = reverse("orders:final_price", args=[the_row().pk])
    form = {"price": price, "evidence": READ, **fields}
    return client.post(address, form, follow=True).content.decode()


class TestAViewer:
    def test_sees_what_waits_without_a_way_to_change_it(self, desk: Desk) -> None:
        client = client_with_role(desk.account.workspace, Role.VIEWER)
        page = client.get(PAGE).content.decode()
        assert "Awaiting the final price" in page
        assert "Enter price" not in page


class TestTheFinalPrice:
    def test_is_asked_for_on_the_positions_page(self, desk: Desk) -> None:
        with time_machine.travel(LAST_EVENING, tick=False):
            page = client_of(desk).get(reverse("portfolio:positions")).content.decode()
        assert "Expired: NIFTY2662325900CE." in page

    def test_names_what_it_settles(self, desk: Desk) -> None:
        address = reverse("orders:final_price", args=[the_row().pk])
        page = client_of(desk).get(address).content.decode()
        assert "NIFTY2662325900CE" in page
        assert "At what did NIFTY end on 23 Jun 2026?" in page

    def test_settles(self, desk: Desk) -> None:
        assert "1 settled." in enter(client_of(desk), "26,012.35")
        assert the_row().state == SettlementState.SETTLED

    def test_far_off_is_not_taken_until_confirmed(self, desk: Desk) -> None:
        client = client_of(desk)
        assert "is far from 25,900.00" in enter(client, "260")
        assert the_row().state == SettlementState.AWAITING_PRICE
        enter(client, "260", is_sure="on")
        assert the_row().state == SettlementState.SETTLED

    def test_without_evidence_is_not_taken(self, desk: Desk) -> None:
        enter(client_of(desk), "26012.35", evidence="")
        assert the_row().state == SettlementState.AWAITING_PRICE

    def test_entered_before_is_said_to_be_known(self, desk: Desk) -> None:
        client = client_of(desk)
        enter(client, "26012.35")
        assert "nothing waits for it" in enter(client, "26100")


class TestADelivery:
    def test_is_confirmed_with_where_it_was_seen(self, delivery: Desk) -> None:
        client = client_of(delivery)
        assert "Take 500 RELIANCE" in client.get(PAGE).content.decode()
        address = reverse("orders:delivery", args=[the_row().pk])
        client.post(address, {"evidence": "demat statement"})
        assert the_row().state == SettlementState.DELIVERED
        assert "demat statement" in client.get(PAGE).content.decode()


def test_a_settlement_explains_itself_on_its_page_and_among_the_trades(desk: Desk) -> None:
    client = client_of(desk)
    enter(client, "26012.35")
    order = Order.objects.get(source=OrderSource.EXPIRY)
    assert "the exchange settled it" in client.get(order.get_absolute_url()).content.decode()
    assert "Expiry" in client.get(reverse("orders:trades")).content.decode()
