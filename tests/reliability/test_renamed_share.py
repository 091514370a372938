"""A share that its broker's list calls otherwise while it is held: one position everywhere."""

from brokers.sessions import session_secrets
from brokers.terms import Side
from market.models import Instrument
from orders.services.sending import ref_for
from portfolio.models import Position, PositionDifference
from tests.reliability.worlds import World, import_master


def hold(world: World) -> None:
    world.send(world.place())
    world.trade(world.price - 1)
    world.reconcile()


def rename(world: World) -> str:
    """Import the day's list once more, in which the share is called otherwise."""
    old = world.instrument.trading_symbol
    new = f"{old}NEW"
    secrets = session_secrets(world.account.connection, now=world.clock())
    import_master(world.served, secrets, renamed=(old.encode(), new.encode()))
    return new


class TestAHeldShareThatIsRenamed:
    def test_stays_the_one_position_that_its_broker_has(self, world: World) -> None:
        hold(world)
        new = rename(world)
        assert world.reconcile().agrees
        held = Position.objects.open().get()
        assert (held.instrument, held.instrument.trading_symbol) == (world.instrument, new)
        assert not PositionDifference.objects.exists()

    def test_is_sold_under_the_name_that_its_broker_has_for_it(self, world: World) -> None:
        hold(world)
        new = rename(world)
        world.instrument = Instrument.objects.get(pk=world.instrument.pk)
        way_out = world.place(Side.SELL)
        assert way_out.is_exit
        assert ref_for(way_out).broker_symbol.removesuffix("-EQ") == new
