"""What stops an account is one answer, whoever asks: the page, the judge, the claim."""

import pytest

from brokers.models import TradingAccount
from brokers.terms import Side
from risk.board import account_states
from risk.models import ControlType, TraderControl, Trading
from risk.selectors import state_with_reason
from risk.services import set_trading_state
from risk.services.switching import Cause, Scope
from risk.stops import stops_in_force
from tests.builders import NOW, make_account
from tests.portfolio.fills import make_order, make_running_strategy
from tests.risk.house import House

pytestmark = pytest.mark.django_db


def switch_off(account: TradingAccount) -> None:
    TraderControl.objects.create(
        workspace=account.workspace,
        account=account,
        control_type=ControlType.KILL_SWITCH,
        reason="a drill",
        activated_at=NOW,
    )


def states_shown(house: House) -> dict[str, Trading]:
    stops = stops_in_force(house.workspace)
    states = account_states(house.workspace, stops=stops, now=NOW)
    return {each.account.name: each.state for each in states}


class TestAKillSwitchOfOneAccount:
    def test_is_what_every_asker_sees(self) -> None:
        house = House()
        make_account(house.workspace, "second")
        for account in house.workspace.accounts.all():
            make_order(account, house.instrument, Side.BUY, 1)
        switch_off(house.account)
        shown = states_shown(house)
        assert shown.pop("paper") is Trading.HALTED
        assert set(shown.values()) == {Trading.ACTIVE}
        assert state_with_reason(house.account) == (
            Trading.HALTED,
            "The kill switch is on: a drill",
        )
        assert house.claimable() == set(shown)

    def test_is_none_of_the_desk(self) -> None:
        house = House()
        switch_off(house.account)
        assert stops_in_force(house.workspace).kill_switch is None


class TestAStateOfAStrategy:
    def test_is_none_of_its_account(self) -> None:
        house = House()
        strategy = make_running_strategy(house.account, "first")
        scope = Scope(house.workspace, user_strategy_id=strategy)
        set_trading_state(scope, Trading.HALTED, cause=Cause("x"), now=NOW)
        found = stops_in_force(house.workspace)
        assert found.of(house.account).state is Trading.ACTIVE
        assert found.of(house.account, strategy).state is Trading.HALTED
        assert set(states_shown(house).values()) == {Trading.ACTIVE}


class TestTheStrictest:
    def test_wins(self) -> None:
        house = House()
        for scope, state in (
            (Scope(house.workspace), Trading.REDUCING),
            (Scope(house.workspace, account=house.account), Trading.HALTED),
        ):
            set_trading_state(scope, state, cause=Cause(state.lower()), now=NOW)
        assert state_with_reason(house.account) == (Trading.HALTED, "halted")
        assert state_with_reason(house.accounts["live"]) == (Trading.REDUCING, "reducing")
