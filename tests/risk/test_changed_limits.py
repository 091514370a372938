"""A limit that is changed while it has stopped something."""

from decimal import Decimal

import pytest

from risk.models import RiskRule, RuleType, Trading, TradingState
from risk.selectors import effective_state, state_with_reason
from risk.services import RuleInvalid, change_rule, remove_rule, set_trading_state
from risk.services.limits import RuleTerms
from risk.services.switching import Cause, Scope
from tests.orders.desk import Desk, make_desk
from tests.risk.test_evaluating import evaluate
from tests.risk.test_judging import limit

pytestmark = pytest.mark.django_db


def change(desk: Desk, rule: RiskRule, value: str) -> RiskRule:
    terms = RuleTerms(RuleType(rule.rule_type), Decimal(value))
    return change_rule(rule, terms, by=desk.user, now=desk.now)


def stopped_desk() -> tuple[Desk, RiskRule]:
    """A loss of a little more than 1,000 has reached a limit of 100."""
    desk = make_desk()
    rule = limit(desk, RuleType.MAX_DAILY_LOSS, "100")
    desk.buy(100)
    evaluate(desk, "90.00")
    assert effective_state(desk.account) is Trading.REDUCING
    return desk, rule


class TestALimitThatWasReadBefore:
    def test_is_changed_in_what_was_asked_alone(self) -> None:
        desk = make_desk()
        stale = limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        RiskRule.objects.update(is_active=False)
        change(desk, stale, "200")
        rule = RiskRule.objects.get()
        assert (rule.rule_value, rule.is_active) == (200, False)

    def test_and_removed_since_is_refused(self) -> None:
        desk = make_desk()
        rule = limit(desk, RuleType.MAX_DAILY_LOSS, "100")
        stale = RiskRule.objects.get(pk=rule.pk)
        remove_rule(rule, by=desk.user, now=desk.now)
        with pytest.raises(RuleInvalid, match="removed"):
            change(desk, stale, "200")


class TestALimitRaisedBeyondTheLoss:
    def test_lets_nothing_go(self) -> None:
        desk, rule = stopped_desk()
        change(desk, rule, "50000")
        evaluate(desk, "90.00")
        assert effective_state(desk.account) is Trading.REDUCING

    def test_says_what_would(self) -> None:
        desk, rule = stopped_desk()
        change(desk, rule, "50000")
        assert not RiskRule.objects.get().is_violated
        assert state_with_reason(desk.account)[1] == (
            "Stopped by “Largest loss in a day” before its limit was changed: "
            "set active by hand, or the next session, lets it go on"
        )

    def test_stops_again_where_that_is_reached_too(self) -> None:
        desk, rule = stopped_desk()
        change(desk, rule, "2000")
        scope = Scope(desk.account.workspace)
        set_trading_state(scope, Trading.ACTIVE, cause=Cause("on", by=desk.user), now=desk.now)
        evaluate(desk, "85.00")
        assert effective_state(desk.account) is Trading.ACTIVE
        evaluate(desk, "75.00")
        assert effective_state(desk.account) is Trading.REDUCING


class TestALimitStillReached:
    @pytest.mark.parametrize("value", ["50", "500"])
    def test_stays_reached_in_the_words_of_the_new_one(self, value: str) -> None:
        desk, rule = stopped_desk()
        change(desk, rule, value)
        state, reason = state_with_reason(desk.account)
        assert (state, RiskRule.objects.get().is_violated) == (Trading.REDUCING, True)
        assert reason.endswith(f"the limit is {value}.00")
        assert RiskRule.objects.get().violation_message == reason

    def test_that_a_person_let_go_stops_anew(self) -> None:
        desk, rule = stopped_desk()
        scope = Scope(desk.account.workspace)
        set_trading_state(scope, Trading.ACTIVE, cause=Cause("on", by=desk.user), now=desk.now)
        change(desk, rule, "50")
        assert effective_state(desk.account) is Trading.ACTIVE
        evaluate(desk, "90.00")
        assert TradingState.objects.get(rule=rule).state == Trading.REDUCING
