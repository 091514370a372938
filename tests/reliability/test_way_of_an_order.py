"""An order's whole way to each broker and back: connected, sent, filled, booked, agreed."""

from brokers.terms import Side
from orders.states import OrderStatus
from portfolio.models import Position
from tests.reliability.worlds import World


class TestAnAccountConnected:
    def test_agrees_with_its_broker(self, world: World) -> None:
        assert world.account.reconciled_at is not None


class TestAnOrder:
    def test_is_sent_once_and_known_by_its_tag(self, world: World) -> None:
        order = world.send(world.place(below="5"))
        assert [each.order_id for each in world.at_broker(order)] == [order.broker_order_id]

    def test_is_filled_and_booked(self, world: World) -> None:
        order = world.send(world.place())
        world.trade(world.price - 1)
        world.reconcile()
        order.refresh_from_db()
        assert (order.status, order.filled_quantity) == (OrderStatus.FILLED, 10)
        assert Position.objects.get(account=world.account, position_type="NET").quantity == 10

    def test_placed_in_the_brokers_app_is_adopted(self, world: World) -> None:
        world.place_outside(Side.BUY, 5, price=world.price + 1)
        world.trade(world.price)
        world.reconcile()
        assert Position.objects.get(account=world.account, position_type="NET").quantity == 5
