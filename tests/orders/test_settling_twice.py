"""Two people settle the same thing at the same moment: it is booked once."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import pytest
from pytest_django import Settings

from brokers.gateway import Unknown
from orders.lifecycle import IllegalTransition
from orders.models import Order, OrderSource, Trade
from orders.services.accepting import Acceptance, accept_difference
from orders.services.deciding import Ending, Verdict, WrittenTrade, settle_by_hand
from portfolio.models import DifferenceState, Position, PositionDifference
from tests.orders.broken_lines import answering
from tests.orders.desk import make_desk
from tests.orders.live_desk import make_live_desk, reconcile, saying, the_difference
from tests.orders.test_lock_order import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.server]
NEXT_DAY = datetime(2026, 6, 18, 6, 0, tzinfo=UTC)


def test_a_difference(settings: Settings) -> None:
    desk = make_live_desk(settings)
    desk.buy(10)
    reconcile(desk)
    with saying([]):
        reconcile(desk, after=30)
        acceptance = Acceptance(10, 0, "Sold by phone", desk.user)
        works = [
            partial(accept_difference, the_difference(), acceptance, clock=desk.clock)
            for _ in range(2)
        ]
        at_once(desk, *works)
    assert Order.objects.filter(source=OrderSource.ADJUSTMENT).count() == 1
    assert PositionDifference.objects.filter(state=DifferenceState.ADJUSTED).count() == 1
    assert not Position.objects.open().exists()


def test_an_order() -> None:
    desk = make_desk()
    with answering(place=Unknown("read timed out")):
        order = desk.send(desk.place(limit="90.00"))
    desk.now = NEXT_DAY
    trades = (WrittenTrade("501", 10, Decimal("90.00")),)
    verdict = Verdict(Ending.FILLED, "Contract note 0617", "B-77", trades)
    with answering(orders=[], trades=[]):
        works = [
            partial(
                settle_by_hand,
                Order.objects.select_related("workspace", "account__connection", "instrument").get(
                    pk=order.pk
                ),
                verdict,
                by=desk.user,
                clock=desk.clock,
            )
            for _ in range(2)
        ]
        failures = at_once(desk, *works)
    assert [type(each) for each in failures] == [IllegalTransition]
    assert Trade.objects.count() == 1
    assert Position.objects.open().get().quantity == 10
