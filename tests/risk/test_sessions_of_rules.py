"""A rule's day begins with the exchange's, not with an order for it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.gateway import QuoteTick
from brokers.terms import Side
from market.quotes import write_quotes
from orders.requests import OrderRequest
from orders.services.placing import place_order
from orders.states import OrderStatus
from portfolio.models import TradingSession
from risk.models import RuleType, Trading
from risk.selectors import effective_state
from risk.services import evaluate_account
from tests.builders import NOW
from tests.orders.desk import Desk, make_desk
from tests.risk.test_evaluating import evaluate
from tests.risk.test_judging import limit

pytestmark = pytest.mark.django_db
EVENING = NOW + timedelta(hours=8)
MORNING = NOW + timedelta(days=1)


def stopped_desk() -> Desk:
    desk = make_desk()
    limit(desk, RuleType.MAX_DAILY_LOSS, "100")
    desk.buy(100)
    evaluate(desk, "90.00")
    assert effective_state(desk.account) is Trading.REDUCING
    return desk


def sell_for_tomorrow(desk: Desk) -> None:
    write_quotes([QuoteTick(desk.instrument.key, Decimal(90), EVENING, 1)])
    request = OrderRequest(
        account=desk.account, instrument=desk.instrument, side=Side.SELL, quantity=10, is_amo=True
    )
    order = place_order(request, user=desk.user, idempotency_key="amo", now=EVENING)
    assert order.state is OrderStatus.PENDING
    assert TradingSession.objects.count() == 2


class TestAnOrderForTomorrow:
    def test_does_not_lift_the_stop_of_today(self) -> None:
        desk = stopped_desk()
        sell_for_tomorrow(desk)
        evaluate_account(desk.account, now=EVENING)
        assert effective_state(desk.account) is Trading.REDUCING

    def test_leaves_tomorrow_to_lift_it(self) -> None:
        desk = stopped_desk()
        sell_for_tomorrow(desk)
        evaluate_account(desk.account, now=MORNING)
        assert effective_state(desk.account) is Trading.ACTIVE
