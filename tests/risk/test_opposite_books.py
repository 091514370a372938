"""Two strategies of one account that hold opposite positions, which the broker nets."""

from uuid import UUID

import pytest

from brokers.terms import Side
from orders.models import Order, OrderSource
from orders.services.exiting import NothingToExit, exit_position, exit_positions
from orders.services.modifying import OrderChanges, OrderInvalid, modify_order
from orders.states import OrderStatus
from portfolio.models import Position
from risk.models import Trading
from tests.orders.desk import Desk, make_desk
from tests.portfolio.fills import make_fill, make_running_strategy, record
from tests.risk.test_judging import state

pytestmark = pytest.mark.django_db


def opposed(long: int, short: int) -> tuple[Desk, Position, Position]:
    """A desk where one strategy is long and another short of the same shares."""
    desk = make_desk()
    first = hold(desk, "first", f"BUY {long} @ 100")
    return desk, first, hold(desk, "second", f"SELL {short} @ 100")


def hold(desk: Desk, name: str, words: str) -> Position:
    strategy: UUID = make_running_strategy(desk.account, name)
    record(make_fill(desk.account, desk.instrument, words, user_strategy_id=strategy))
    return Position.objects.open().get(user_strategy=strategy)


def leave(desk: Desk, position: Position, source: OrderSource = OrderSource.MANUAL) -> Order:
    key = f"out of {position.pk}"
    [order] = exit_position(
        position, by=desk.user, now=desk.now, idempotency_key=key, source=source
    )
    return order


def leave_all(
    desk: Desk, positions: list[Position]
) -> tuple[list[tuple[str, int, OrderStatus]], list[str]]:
    orders, complaints = exit_positions(
        positions, by=desk.user, now=desk.now, idempotency_key="all of them"
    )
    return [(each.side, each.quantity, each.state) for each in orders], complaints


def enlarge(desk: Desk, order: Order, quantity: int) -> Order:
    changes = OrderChanges(quantity=quantity, price=None)
    return modify_order(order, changes=changes, by=desk.user, now=desk.now)


class TestAnExitOfOneOfThem:
    @pytest.mark.parametrize("trading", [Trading.REDUCING, Trading.HALTED])
    def test_that_would_open_a_position_at_the_broker_is_refused_while_trading_is_stopped(
        self, trading: Trading
    ) -> None:
        desk, long, short = opposed(10, 10)
        state(desk, trading)
        assert [leave(desk, each).state for each in (long, short)] == [OrderStatus.DENIED] * 2

    def test_is_refused_with_what_can_be_done(self) -> None:
        desk, long, _ = opposed(10, 10)
        state(desk, Trading.HALTED)
        assert leave(desk, long).error_message == (
            "Trading is halted. a drill. 10 are held against an opposite position in this account "
            "and are nothing at the broker: closed alone, they would open a position there. "
            "To close both, let trading go on and exit the two together."
        )

    def test_is_told_how_much_of_it_is_an_exit(self) -> None:
        desk, long, _ = opposed(10, 4)
        state(desk, Trading.HALTED)
        words = leave(desk, long).error_message
        assert "You can exit up to 6. 4 are held against an opposite position" in words

    def test_passes_for_as_much_as_the_account_holds(self) -> None:
        desk, *_ = opposed(10, 4)
        state(desk, Trading.HALTED)
        order = desk.place(Side.SELL, 6)
        assert (order.is_exit, order.state) == (True, OrderStatus.PENDING)

    def test_is_judged_as_an_entry_while_trading_goes_on(self) -> None:
        desk, long, _ = opposed(10, 10)
        order = leave(desk, long)
        assert (order.is_exit, order.state) == (False, OrderStatus.PENDING)

    def test_of_which_another_exit_is_under_way_is_not_called_opposed(self) -> None:
        desk = make_desk()
        position = hold(desk, "first", "BUY 10 @ 100")
        assert desk.place(Side.SELL, 10).is_exit
        state(desk, Trading.HALTED)
        assert "opposite" not in leave(desk, position).error_message


class TestAnExitOfAllOfThem:
    @pytest.mark.parametrize("is_long_first", [True, False])
    def test_closes_what_the_account_holds_while_trading_is_stopped(
        self, is_long_first: bool
    ) -> None:
        desk, *both = opposed(10, 4)
        state(desk, Trading.HALTED)
        orders, complaints = leave_all(desk, both if is_long_first else both[::-1])
        assert orders == [(Side.SELL, 6, OrderStatus.PENDING)]
        assert len(complaints) == 1
        assert "held against an opposite position" in complaints[0]

    def test_closes_each_while_trading_goes_on(self) -> None:
        desk, *both = opposed(10, 4)
        orders, complaints = leave_all(desk, both)
        assert [quantity for _, quantity, _ in orders] == [10, 4]
        assert not complaints


class TestAnExitThatIsMadeLarger:
    def test_than_the_accounts_net_is_refused_while_trading_is_stopped(self) -> None:
        desk = make_desk()
        desk.buy(10)
        hold(desk, "second", "SELL 6 @ 100")
        resting = desk.send(desk.place(Side.SELL, 4, limit="110.00"))
        assert resting.is_exit
        state(desk, Trading.HALTED)
        with pytest.raises(OrderInvalid, match="Only 4 are left"):
            enlarge(desk, resting, 10)

    def test_within_the_accounts_net_passes_though_its_own_book_is_empty(self) -> None:
        desk = make_desk()
        hold(desk, "first", "BUY 10 @ 100")
        resting = desk.send(desk.place(Side.SELL, 5, limit="110.00"))
        assert resting.is_exit
        assert enlarge(desk, resting, 6).state is OrderStatus.MODIFY_PENDING


class TestARulesOwnExit:
    def test_of_what_is_nothing_at_the_broker_is_not_placed_while_trading_is_stopped(self) -> None:
        desk, long, short = opposed(10, 10)
        state(desk, Trading.REDUCING)
        for position in (long, short):
            with pytest.raises(NothingToExit):
                leave(desk, position, OrderSource.RISK)
        assert not Order.objects.filter(source=OrderSource.RISK).exists()

    def test_closes_what_is_an_exit_for_the_account(self) -> None:
        desk, long, _ = opposed(10, 4)
        state(desk, Trading.REDUCING)
        order = leave(desk, long, OrderSource.RISK)
        assert (order.quantity, order.is_exit, order.state) == (6, True, OrderStatus.PENDING)

    def test_closes_all_of_it_while_trading_goes_on(self) -> None:
        desk, long, _ = opposed(10, 4)
        assert leave(desk, long, OrderSource.RISK).quantity == 10
