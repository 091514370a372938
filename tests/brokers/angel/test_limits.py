"""Angel One's published limits, and the simulator that keeps them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
from pytest_django.fixtures import Settings

from brokers.abilities import Quotes
from brokers.adapters.angel.gateway import AngelGateway
from brokers.adapters.angel.limits import CANCELS, LIMITS, RULES, endpoint_of
from brokers.adapters.angel.master import KIND, address
from brokers.gateway import Accepted, GatewayUnavailable, Refused
from brokers.governed import GovernedGateway
from brokers.governor import governor_for
from brokers.limits import OTHER, in_force
from brokers.registry import gateway_for, postbacks_of
from brokers.transport import Transport
from market.importing.kinds import MASTERS
from market.importing.reading import open_source
from market.importing.rows import Listed
from market.models import ImportKind
from tests.brokers.angel.market import DEMO, AngelMarket, AngelStand
from tests.brokers.contract import buy

ORDER = "/rest/secure/angelbroking/order/v1/"
TODAY = date(2026, 6, 17)


class TestFigures:
    @pytest.mark.parametrize("name", ["placeOrder", "modifyOrder", "cancelOrder"])
    def test_of_orders_count_together(self, name: str) -> None:
        assert endpoint_of("POST", ORDER + name) == "orders"

    def test_of_orders_fell_in_april_2026(self) -> None:
        before = in_force(LIMITS, endpoint="orders", on=date(2026, 3, 31))
        after = in_force(LIMITS, endpoint="orders", on=TODAY)
        assert (before[0].count, after[0].count) == (20, 9)
        assert [(each.seconds, each.count) for each in after] == [(1, 9), (60, 500), (3600, 1000)]

    @pytest.mark.parametrize("prefix", ["", "/gtt-service"])
    def test_of_triggers_hold_on_both_paths(self, prefix: str) -> None:
        path = f"{prefix}/rest/secure/angelbroking/gtt/v1/createRule"
        assert endpoint_of("POST", path) == "triggers"

    def test_of_what_nobody_listed_are_none(self) -> None:
        assert endpoint_of("GET", "/nowhere") == OTHER

    def test_exist_for_every_class(self) -> None:
        assert {rule.endpoint for rule in RULES} == {limit.endpoint for limit in LIMITS}

    def test_keep_a_share_for_cancels(self) -> None:
        assert any(rule.matches("POST", ORDER + "cancelOrder") for rule in CANCELS)


@pytest.fixture(scope="module")
def strict() -> Iterator[AngelStand]:
    with AngelStand(is_limited=True) as stand:
        yield stand


@pytest.fixture
def counted(db: None, strict: AngelStand, settings: Settings) -> Iterator[AngelMarket]:
    """An account at a simulator that counts calls."""
    with strict.in_place(settings):
        yield AngelMarket.connected(strict)


class TestBrokerCounts:
    def test_a_second_book_in_a_second_is_refused(self, counted: AngelMarket) -> None:
        counted.gateway.orders()
        with pytest.raises(GatewayUnavailable, match="no more calls"):
            counted.gateway.orders()

    def test_the_tenth_order_in_a_second_is_refused(self, counted: AngelMarket) -> None:
        outcomes = [counted.gateway.place(buy(DEMO, tag=f"T{n}")) for n in range(10)]
        refused = [each for each in outcomes if isinstance(each, Refused)]
        assert [each.proof for each in refused] == ["403 exceeding access rate"]

    def test_our_governor_holds_the_call_back_before(self, counted: AngelMarket) -> None:
        naps: list[float] = []

        def nap(seconds: float) -> None:
            naps.append(seconds)
            counted.stand.clock.move(seconds=seconds)

        governor = governor_for(counted.account.connection, clock=counted.now)
        gateway = AngelGateway(counted.account, counted.now, admit=replace(governor, sleep=nap))
        for _ in range(3):
            gateway.orders()
        assert naps


class TestRegistry:
    def test_opens_the_governed_gateway(self, market: AngelMarket) -> None:
        gateway = gateway_for(market.account, clock=market.now)
        assert isinstance(gateway, GovernedGateway)
        assert isinstance(gateway, Quotes)
        assert isinstance(gateway.place(buy(DEMO)), Accepted)
        assert gateway.funds().available > 0


class TestMaster:
    def test_is_read_by_the_importer(self, angel: AngelStand) -> None:
        with Transport() as transport:
            body = transport.get(address({})).content
        source = open_source(BytesIO(body), name="master.json")
        told = list(MASTERS[ImportKind(KIND)][1](source))
        listed = [each for each in told if isinstance(each, Listed)]
        assert len(listed) == len(angel.instruments)
        share = next(each for each in listed if each.token == DEMO.token)
        assert (share.key, share.broker_symbol, share.tick_size) == (
            "NSE:DEMO",
            "DEMO-EQ",
            DEMO.tick_size,
        )


class TestPostbacks:
    def test_are_unsigned(self) -> None:
        assert postbacks_of("angel").verify(b"{}", {}, {}) is None

    def test_name_the_order(self) -> None:
        body = b'{"orderid":"1","orderstatus":"Complete","ordertag":"T","clientcode":"D100"}'
        news = postbacks_of("angel").read(body)
        assert (news.broker_order_id, news.event_type, news.tag) == ("1", "complete", "T")

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b'{"orderid":""}'])
    def test_that_name_none_are_refused(self, body: bytes) -> None:
        with pytest.raises(ValueError, match="The body"):
            postbacks_of("angel").read(body)
