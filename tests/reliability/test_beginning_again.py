"""A simulator that begins again forgets what its wire app kept, beside the exchange's own books."""

from decimal import Decimal

import pytest
import requests

from brokers.abilities import KeepsTriggers, TriggerLeg, TriggerRequest
from brokers.capabilities import TriggerKind
from brokers.gateway import Accepted, Gateway, GatewayUnavailable
from brokers.registry import gateway_for
from brokers.terms import Product, Side
from market.directory import ref_at
from market.models import BrokerInstrument
from tests.reliability.worlds import World

_KEYS_ONLY = "alpaca"  # It hands out no logins and keeps no triggers.


def begin_again(world: World) -> None:
    requests.post(f"{world.served.server.url}/_sim/reset", timeout=5).raise_for_status()


class TestASimulatorThatBeginsAgain:
    def test_knows_no_login_of_before(self, world: World) -> None:
        if world.stand.name == _KEYS_ONLY:
            pytest.skip("There is nothing to log in with but the keys")
        begin_again(world)
        with pytest.raises(GatewayUnavailable):
            gateway(world).orders()

    def test_takes_keys_that_were_deleted(self, world: World) -> None:
        control = f"{world.served.server.url}/_sim/expire_tokens"
        requests.post(control, json={}, timeout=5).raise_for_status()
        begin_again(world)
        world.log_in()
        assert gateway(world).orders() == []

    def test_keeps_no_trigger(self, world: World) -> None:
        if world.stand.name == _KEYS_ONLY:
            pytest.skip("It keeps no triggers")
        placed = keeping(world).place_trigger(a_trigger(world))
        assert isinstance(placed, Accepted), placed
        assert keeping(world).triggers()
        begin_again(world)
        world.log_in()
        assert keeping(world).triggers() == []


def gateway(world: World) -> Gateway:
    return gateway_for(world.account, clock=world.clock)


def keeping(world: World) -> KeepsTriggers:
    found = gateway(world)
    assert isinstance(found, KeepsTriggers)
    return found


def a_trigger(world: World) -> TriggerRequest:
    row = BrokerInstrument.objects.select_related("instrument").get(
        instrument=world.instrument, broker_type=world.stand.name
    )
    return TriggerRequest(
        tag="RULE",
        instrument=ref_at(row),
        side=Side.BUY,
        product=Product.CNC,
        kind=TriggerKind.SINGLE,
        legs=(TriggerLeg(world.price - Decimal(5), world.price - Decimal(4), 5),),
        last_price=world.price,
    )
