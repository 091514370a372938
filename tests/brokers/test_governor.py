"""Our calls stay within what a broker takes: one count for every process, cancels always fit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from django.conf import settings
from django.db import OperationalError
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.models import Workspace
from brokers.governor import Figures, Governor, HeldBack, Purpose, calls_for
from brokers.limits import EndpointRule, Limit, endpoint_of, in_force
from brokers.models import BrokerConnection
from brokers.rate_windows import (
    RedisWindows,
    SharedWindows,
    Span,
    TableWindows,
    Window,
    Windows,
)
from brokers.terms import Segment
from tests.builders import NOW, make_user, make_workspace

OLD, NEW = date(2025, 1, 1), date(2026, 4, 1)
RULES = (
    EndpointRule("orders", "POST", "/orders/.*"),
    EndpointRule("orders", "DELETE", "/orders/.*"),
    EndpointRule("orders", "GET", "/orders/.*"),
    EndpointRule("book", "GET", "/orders"),
)
CANCELS = (EndpointRule("orders", "DELETE", "/orders/.*"),)
LIMITS = (
    Limit("orders", 20, 1, OLD, "the old figure"),
    Limit("orders", 10, 1, NEW, "the new figure"),
    Limit("orders", 30, 60, OLD, "by the minute"),
    Limit("book", 1, 1, OLD, "one a second"),
)


class HandClock:
    """Stands still until it is moved; sleeping moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class World:
    connection: BrokerConnection
    clock: HandClock
    governor: Governor


def make_connection(workspace: Workspace | None = None) -> BrokerConnection:
    workspace = workspace or Workspace.objects.first() or make_workspace(make_user())
    return BrokerConnection.objects.create(
        workspace=workspace,
        user=workspace.owner,
        broker_type="paper",
        alias=f"Broker {BrokerConnection.objects.count()}",
    )


def table() -> Windows:
    return TableWindows()


def redis() -> Windows:
    return RedisWindows(settings.REDIS_URL)


SLOW = examples(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
BOTH = [
    pytest.param(table, id="table"),
    pytest.param(redis, id="redis", marks=pytest.mark.server),
]


@pytest.fixture(params=BOTH)
def world(request: pytest.FixtureRequest, db: None) -> World:
    make: Callable[[], Windows] = request.param
    clock = HandClock()
    connection = make_connection()
    figures = Figures(RULES, LIMITS, CANCELS, ("orders",))
    return World(connection, clock, Governor(connection, figures, clock, make(), clock.sleep))


class TestLimits:
    def test_the_newest_figure_in_force_counts(self) -> None:
        before = in_force(LIMITS, endpoint="orders", on=date(2026, 3, 31))
        after = in_force(LIMITS, endpoint="orders", on=NEW)
        assert [each.count for each in before] == [20, 30]
        assert [each.count for each in after] == [10, 30]

    def test_a_call_belongs_to_the_first_rule_that_matches(self) -> None:
        assert endpoint_of(RULES, method="GET", path="/orders") == "book"

    def test_a_call_without_a_rule_is_of_the_others(self) -> None:
        assert endpoint_of(RULES, method="GET", path="/profile") == "other"


class TestGovernor:
    def test_a_call_without_a_figure_is_never_held(self, world: World) -> None:
        for _ in range(50):
            world.governor("GET", "/profile")
        assert world.clock.now == NOW

    def test_a_call_waits_for_room(self, world: World) -> None:
        world.governor("GET", "/orders")
        world.governor("GET", "/orders")
        assert world.clock.now >= NOW + timedelta(seconds=1)

    def test_a_call_that_would_wait_long_is_held_back(self, world: World) -> None:
        with pytest.raises(HeldBack, match="room again"):
            for _ in range(40):
                world.governor("POST", "/orders/regular")

    def test_a_fifth_is_kept_for_cancels(self, world: World) -> None:
        for _ in range(8):
            world.governor("POST", "/orders/regular")
        for _ in range(2):
            world.governor("DELETE", "/orders/1")
        assert world.clock.now == NOW

    def test_a_fifth_is_kept_for_exits(self, world: World) -> None:
        for _ in range(8):
            world.governor("POST", "/orders/regular")
        with calls_for(Purpose.WAY_OUT):
            for _ in range(2):
                world.governor("POST", "/orders/regular")
        assert world.clock.now == NOW

    def test_reads_beside_orders_leave_room_for_entries(self, world: World) -> None:
        for _ in range(6):
            world.governor("GET", "/orders/1")
        for _ in range(2):
            world.governor("POST", "/orders/regular")
        assert world.clock.now == NOW
        with pytest.raises(HeldBack):
            for _ in range(40):
                world.governor("GET", "/orders/1")

    def test_a_look_that_a_cancel_needs_counts_as_the_cancel(self, world: World) -> None:
        with calls_for(Purpose.WAY_OUT):
            for _ in range(10):
                world.governor("GET", "/orders/1")
        assert world.clock.now == NOW

    def test_a_class_without_orders_is_anybody_s(self, world: World) -> None:
        world.governor("GET", "/orders")
        assert world.clock.now == NOW

    def test_two_connections_do_not_share_their_windows(self, world: World) -> None:
        other = Governor(
            make_connection(world.connection.workspace),
            world.governor.figures,
            world.clock,
            world.governor.windows,
            world.clock.sleep,
        )
        world.governor("GET", "/orders")
        other("GET", "/orders")
        assert world.clock.now == NOW

    def test_two_governors_of_a_connection_share_their_windows(self, world: World) -> None:
        twin = Governor(
            world.connection,
            world.governor.figures,
            world.clock,
            world.governor.windows,
            world.clock.sleep,
        )
        world.governor("GET", "/orders")
        twin("GET", "/orders")
        assert world.clock.now > NOW

    def test_an_exchange_segment_takes_ten_messages_a_second(self, world: World) -> None:
        for _ in range(8):
            world.governor.enter_segment(Segment.NSE_EQ, Purpose.ENTRY)
        for _ in range(2):
            world.governor.enter_segment(Segment.NSE_EQ, Purpose.WAY_OUT)
        world.governor.enter_segment(Segment.NSE_FNO, Purpose.ENTRY)
        assert world.clock.now == NOW
        world.governor.enter_segment(Segment.NSE_EQ, Purpose.ENTRY)
        assert world.clock.now > NOW

    def test_usage_tells_every_published_figure(self, world: World) -> None:
        world.governor("POST", "/orders/regular")
        usage = {(each.endpoint, each.seconds): each.used for each in world.governor.usage()}
        assert usage == {("orders", 1): 1, ("orders", 60): 1, ("book", 1): 0}

    def test_usage_is_asked_for_at_once(
        self, world: World, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_max_num_queries(1):
            world.governor.usage()


class Uncountable(TableWindows):
    """What the database is while it does not answer."""

    def take(
        self, connection: BrokerConnection, name: str, windows: Sequence[Window], *, now: datetime
    ) -> float:
        raise OperationalError("the pool is full")


class TestWhileNobodyCanCount:
    @pytest.fixture
    def governor(self, db: None) -> Governor:
        figures = Figures(RULES, LIMITS, CANCELS, ("orders",))
        return Governor(make_connection(), figures, HandClock(), Uncountable())

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_a_call_is_held_back_in_words(self, governor: Governor, method: str) -> None:
        with pytest.raises(HeldBack, match="cannot be counted"):
            governor(method, "/orders/1")

    def test_an_entry_is_held_back_at_its_segment(self, governor: Governor) -> None:
        with pytest.raises(HeldBack, match="cannot be counted"):
            governor.enter_segment(Segment.NSE_EQ, Purpose.ENTRY)

    def test_a_way_out_leaves_all_the_same(self, governor: Governor) -> None:
        governor.enter_segment(Segment.NSE_EQ, Purpose.WAY_OUT)
        governor("DELETE", "/orders/1")
        with calls_for(Purpose.WAY_OUT):
            governor("POST", "/orders/regular")


class TestWindows:
    @pytest.mark.parametrize("make", BOTH)
    def test_a_refused_call_is_not_counted(self, make: Callable[[], Windows], db: None) -> None:
        windows, connection = make(), make_connection()
        narrow = [Window(1, 1), Window(60, 5)]
        assert windows.take(connection, "x", narrow, now=NOW) == 0
        assert windows.take(connection, "x", narrow, now=NOW) > 0
        assert windows.used(connection, [Span("x", 60)], now=NOW) == [1]

    @pytest.mark.parametrize("make", BOTH)
    def test_a_window_empties_with_time(self, make: Callable[[], Windows], db: None) -> None:
        windows, connection = make(), make_connection()
        windows.take(connection, "x", [Window(1, 1)], now=NOW)
        later = NOW + timedelta(seconds=1.2)
        assert windows.take(connection, "x", [Window(1, 1)], now=later) == 0

    def test_the_table_counts_while_redis_does_not_answer(self, db: None) -> None:
        windows, connection = SharedWindows("redis://127.0.0.1:1/0"), make_connection()
        windows.take(connection, "x", [Window(60, 5)], now=NOW)
        assert windows.used(connection, [Span("x", 60)], now=NOW) == [1]

    @SLOW
    @given(gaps=st.lists(st.integers(0, 400), min_size=1, max_size=40))
    def test_no_rolling_second_ever_holds_more(self, gaps: list[int], db: None) -> None:
        windows, connection, now = TableWindows(), make_connection(), NOW
        admitted = []
        for gap in gaps:
            now += timedelta(milliseconds=gap)
            if windows.take(connection, "x", [Window(1, 3)], now=now) == 0:
                admitted.append(now)
        for first in admitted:
            within = [at for at in admitted if first <= at < first + timedelta(seconds=1)]
            assert len(within) <= 3
