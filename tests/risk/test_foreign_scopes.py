"""A limit or a state speaks of the workspace's own accounts and strategies alone."""

from decimal import Decimal

import pytest

from risk.models import RuleType, Trading, TradingState
from risk.services import RuleInvalid, add_rule, set_trading_state
from risk.services.limits import RuleTerms
from risk.services.switching import Cause, ForeignScope, Scope
from tests.builders import NOW, make_account, make_user, make_workspace
from tests.portfolio.fills import make_running_strategy

pytestmark = pytest.mark.django_db


class TestALimit:
    def test_on_another_desks_strategy_is_refused(self) -> None:
        owner = make_user()
        foreign = make_account(make_workspace(make_user("mallory")))
        terms = RuleTerms(
            RuleType.MAX_ORDERS_PER_DAY,
            Decimal(1),
            user_strategy_id=make_running_strategy(foreign, "theirs"),
        )
        with pytest.raises(RuleInvalid, match="another workspace") as refused:
            add_rule(make_workspace(owner), terms, by=owner, now=NOW)
        assert refused.value.field == "strategy"

    def test_on_a_strategy_and_an_account_it_does_not_trade_on_is_refused(self) -> None:
        owner = make_user()
        workspace = make_workspace(owner)
        account, other = make_account(workspace), make_account(workspace, "Other")
        strategy = make_running_strategy(account, "first")
        terms = RuleTerms(RuleType.MAX_LOTS, Decimal(1), account=other, user_strategy_id=strategy)
        with pytest.raises(RuleInvalid, match="trades on"):
            add_rule(workspace, terms, by=owner, now=NOW)


class TestAState:
    def test_of_another_desks_account_is_refused(self) -> None:
        foreign = make_account(make_workspace(make_user("mallory")))
        scope = Scope(make_workspace(make_user()), account=foreign)
        with pytest.raises(ForeignScope):
            set_trading_state(scope, Trading.HALTED, cause=Cause("x"), now=NOW)
        assert not TradingState.objects.exists()

    def test_of_another_desks_strategy_is_refused(self) -> None:
        foreign = make_account(make_workspace(make_user("mallory")))
        strategy = make_running_strategy(foreign, "theirs")
        scope = Scope(make_workspace(make_user()), user_strategy_id=strategy)
        with pytest.raises(ForeignScope):
            set_trading_state(scope, Trading.HALTED, cause=Cause("x"), now=NOW)
