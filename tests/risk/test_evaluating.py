from datetime import date, timedelta
from decimal import Decimal

import pytest

from notifications.models import Notification
from orders.services.exiting import NothingToExit, exit_position
from portfolio.models import Position, TradingSession
from portfolio.services import mark_account, start_session
from risk.models import RiskRule, RiskViolation, RuleType, Trading
from risk.selectors import effective_state
from risk.services import ProtectiveExit, evaluate_account, remove_rule, set_trading_state
from risk.services.switching import Cause, Scope
from risk.usage import rule_usage
from tests.builders import make_account
from tests.orders.desk import Desk, make_desk
from tests.risk.test_judging import limit

pytestmark = pytest.mark.django_db


def evaluate(desk: Desk, price: str, *, times: int = 3) -> list[ProtectiveExit]:
    """Mark and evaluate as the feed does; answer the exits of the last round."""
    exits: list[ProtectiveExit] = []
    for _ in range(times):
        desk.trade(price)
        mark_account(desk.account, now=desk.now)
        exits = evaluate_account(desk.account, now=desk.now)
    return exits


class TestALossBeyondTheLimit:
    def test_found_once_or_twice_does_not_stop_the_desk(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(100)
        evaluate(desk, "90.00", times=2)
        assert effective_state(desk.account) is Trading.ACTIVE

    def test_found_three_times_in_a_row_lets_only_exits_pass(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(100)
        evaluate(desk, "90.00")
        assert effective_state(desk.account) is Trading.REDUCING
        assert "loss" in desk.place().error_message

    def test_is_recorded_and_told_once(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(100)
        evaluate(desk, "90.00", times=8)
        violation = RiskViolation.objects.get()
        assert violation.actual_value is not None
        assert violation.actual_value > 1000
        assert Notification.objects.filter(notification_type="RISK_ALERT").count() == 1

    def test_closes_positions_only_where_the_rule_says_so(self) -> None:
        desk = make_desk()
        rule = limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(100)
        assert evaluate(desk, "90.00") == []
        rule.exits_positions = True
        rule.save()
        assert [each.rule_id for each in evaluate(desk, "90.00")] == [rule.pk]

    def test_is_forgotten_when_a_new_session_begins(self) -> None:
        desk = make_desk()
        rule = limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(100)
        evaluate(desk, "90.00")
        TradingSession.objects.update(session_date="2026-06-18", total_pnl=0)
        evaluate_account(desk.account, now=desk.now + timedelta(days=1))
        standing = rule.standings.get()
        assert (standing.is_violated, standing.confirmations) == (False, 0)
        assert effective_state(desk.account) is Trading.ACTIVE


class TestAnotherAccountOfTheDesk:
    def test_with_an_older_session_does_not_lift_the_limit(self) -> None:
        desk = make_desk()
        rule = limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(100)
        evaluate(desk, "90.00")
        idle = make_account(desk.account.workspace, "Idle")
        start_session(idle, session_date=date(2026, 6, 16), now=desk.now)
        evaluate_account(idle, now=desk.now)
        assert rule.is_violated
        assert effective_state(desk.account) is Trading.REDUCING

    def test_does_not_use_up_the_confirmations(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(100)
        idle = make_account(desk.account.workspace, "Idle")
        start_session(idle, session_date=date(2026, 6, 17), now=desk.now)
        evaluate(desk, "90.00", times=1)
        for _ in range(4):
            evaluate_account(idle, now=desk.now)
        assert effective_state(desk.account) is Trading.ACTIVE


class TestAStateSetByHand:
    def test_is_not_lowered_by_a_rule_nor_lifted_by_a_new_day(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(100)
        scope = Scope(desk.account.workspace)
        set_trading_state(scope, Trading.HALTED, cause=Cause("by hand"), now=desk.now)
        evaluate(desk, "90.00")
        TradingSession.objects.update(session_date="2026-06-18", total_pnl=0)
        evaluate_account(desk.account, now=desk.now + timedelta(days=1))
        assert effective_state(desk.account) is Trading.HALTED

    def test_active_lifts_what_a_rule_has_set(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(100)
        evaluate(desk, "90.00")
        scope = Scope(desk.account.workspace)
        set_trading_state(scope, Trading.ACTIVE, cause=Cause("by hand"), now=desk.now)
        assert effective_state(desk.account) is Trading.ACTIVE

    def test_is_left_alone_when_a_rule_is_removed(self) -> None:
        desk = make_desk()
        rule = limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        desk.buy(100)
        evaluate(desk, "90.00")
        remove_rule(rule, by=desk.user, now=desk.now)
        assert effective_state(desk.account) is Trading.ACTIVE


class TestAProfitOnceReached:
    def test_is_kept_by_closing_everything_when_it_falls_back(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.PROFIT_LOCK, "500")
        desk.buy(100)
        assert evaluate(desk, "110.00") == []
        assert len(evaluate(desk, "104.00")) == 1

    def test_that_was_never_reached_keeps_nothing(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.PROFIT_LOCK, "500")
        desk.buy(100)
        assert evaluate(desk, "104.00") == []


class TestATrailingStop:
    def test_asks_for_the_exit_until_the_position_is_closed(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.TRAILING_STOP, "5")
        desk.buy(10)
        evaluate(desk, "110.00")
        position = Position.objects.open().get()
        for _ in range(2):
            exits = evaluate(desk, "105.00")
            assert [each.position_id for each in exits] == [position.pk]

    def test_is_recorded_once(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.TRAILING_STOP, "5")
        desk.buy(10)
        evaluate(desk, "110.00")
        evaluate(desk, "105.00", times=6)
        assert RiskViolation.objects.count() == 1

    def test_follows_the_best_price_and_not_the_entry(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.TRAILING_STOP, "5")
        desk.buy(10)
        assert evaluate(desk, "96.00") == []


class TestAnExitOfAPosition:
    def test_closes_exactly_what_is_open(self) -> None:
        desk = make_desk()
        desk.buy(10)
        position = Position.objects.open().get()
        [order] = exit_position(position, by=desk.user, now=desk.now, idempotency_key="x")
        assert (order.quantity, order.is_exit) == (10, True)

    def test_asked_for_twice_closes_once(self) -> None:
        desk = make_desk()
        desk.buy(10)
        position = Position.objects.open().get()
        exit_position(position, by=desk.user, now=desk.now, idempotency_key="x")
        with pytest.raises(NothingToExit):
            exit_position(position, by=desk.user, now=desk.now, idempotency_key="y")


class TestUsage:
    def test_comes_nearest_first(self) -> None:
        desk = make_desk()
        desk.buy(100)
        TradingSession.objects.update(capital_at_start=100_000)
        far = limit(desk, RuleType.MAX_DAILY_LOSS, "100000")
        near = limit(desk, RuleType.MAX_DRAWDOWN, "1")
        evaluate(desk, "95.00", times=1)
        used = rule_usage(desk.account.workspace, now=desk.now)
        assert [each.rule for each in used] == [near, far]

    def test_of_an_untouched_rule_is_nothing(self) -> None:
        desk = make_desk()
        limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        assert rule_usage(desk.account.workspace, now=desk.now)[0].share == Decimal(0)
        assert RiskRule.objects.count() == 1
