"""Whatever happens to one kind of money, the others stand as if they were alone."""

from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from brokers.models import TradingAccount
from risk.kinds import kind_of
from risk.models import RiskRule, RuleType, Trading
from risk.selectors import effective_state
from tests.risk.house import KINDS, House

Figures = list[tuple[object, ...]]
Stand = tuple[Figures, Trading]

moves = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(-3000, 3000)), min_size=1, max_size=12
)


class TestWhateverTheOrder(TestCase):
    @examples(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(moves)
    def test_each_kind_stands_as_if_it_were_alone(self, moved: list[tuple[str, int]]) -> None:
        """Interleaved with the others or not, a kind's peak, count and stop are the same."""
        together = _stand_after(moved)
        for name in KINDS:
            alone = _stand_after([move for move in moved if move[0] == name])
            assert together[name] == alone[name]


def _stand_after(moved: list[tuple[str, int]]) -> dict[str, Stand]:
    point = transaction.savepoint()
    house = House()
    for rule_type, value in ((RuleType.MAX_DAILY_LOSS, "1000"), (RuleType.PROFIT_LOCK, "1500")):
        house.limit(rule_type, value)
        house.limit(rule_type, value, currency="USD")
    for name, pnl in moved:
        house.earn(house.accounts[name], str(pnl))
        house.evaluate(name)
    stand = {
        name: (_standings(house, account), effective_state(account))
        for name, account in house.accounts.items()
    }
    transaction.savepoint_rollback(point)
    return stand


def _standings(house: House, account: TradingAccount) -> Figures:
    kind = kind_of(account)
    rows = (row for rule in RiskRule.objects.order_by("pk") for row in rule.standings.all())
    return [
        (row.rule.rule_type, row.current_value, row.peak_pnl, row.confirmations, row.is_violated)
        for row in rows
        if row.kind == kind
    ]
