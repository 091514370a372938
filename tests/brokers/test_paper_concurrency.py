"""Two workers at the paper broker at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier

import pytest
from django.db import connection, connections

from brokers.adapters.paper.exchange import match
from brokers.gateway import Accepted, QuoteTick
from brokers.models import PaperAccount, PaperOrder, PaperTrade
from brokers.terms import Product
from tests.brokers.contract import buy, cancel_of, placed
from tests.brokers.paper import SHARE, PaperMarket, make_paper_account
from tests.builders import NOW
from tests.venues import WeekdayVenue

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor == "sqlite",
        reason="SQLite lets one writer in at a time; its test database lives in one connection",
    ),
]


@pytest.fixture
def market(transactional_db: None, venue: WeekdayVenue) -> PaperMarket:
    return PaperMarket(account=make_paper_account(), venue=venue)


def together(*acts: Callable[[], object]) -> list[object]:
    """Start all at one moment, each with a database connection of its own."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        barrier.wait(timeout=10)
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


class TestTwoWorkers:
    def test_place_one_tag_once(self, market: PaperMarket) -> None:
        send = partial(market.gateway.place, buy(SHARE))
        answers = together(send, send, send, send)
        assert PaperOrder.objects.count() == 1
        assert len(set(answers)) == 1

    def test_open_one_book_once(self, market: PaperMarket) -> None:
        PaperAccount.objects.all().delete()
        together(*[market.gateway.funds] * 4)
        assert PaperAccount.objects.count() == 1

    def test_spend_the_same_money_once(self, market: PaperMarket) -> None:
        request = partial(buy, SHARE, quantity=6000, product=Product.CNC)
        answers = together(
            partial(market.gateway.place, request(tag="ONE")),
            partial(market.gateway.place, request(tag="TWO")),
        )
        assert sum(isinstance(answer, Accepted) for answer in answers) == 1

    def test_fill_an_order_once(self, market: PaperMarket) -> None:
        placed(market.gateway.place(buy(SHARE)))
        soon = NOW + timedelta(seconds=1)
        tick = QuoteTick(SHARE.key, Decimal(99), soon, 1000)
        together(*[partial(match, [tick], at=soon)] * 4)
        assert list(PaperTrade.objects.values_list("quantity", flat=True)) == [10]

    def test_let_either_the_fill_or_the_cancel_win(self, market: PaperMarket) -> None:
        broker_order_id = placed(market.gateway.place(buy(SHARE)))
        soon = NOW + timedelta(seconds=1)
        tick = QuoteTick(SHARE.key, Decimal(99), soon, 1000)
        answers = together(
            partial(market.gateway.cancel, cancel_of(broker_order_id, SHARE)),
            partial(match, [tick], at=soon),
        )
        was_cancelled = isinstance(answers[0], Accepted)
        assert PaperTrade.objects.exists() is not was_cancelled
