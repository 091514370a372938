"""A database that is busy or gone says nothing of a report: nothing is set aside for that."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection

from brokers.adapters.paper.exchange import match
from brokers.adapters.paper.gateway import open_gateway
from brokers.gateway import QuoteTick
from operations.models import ErrorLog
from orders.models import EventSource, Trade
from orders.services.reconciling import reconcile_due
from orders.services.reporting import apply_updates
from tests.orders.desk import Desk, make_desk

pytestmark = pytest.mark.django_db


@contextmanager
def failing(error: Exception, table: str) -> Iterator[None]:
    """Let the database refuse every new row of a table."""

    def run(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(f'INSERT INTO "{table}"'):
            raise error
        return execute(sql, params, many, context)

    with connection.execute_wrapper(run):
        yield


def hear(desk: Desk) -> None:
    gateway = open_gateway(desk.account, desk.clock)
    apply_updates(
        desk.account,
        orders=gateway.orders(),
        trades=gateway.trades(),
        source=EventSource.RECONCILE,
        now=desk.now,
    )


@pytest.fixture
def filled() -> Desk:
    """A desk whose order has filled at the broker, and nobody here has heard of it."""
    desk = make_desk()
    desk.send(desk.place())
    desk.now += timedelta(seconds=1)
    match([QuoteTick(desk.instrument.key, Decimal("100.00"), desk.now, 100_000)], at=desk.now)
    return desk


class TestABusyDatabase:
    @pytest.mark.parametrize("table", ["trades", "order_events"])
    def test_fails_the_reading_and_sets_nothing_aside(self, filled: Desk, table: str) -> None:
        busy = OperationalError("database is locked")
        with failing(busy, table), pytest.raises(OperationalError):
            hear(filled)
        assert not ErrorLog.objects.exists()

    def test_loses_nothing(self, filled: Desk) -> None:
        with failing(OperationalError("deadlock detected"), "trades"):
            reconcile_due(filled.account.pk, clock=filled.clock)
        assert ErrorLog.objects.get().context["stage"] == "reconciling an account"
        assert not Trade.objects.exists()
        reconcile_due(filled.account.pk, clock=filled.clock)
        assert Trade.objects.get().quantity == 10


class TestAReportThatCannotBeWritten:
    def test_is_set_aside_as_before(self, filled: Desk) -> None:
        with failing(DataError("value too long"), "trades"):
            hear(filled)
        assert ErrorLog.objects.get().error_type == "DataError"
