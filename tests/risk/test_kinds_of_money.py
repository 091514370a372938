"""Rules of the whole workspace over live and paper money, rupees and dollars, and replays."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import override_settings

from brokers.terms import Side
from notifications.models import Notification
from portfolio.models import TradingSession
from risk.models import ControlType, RuleType, TraderControl, Trading, TradingState
from risk.proposal import Verdict
from risk.selectors import effective_state
from risk.services import (
    engage_kill_switch,
    evaluate_account,
    set_trading_state,
)
from risk.services.switching import Cause, Scope
from risk.usage import rule_usage
from tests.builders import NOW, make_account
from tests.portfolio.fills import make_order, make_running_strategy
from tests.risk.house import KINDS, House


def words(verdict: Verdict) -> str:
    return "; ".join(refusal.message for refusal in verdict.refusals)


@pytest.fixture
def house(db: None) -> Iterator[House]:
    with override_settings(LIVE_TRADING=True):
        yield House()


class TestAnAmountForTheWholeDesk:
    @pytest.mark.parametrize(
        "kind",
        [
            RuleType.MAX_DAILY_LOSS,
            RuleType.MAX_POSITION_SIZE,
            RuleType.PROFIT_LOCK,
            RuleType.MIN_CAPITAL_THRESHOLD,
        ],
    )
    def test_in_rupees_alone_refuses_an_account_in_dollars_in_words(
        self, house: House, kind: RuleType
    ) -> None:
        house.limit(kind, "50000")
        assert words(house.judge("dollars")) == (
            f"“{kind.label}” is set for the whole desk in INR only: "
            "set it in USD too, or on dollars"
        )

    def test_is_held_against_dollars_by_their_own_row(self, house: House) -> None:
        house.limit(RuleType.MAX_POSITION_SIZE, "50000")
        house.limit(RuleType.MAX_POSITION_SIZE, "150", currency="USD")
        assert house.judge("dollars").is_allowed
        refused = house.judge("dollars", quantity=1)
        assert words(refused) == "The position could reach USD 200.00; the limit is USD 150.00"

    def test_is_held_against_dollars_by_a_row_of_the_account(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "50000")
        house.limit(RuleType.MAX_DAILY_LOSS, "500", account=house.accounts["dollars"])
        assert house.judge("dollars").is_allowed
        house.earn(house.accounts["dollars"], "-501")
        assert "USD 501.00" in words(house.judge("dollars"))

    def test_is_not_met_by_a_row_of_a_strategy(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "50000")
        other = make_account(house.workspace, "other dollars", currency="USD")
        house.limit(RuleType.MAX_DAILY_LOSS, "500", account=other)
        assert not house.judge("dollars").is_allowed

    def test_never_meets_a_loss_in_another_currency(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.lose("dollars")
        assert house.stopped() == set()
        assert "limit is 1,000" not in words(house.judge("dollars"))

    def test_that_is_a_count_or_a_percentage_holds_in_every_currency(self, house: House) -> None:
        house.limit(RuleType.MAX_DRAWDOWN, "2")
        house.limit(RuleType.MAX_LOTS, "5")
        assert house.judge("dollars", quantity=5).is_allowed
        assert "6 lots" in words(house.judge("dollars", quantity=1))


class TestAHardLimitOfTheDesk:
    def test_in_rupees_refuses_an_account_in_dollars_in_words(self, house: House) -> None:
        self.control(house)
        assert "hard limits are in INR: set one in USD on dollars" in words(house.judge("dollars"))

    def test_of_the_account_is_in_its_own_currency(self, house: House) -> None:
        self.control(house)
        self.control(house, account=house.accounts["dollars"])
        assert "worth USD 1,000.00" in words(house.judge("dollars", quantity=10))
        assert house.judge("dollars").is_allowed

    def control(self, house: House, **scope: object) -> None:
        TraderControl.objects.create(
            workspace=house.workspace,
            control_type=ControlType.RISK_LIMIT,
            order_value_limit=Decimal(500),
            activated_at=NOW,
            **scope,
        )


class TestALossOfOneKind:
    @pytest.mark.parametrize("name", ["paper", "live", "replay"])
    def test_stops_that_kind_alone(self, house: House, name: str) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.lose(name)
        assert house.stopped() == {name}
        assert {each for each in KINDS if "day's loss" in words(house.judge(each))} == {name}

    @pytest.mark.parametrize("name", ["paper", "live", "replay"])
    def test_keeps_that_kind_alone_from_being_sent(self, house: House, name: str) -> None:
        for account in house.accounts.values():
            make_order(account, house.instrument, Side.BUY, 1)
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.lose(name)
        assert house.claimable() == set(KINDS) - {name}

    def test_stops_every_account_of_the_kind(self, house: House) -> None:
        second = make_account(house.workspace, "second")
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.lose("paper")
        assert effective_state(second) is Trading.REDUCING

    def test_is_added_up_over_the_accounts_of_the_kind(self, house: House) -> None:
        second = make_account(house.workspace, "second")
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.earn(second, "-600")
        house.lose("paper", "600")
        assert house.stopped() == {"paper"}

    def test_is_told_with_the_kind(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.lose("live")
        assert Notification.objects.get().message.endswith("live, live INR")

    def test_that_is_replayed_is_told_to_nobody(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.lose("replay")
        assert not Notification.objects.exists()

    def test_is_over_with_the_next_session_of_that_kind_alone(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.lose("paper")
        house.lose("live")
        TradingSession.objects.filter(account=house.accounts["live"]).update(
            session_date=date(2026, 6, 18), total_pnl=0
        )
        house.evaluate("live", days=1)
        assert house.stopped() == {"paper"}

    def test_of_a_replay_is_over_with_its_next_session(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.lose("replay")
        TradingSession.objects.filter(account=house.accounts["replay"]).update(
            session_date=date(2026, 6, 18), total_pnl=0
        )
        house.evaluate("replay", days=1)
        assert house.stopped() == set()


class TestAReplay:
    def test_does_not_count_in_another_replay(self, house: House) -> None:
        second = make_account(house.workspace, "second", own_clock=True)
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.lose("replay")
        assert effective_state(second) is Trading.ACTIVE

    def test_of_a_later_day_does_not_silence_the_others(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        TradingSession.objects.filter(account=house.accounts["replay"]).update(
            session_date=date(2027, 1, 4)
        )
        house.evaluate("replay", days=201)
        house.lose("paper")
        assert house.stopped() == {"paper"}


class TestTheOrdersOfTheDay:
    def test_of_one_kind_do_not_use_up_those_of_another(self, house: House) -> None:
        house.limit(RuleType.MAX_ORDERS_PER_DAY, "1")
        assert house.judge("paper").is_allowed
        assert "1 orders have been placed" in words(house.judge("paper"))
        assert house.judge("dollars").is_allowed
        assert house.judge("replay").is_allowed


class TestAPersonsStop:
    @pytest.mark.parametrize("state", [Trading.REDUCING, Trading.HALTED])
    def test_at_the_workspace_stops_every_kind(self, house: House, state: Trading) -> None:
        for account in house.accounts.values():
            make_order(account, house.instrument, Side.BUY, 1)
        set_trading_state(Scope(house.workspace), state, cause=Cause("a drill"), now=NOW)
        assert set(house.states().values()) == {state}
        assert house.claimable() == set()

    def test_by_the_kill_switch_stops_every_kind(self, house: House) -> None:
        for account in house.accounts.values():
            make_order(account, house.instrument, Side.BUY, 1)
        engage_kill_switch(house.workspace, by=None, reason="a drill", now=NOW)
        assert set(house.states().values()) == {Trading.HALTED}
        assert house.claimable() == set()

    def test_is_not_lifted_by_a_session_of_any_kind(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        set_trading_state(Scope(house.workspace), Trading.HALTED, cause=Cause("x"), now=NOW)
        house.lose("paper")
        TradingSession.objects.update(session_date=date(2026, 6, 18), total_pnl=0)
        for name in KINDS:
            house.evaluate(name, days=1)
        assert set(house.states().values()) == {Trading.HALTED}

    def test_set_active_lifts_what_a_rule_has_set_for_every_kind(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.lose("paper")
        house.lose("live")
        set_trading_state(Scope(house.workspace), Trading.ACTIVE, cause=Cause("on"), now=NOW)
        assert house.stopped() == set()


class TestARuleOfAnAccount:
    def test_stops_that_account_alone(self, house: House) -> None:
        second = make_account(house.workspace, "second")
        house.limit(RuleType.MAX_DAILY_LOSS, "1000", account=house.account)
        house.lose("paper")
        assert house.stopped() == {"paper"}
        assert effective_state(second) is Trading.ACTIVE

    def test_in_dollars_is_in_dollars(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000", account=house.accounts["dollars"])
        house.lose("dollars")
        assert house.stopped() == {"dollars"}


class TestARuleOfAStrategy:
    def test_is_left_alone_by_the_other_accounts(self, house: House) -> None:
        other = make_account(house.workspace, "other")
        house.earn(other, "0")
        strategy = make_running_strategy(house.account)
        rule = house.limit(RuleType.MAX_ORDERS_PER_DAY, "1", user_strategy_id=strategy)
        house.evaluate("paper")
        evaluate_account(other, now=NOW)
        assert rule.standings.count() == 1


class TestAStateInTheDatabase:
    def test_names_both_or_neither_of_money_and_currency(self, house: House) -> None:
        with pytest.raises(IntegrityError, match="ck_trading_state_kind"), transaction.atomic():
            TradingState.objects.create(workspace=house.workspace, is_live=True, changed_at=NOW)

    def test_is_one_for_each_kind(self, house: House) -> None:
        rule = house.limit(RuleType.MAX_DAILY_LOSS, "1")
        kind = {"is_live": False, "currency": "INR", "rule": rule}
        TradingState.objects.create(workspace=house.workspace, changed_at=NOW, **kind)
        with pytest.raises(IntegrityError), transaction.atomic():
            TradingState.objects.create(workspace=house.workspace, changed_at=NOW, **kind)


class TestUsage:
    def test_is_told_for_each_kind(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.earn(house.accounts["live"], "-500")
        house.earn(house.account, "-100")
        used = {str(each.kind): each.share for each in rule_usage(house.workspace, now=NOW)}
        assert used == {
            "live INR": Decimal("0.5"),
            "paper INR": Decimal("0.1"),
            "replayed INR": Decimal(0),
        }
