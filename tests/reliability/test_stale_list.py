"""An instrument list that is not the day's: entries wait in words at each broker, exits leave."""

from datetime import timedelta

from brokers.terms import Side
from market.models import BrokerInstrument
from orders.states import OrderStatus
from tests.reliability.worlds import World


def age_the_list(world: World, *, days: int = 7) -> None:
    day = (world.clock() - timedelta(days=days)).date()
    BrokerInstrument.objects.filter(broker_type=world.stand.name).update(refreshed_on=day)


class TestAStaleList:
    def test_stops_an_entry_in_words(self, world: World) -> None:
        age_the_list(world)
        order = world.place()
        assert order.status == OrderStatus.DENIED
        assert "The instrument list of" in order.error_message
        assert "refresh it" in order.error_message

    def test_stops_no_exit(self, world: World) -> None:
        world.send(world.place())
        world.trade(world.price - 1)
        world.reconcile()
        age_the_list(world)
        way_out = world.send(world.place(Side.SELL))
        assert way_out.is_exit
        assert len(world.at_broker(way_out)) == 1


class TestAnInstrumentThatTheListLeftOut:
    def test_can_still_be_left(self, world: World) -> None:
        world.send(world.place())
        world.trade(world.price - 1)
        world.reconcile()
        numbers = BrokerInstrument.objects.filter(instrument=world.instrument)
        numbers.update(is_listed=False)
        assert "no longer lists" in world.place().error_message
        assert len(world.at_broker(world.send(world.place(Side.SELL)))) == 1
