"""The order window above the freeze quantity: how many orders it takes, and what became of each."""

import pytest
from django.test import Client

from brokers.models import TradingAccount
from market.models import Instrument
from orders.models import Order
from tests.pages.test_order_window import HTMX, URL, complaint, typed


@pytest.fixture
def frozen(share: Instrument) -> Instrument:
    share.freeze_quantity = 4
    share.save(update_fields=["freeze_quantity"])
    return share


class TestAnOrderAboveTheFreezeQuantity:
    def test_is_refused_beside_the_quantity_where_it_takes_more_than_ten(
        self, browser: Client, account: TradingAccount, frozen: Instrument
    ) -> None:
        answer = browser.post(URL, typed(account, frozen, quantity="41"))
        assert "enter at most 40" in complaint(answer.content, "quantity")
        assert not Order.objects.exists()

    def test_is_placed_in_slices(
        self, browser: Client, account: TradingAccount, frozen: Instrument
    ) -> None:
        answer = browser.post(URL, typed(account, frozen), follow=True)
        assert "Placed in 3 orders" in answer.content.decode()
        quantities = Order.objects.order_by("pk").values_list("quantity", flat=True)
        assert list(quantities) == [4, 4, 2]

    def test_shows_each_slice_in_the_floating_window_and_after_its_refresh(
        self, browser: Client, account: TradingAccount, frozen: Instrument
    ) -> None:
        answer = browser.post(URL, typed(account, frozen), headers=HTMX)
        assert answer.content.count(b" more:") == 2
        first = Order.objects.order_by("pk")[0]
        again = browser.get(f"/orders/{first.pk}/placed/", headers=HTMX)
        assert again.content.count(b" more:") == 2

    def test_of_a_contract_says_beside_its_lots_how_many_orders(
        self, browser: Client, account: TradingAccount, frozen: Instrument
    ) -> None:
        Instrument.objects.update(lot_size=2)
        answer = browser.post("/orders/new/preview/", typed(account, frozen), headers=HTMX)
        assert "5 lots of 2, in 3 orders" in answer.content.decode()
