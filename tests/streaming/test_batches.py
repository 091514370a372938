"""A batch of reports leads where the same reports lead one by one."""

import random
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest

from brokers.gateway import OrderReport, TradeReport
from operations.models import ErrorLog
from orders.models import EventSource, Order, Trade
from orders.services.reporting import apply_updates
from portfolio.models import LedgerEntry, Position
from tests.orders.desk import Desk, make_desk
from tests.streaming.test_worker import fill, of, working

FIGURES = ("status", "filled_quantity", "traded_quantity", "traded_value", "average_price")


def outcome(desk: Desk, order: Order) -> list[object]:
    order.refresh_from_db()
    trades = Trade.objects.filter(order=order).order_by("broker_trade_id")
    positions = Position.objects.filter(account=desk.account).order_by("position_type")
    balance = LedgerEntry.objects.filter(account=desk.account).order_by("pk").last()
    return [
        [getattr(order, name) for name in FIGURES],
        list(trades.values_list("broker_trade_id", "quantity", "price", "gst")),
        list(positions.values_list("position_type", "quantity", "open_cost")),
        balance.running_balance if balance else None,
        ErrorLog.objects.filter(related_account_id=desk.account.pk).count(),
    ]


def history(order: Order, dice: random.Random) -> tuple[list[OrderReport], list[TradeReport]]:
    """Return an order's reports and fills with repeats, contradictions and nonsense among them."""
    reports = [of(order, filled) for filled in dice.choices(range(11), k=6)]
    fills = [fill(order, number) for number in dice.choices(range(1, 9), k=12)]
    lies = [fill(order, 1, quantity=3), fill(order, 99, quantity=-1)]
    lies.append(replace(fill(order, 98), trade_id="T\x0098"))
    return reports, dice.sample(fills + lies, k=len(fills) + len(lies))


@pytest.mark.django_db
class TestABatch:
    @pytest.mark.parametrize("seed", range(6))
    def test_leads_where_its_reports_lead_one_by_one(self, seed: int) -> None:
        ends = []
        for name, is_batch in (("asha", True), ("ravi", False)):
            desk = make_desk(name)
            order = working(desk)
            reports, fills = history(order, random.Random(seed))
            tell = partial(apply_updates, desk.account, source=EventSource.WEBSOCKET, now=desk.now)
            if is_batch:
                tell(orders=reports, trades=fills)
            else:
                for report in reports:
                    tell(orders=[report], trades=[])
                for each in fills:
                    tell(orders=[], trades=[each])
            ends.append(outcome(desk, order))
        assert ends[0] == ends[1]

    def test_that_is_known_asks_once_for_all_of_it(self, django_assert_num_queries: object) -> None:
        desk = make_desk()
        order = working(desk)
        fills = [fill(order, number) for number in range(1, 9)]
        tell = partial(apply_updates, desk.account, source=EventSource.RECONCILE, now=desk.now)
        tell(orders=[], trades=fills)
        with django_assert_num_queries(1):  # type: ignore[operator]
            tell(orders=[], trades=fills)
        assert Trade.objects.get(broker_trade_id="T1").price == Decimal(95)
