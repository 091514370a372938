"""An order above the freeze quantity goes in several: whole lots, each with its own outcome."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from brokers.terms import Side
from market.models import Instrument
from orders.models import Order
from orders.preview import preview_order
from orders.requests import OrderRequest
from orders.services.placing import IdempotencyConflict, OrderInvalid
from orders.services.slicing import Placed, place_in_slices
from orders.slicing import slices_of
from orders.states import OrderStatus
from risk.models import RuleType, Trading
from risk.services.switching import Cause, Scope, set_trading_state
from tests.orders.desk import Desk, make_desk
from tests.risk.test_judging import limit


class TestSlicesOf:
    @pytest.mark.parametrize(
        ("quantity", "lot", "freeze", "quantities", "odd_lot"),
        [
            (7085, 65, 3510, (3510, 3510, 65), 0),
            (900, 65, 3510, (845,), 55),
            (55, 65, 3510, (), 55),
            (1820, 65, 1800, (1755, 65), 0),
            (250, 1, None, (250,), 0),
            (130, 65, 50, (65, 65), 0),
            (0, 65, 3510, (), 0),
        ],
    )
    def test_are_whole_lots_and_name_the_rest(
        self, quantity: int, lot: int, freeze: int | None, quantities: tuple[int, ...], odd_lot: int
    ) -> None:
        slices = slices_of(quantity, lot=lot, freeze=freeze)
        assert (slices.quantities, slices.odd_lot) == (quantities, odd_lot)

    @settings(deadline=None)
    @given(some.integers(0, 20_000), some.integers(1, 2000), some.integers(1, 60_000) | some.none())
    def test_add_up_and_stay_within_the_freeze(
        self, quantity: int, lot: int, freeze: int | None
    ) -> None:
        slices = slices_of(quantity, lot=lot, freeze=freeze)
        assert sum(slices.quantities) + slices.odd_lot == quantity
        assert slices.odd_lot < lot
        assert all(each % lot == 0 and each > 0 for each in slices.quantities)
        assert all(each <= max(freeze or quantity, lot) for each in slices.quantities)


@pytest.fixture
def desk() -> Desk:
    desk = make_desk(cash="100000000")
    freeze(100)
    desk.instrument.refresh_from_db()
    return desk


def freeze(quantity: int) -> None:
    Instrument.objects.update(freeze_quantity=quantity)


def request(desk: Desk, quantity: int, side: Side = Side.BUY) -> OrderRequest:
    instrument = Instrument.objects.get()
    return OrderRequest(account=desk.account, instrument=instrument, side=side, quantity=quantity)


def place(desk: Desk, quantity: int, side: Side = Side.BUY) -> Placed:
    return place_in_slices(
        request(desk, quantity, side), user=desk.user, idempotency_key="k", now=desk.now
    )


def quantities(placed: Placed) -> list[int]:
    return [order.quantity for order in placed.orders]


@pytest.mark.django_db
class TestAnOrderInSlices:
    def test_is_refused_where_an_entry_needs_more_than_ten(self, desk: Desk) -> None:
        with pytest.raises(OrderInvalid, match="1,001 would take 11 orders of at most 100") as told:
            place(desk, 1001)
        assert "enter at most 1,000" in str(told.value)
        assert not Order.objects.exists()

    def test_is_refused_whole_where_the_whole_passes_a_limit(self, desk: Desk) -> None:
        limit(desk, RuleType.MAX_POSITION_SIZE, "20000")
        with pytest.raises(OrderInvalid):
            place(desk, 250)
        assert not Order.objects.exists()

    def test_is_refused_where_it_is_a_slip_of_the_finger(self, desk: Desk) -> None:
        with pytest.raises(OrderInvalid, match="One order may carry at most 100"):
            place(desk, 10**9)

    def test_is_refused_off_the_lot_as_any_other(self, desk: Desk) -> None:
        Instrument.objects.update(lot_size=25)
        with pytest.raises(OrderInvalid, match="multiple of the lot, 25"):
            place(desk, 260)

    @pytest.mark.parametrize(("first", "second"), [(100, 1000), (250, 350), (350, 250), (250, 100)])
    def test_is_refused_where_its_key_was_used_for_another_quantity(
        self, desk: Desk, first: int, second: int
    ) -> None:
        placed = place(desk, first)
        with pytest.raises(IdempotencyConflict):
            place(desk, second)
        assert Order.objects.count() == len(placed.orders)

    def test_is_refused_where_its_key_was_used_with_other_slices(self, desk: Desk) -> None:
        place(desk, 250)
        freeze(50)
        with pytest.raises(IdempotencyConflict):
            place(desk, 250)
        assert Order.objects.count() == 3

    def test_has_an_order_for_each_slice(self, desk: Desk) -> None:
        placed = place(desk, 250)
        assert quantities(placed) == [100, 100, 50]
        assert [order.idempotency_key for order in placed.orders] == ["k", "k:2", "k:3"]
        assert all(order.state is OrderStatus.PENDING for order in placed.orders)

    def test_asked_for_again_answers_the_same_orders(self, desk: Desk) -> None:
        first = place(desk, 250)
        assert place(desk, 250) == first
        assert Order.objects.count() == 3

    def test_is_one_order_below_the_freeze(self, desk: Desk) -> None:
        assert quantities(place(desk, 100)) == [100]

    def test_goes_on_beyond_ten_where_it_is_an_exit(self) -> None:
        desk = make_desk(cash="100000000")
        desk.buy(250)
        freeze(20)
        assert quantities(place(desk, 250, Side.SELL)) == [20] * 12 + [10]

    def test_is_foreseen_as_it_is_placed(self, desk: Desk) -> None:
        assert preview_order(request(desk, 250), now=desk.now).orders == 3
        refused = preview_order(request(desk, 1001), now=desk.now)
        assert "enter at most 1,000" in refused.errors["quantity"][0]

    def test_places_nothing_while_entries_are_stopped(self, desk: Desk) -> None:
        scope, cause = Scope(desk.account.workspace), Cause("Lunch", by=desk.user)
        set_trading_state(scope, Trading.HALTED, cause=cause, now=desk.now)
        with pytest.raises(OrderInvalid, match="Trading is halted"):
            place(desk, 250)
