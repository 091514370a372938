"""Trailing stops: each rule counts for itself, and counts prices."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portfolio.models import Position
from portfolio.services import mark_account
from risk.models import PositionExtreme, PositionStop, RiskRule, RiskViolation, RuleType
from risk.services import ProtectiveExit, evaluate_account
from tests.orders.desk import Desk, make_desk
from tests.risk.test_evaluating import evaluate
from tests.risk.test_judging import limit

pytestmark = pytest.mark.django_db


def stop(desk: Desk, points: str, **scope: object) -> RiskRule:
    return limit(desk, RuleType.TRAILING_STOP, points, **scope)


def look(desk: Desk, times: int) -> list[ProtectiveExit]:
    """Look again and again while no new price comes."""
    exits: list[ProtectiveExit] = []
    for _ in range(times):
        desk.now += timedelta(seconds=2)
        mark_account(desk.account, now=desk.now)
        exits = evaluate_account(desk.account, now=desk.now)
    return exits


class TestALooserStop:
    def test_does_not_switch_a_tighter_one_off(self) -> None:
        desk = make_desk()
        tight = stop(desk, "5", account=desk.account)
        stop(desk, "50")
        desk.buy(100)
        assert [each.rule_id for each in evaluate(desk, "90.00")] == [tight.pk]

    def test_is_measured_from_the_same_best_price(self) -> None:
        desk = make_desk()
        loose, tight = stop(desk, "15"), stop(desk, "5", account=desk.account)
        desk.buy(100)
        evaluate(desk, "110.00")
        found = {each.rule_id for each in evaluate(desk, "95.00")}
        assert found == {loose.pk, tight.pk}
        assert PositionExtreme.objects.get().best_price == 110
        assert RiskViolation.objects.count() == 2


class TestOneBadPrice:
    def test_looked_at_often_is_one_price(self) -> None:
        desk = make_desk()
        stop(desk, "5")
        desk.buy(100)
        desk.trade("60.00")
        assert look(desk, 5) == []
        assert PositionStop.objects.get().confirmations == 1

    def test_that_is_taken_back_is_forgotten(self) -> None:
        desk = make_desk()
        stop(desk, "5")
        desk.buy(100)
        evaluate(desk, "60.00", times=2)
        evaluate(desk, "100.00", times=1)
        assert PositionStop.objects.get().confirmations == 0


class TestAConfirmedStop:
    def test_is_asked_for_while_no_new_price_comes(self) -> None:
        desk = make_desk()
        stop(desk, "5")
        desk.buy(100)
        evaluate(desk, "90.00")
        position = Position.objects.open().get()
        assert [each.position_id for each in look(desk, 2)] == [position.pk]


class TestALookThatFindsNothingNew:
    def test_writes_nothing(self) -> None:
        desk = make_desk()
        stop(desk, "5")
        desk.buy(100)
        evaluate(desk, "100.00")
        with CaptureQueriesContext(connection) as queries:
            evaluate_account(desk.account, now=desk.now)
        assert not [each for each in queries if _writes(each["sql"])]


def _writes(sql: str) -> bool:
    tables = ("position_extremes", "position_stops")
    return sql.startswith(("INSERT", "UPDATE")) and any(table in sql for table in tables)
