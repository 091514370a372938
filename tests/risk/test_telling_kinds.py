"""What the pages tell of rules and stops, kind of money by kind of money."""

import pytest

from risk.board import account_states, rule_rows
from risk.models import RuleType
from risk.stops import stops_in_force
from tests.builders import NOW
from tests.risk.house import House
from trading_site.halts import halts_in_force

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


class TestWhatThePagesTell:
    def test_is_the_state_of_each_account_by_its_kind(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.lose("live")
        house.lose("replay")
        states = {
            each.account.name: each.state
            for each in account_states(
                house.workspace, stops=stops_in_force(house.workspace), now=NOW
            )
        }
        assert states == house.states()
        assert house.stopped() == {"live", "replay"}

    def test_names_the_kind_that_has_stopped(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.lose("live")
        (band,) = halts_in_force(house.workspace)
        assert band.words == "Only exits are allowed for live INR."
        assert not band.is_kill_switch

    def test_names_a_rule_once_for_each_kind(self, house: House) -> None:
        house.limit(RuleType.MAX_DAILY_LOSS, "1000")
        house.lose("live")
        nearest, *_ = rule_rows(house.workspace, now=NOW)
        assert (nearest.reaches, nearest.percent) == ("The whole desk, live INR", 100)
        assert nearest.reached == "The day's loss is 5,000.00; the limit is 1,000.00"
