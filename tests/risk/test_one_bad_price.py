"""One bad price stops nobody, however often it is looked at."""

from datetime import timedelta

import pytest

from portfolio.models import TradingSession
from portfolio.services import mark_account
from risk.models import RuleType, Trading
from risk.selectors import effective_state
from risk.services import evaluate_account
from tests.orders.desk import Desk, make_desk
from tests.risk.test_evaluating import evaluate
from tests.risk.test_judging import limit

pytestmark = pytest.mark.django_db


def look(desk: Desk, times: int) -> None:
    for _ in range(times):
        desk.now += timedelta(seconds=2)
        mark_account(desk.account, now=desk.now)
        evaluate_account(desk.account, now=desk.now)


class TestALossAtOnePrice:
    def test_does_not_stop_the_desk(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(100)
        desk.trade("60.00")
        look(desk, 5)
        assert effective_state(desk.account) is Trading.ACTIVE

    def test_stops_it_with_the_third_price(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(100)
        desk.trade("60.00")
        look(desk, 5)
        evaluate(desk, "60.00", times=2)
        assert effective_state(desk.account) is Trading.REDUCING


class TestALossWithNothingOpen:
    def test_stops_the_desk_for_no_price_is_in_it(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(1)
        TradingSession.objects.update(total_pnl=-5000)
        desk.account.positions.all().delete()
        look(desk, 3)
        assert effective_state(desk.account) is Trading.REDUCING
