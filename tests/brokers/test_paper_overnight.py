"""Delivery shares held overnight: the broker and the house still agree the next morning."""

from datetime import timedelta

import pytest

from brokers.terms import Product, Side
from orders.services.reconciling import reconcile_account
from tests.orders.desk import Desk, make_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    """Ten shares bought for delivery, and the night over."""
    desk = make_desk()
    desk.send(desk.place(product=Product.CNC))
    desk.trade("100.00")
    desk.trade("100.00")
    desk.now += timedelta(days=1)
    return desk


class TestTheNextMorning:
    def test_agrees_on_what_was_bought(self, desk: Desk) -> None:
        assert reconcile_account(desk.account, clock=desk.clock).differences == ()

    def test_agrees_on_what_was_sold_of_it(self, desk: Desk) -> None:
        desk.trade("100.00")
        desk.send(desk.place(Side.SELL, 4, product=Product.CNC))
        desk.trade("100.00")
        desk.trade("100.00")
        assert reconcile_account(desk.account, clock=desk.clock).differences == ()
        desk.now += timedelta(days=1)
        assert reconcile_account(desk.account, clock=desk.clock).differences == ()
