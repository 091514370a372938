"""The order window and the change of an order offer what the account's broker takes, no more."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.models import BrokerConnection
from brokers.terms import OrderType, Product, Side, Validity
from market.models import Instrument
from orders.models import ModificationType, Order, OrderModification
from orders.requests import OrderRequest
from orders.services.modifying import OrderChanges, OrderInvalid, modify_order
from orders.services.placing import place_order
from orders.ticket import Ticket
from tests.orders.desk import Desk
from tests.pages.desks import client_of

URL = "/orders/new/"


def move_to(desk: Desk, broker: str) -> None:
    """Pretend that the desk's account is at another broker."""
    BrokerConnection.objects.filter(pk=desk.account.connection_id).update(
        broker_type=broker, paper_trading=False
    )
    desk.account.connection.refresh_from_db()


def window(desk: Desk, **asked: str) -> str:
    query = {"instrument": desk.instrument.key, **asked}
    return client_of(desk).get(URL, query).content.decode()


def offered(page: str, name: str) -> set[str]:
    return set(re.findall(rf'name="{name}"[^>]* value="([^"]+)"', page))


class TestOrderWindow:
    def test_offers_everything_at_the_paper_broker(self, desk: Desk) -> None:
        page = window(desk)
        assert offered(page, "order_type") == set(OrderType.values)
        assert "IOC" in page

    def test_leaves_out_what_the_broker_does_not_take(self, desk: Desk) -> None:
        move_to(desk, "angel")
        page = window(desk)
        assert offered(page, "order_type") == {"MARKET", "LIMIT", "SL"}
        assert 'value="IOC"' not in page

    def test_refuses_it_in_words_when_it_is_sent_all_the_same(self, desk: Desk) -> None:
        move_to(desk, "angel")
        sent = {
            "instrument": desk.instrument.key, "account": str(desk.account.pk), "side": "BUY",
            "product": "MIS", "order_type": "LIMIT", "validity": "IOC", "quantity": "1",
            "price": "100.00", "idempotency_key": "0b0a62d5-6b39-4dc7-9a0b-6ef7b6a4c5a7",
        }  # fmt: skip
        page = client_of(desk).post(URL, sent)
        assert "is not offered here" in page.content.decode()
        assert not Order.objects.exists()

    def test_opens_with_a_product_that_the_broker_has(self, desk: Desk) -> None:
        move_to(desk, "alpaca")
        Instrument.objects.update(segment="US_EQ", currency="USD")
        page = window(desk)
        assert offered(page, "product") == {Product.CNC}
        assert re.search(r'value="CNC" checked', page)
        assert "this broker sets no limit to the price" in page
        assert "disclosed_quantity" not in offered(page, "disclosed_quantity")
        assert 'id="order_disclosed_quantity"' not in page

    def test_says_that_a_market_order_is_protected(self, desk: Desk) -> None:
        move_to(desk, "kite")
        assert "At the market, protected" in window(desk)

    def test_keeps_what_was_typed_when_the_account_changes(self, desk: Desk) -> None:
        key = "0b0a62d5-6b39-4dc7-9a0b-6ef7b6a4c5a7"
        asked = {"order_type": "SL", "price": "101.50", "idempotency_key": key}
        page = client_of(desk).get(URL, {"instrument": desk.instrument.key, **asked})
        ticket: Ticket = page.context["ticket"]
        assert ticket.form["order_type"].value() == "SL"
        assert ticket.form["price"].value() == "101.50"
        assert str(ticket.form["idempotency_key"].value()) == key

    def test_takes_no_key_that_is_none(self, desk: Desk) -> None:
        page = client_of(desk).get(
            URL, {"instrument": desk.instrument.key, "idempotency_key": "mine"}
        )
        assert str(page.context["ticket"].form["idempotency_key"].value()) != "mine"


class TestChangesOfAnOrder:
    @pytest.fixture
    def resting(self, desk: Desk) -> Order:
        request = OrderRequest(
            account=desk.account,
            instrument=desk.instrument,
            side=Side.BUY,
            quantity=10,
            order_type=OrderType.LIMIT,
            product=Product.CNC,
            validity=Validity.DAY,
            price=Decimal(90),
        )
        order = place_order(request, user=desk.user, idempotency_key="rest", now=desk.now)
        return desk.send(order)

    def change_often(self, order: Order, desk: Desk, times: int) -> None:
        for number in range(times):
            for kind in (ModificationType.QUANTITY, ModificationType.PRICE):
                OrderModification.objects.create(
                    order=order,
                    modification_type=kind,
                    old_value="1",
                    new_value="2",
                    requested_by=desk.user,
                    requested_at=desk.now - timedelta(minutes=number + 1),
                )

    def test_beyond_what_the_broker_takes_are_refused_in_words(
        self, desk: Desk, resting: Order
    ) -> None:
        self.change_often(resting, desk, 25)
        move_to(desk, "kite")
        order = Order.objects.get(pk=resting.pk)
        with pytest.raises(OrderInvalid, match="25 changes of one order"):
            modify_order(order, changes=OrderChanges(quantity=11), by=desk.user, now=desk.now)

    def test_are_counted_each_once(self, desk: Desk, resting: Order) -> None:
        self.change_often(resting, desk, 24)
        move_to(desk, "kite")
        order = Order.objects.get(pk=resting.pk)
        with pytest.raises(OrderInvalid) as refused:
            modify_order(order, changes=OrderChanges(quantity=11), by=desk.user, now=desk.now)
        assert "changes of one order" not in str(refused.value)

    def test_have_no_limit_at_the_paper_broker(self, desk: Desk, resting: Order) -> None:
        self.change_often(resting, desk, 40)
        modify_order(resting, changes=OrderChanges(quantity=11), by=desk.user, now=desk.now)
