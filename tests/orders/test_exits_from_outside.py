"""An exit from outside counts, until it fills, in the books that it would close."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from brokers.gateway import BrokerStatus, OrderReport
from brokers.terms import OrderType, Product, Side, Validity
from notifications.models import Notification
from operations.ids import new_id
from orders.models import EventSource, Order, OrderSource
from orders.services.exiting import NothingToExit, exit_position
from orders.services.reporting import apply_updates
from portfolio.models import Position
from risk.models import Reservation
from risk.rules import Exposure
from risk.selectors import Book, exitable_quantities, exposure
from risk.services import ProtectiveExit
from tests.orders.desk import Desk, make_desk
from tests.portfolio.fills import make_fill, make_running_strategy, record
from trading_site.watching import place_protective_exit

pytestmark = pytest.mark.django_db


def hold(desk: Desk, name: str, words: str) -> Position:
    strategy: UUID = make_running_strategy(desk.account, name)
    record(make_fill(desk.account, desk.instrument, words, user_strategy_id=strategy))
    return Position.objects.open().get(user_strategy=strategy)


def stop_outside(desk: Desk, quantity: int, *, number: str = "X1", **fields: Any) -> Order:
    """A stop-loss that rests at the broker, placed in its own app."""
    report = OrderReport(
        broker_order_id=number,
        tag="",
        instrument_key=desk.instrument.key,
        side=Side.SELL,
        order_type=OrderType.SL_M,
        product=Product.MIS,
        validity=Validity.DAY,
        status=BrokerStatus.TRIGGER_PENDING,
        quantity=quantity,
        filled_quantity=0,
        updated_at=desk.now,
        sequence=1,
        trigger_price=Decimal(95),
    )
    apply_updates(
        desk.account,
        orders=[replace(report, **fields)],
        trades=[],
        source=EventSource.RECONCILE,
        now=desk.now,
    )
    return Order.objects.get(source=OrderSource.EXTERNAL, broker_order_id=number)


def leave(desk: Desk, position: Position) -> list[Order]:
    key = f"out of {position.pk}"
    return exit_position(position, by=desk.user, now=desk.now, idempotency_key=key)


class TestAnExitBesideOneFromOutside:
    def test_of_all_of_a_strategys_position_is_not_placed(self) -> None:
        desk = make_desk()
        position = hold(desk, "first", "BUY 100 @ 100")
        order = stop_outside(desk, 100)
        assert order.user_strategy_id is None
        with pytest.raises(NothingToExit):
            leave(desk, position)

    def test_closes_what_the_other_leaves(self) -> None:
        desk = make_desk()
        position = hold(desk, "first", "BUY 100 @ 100")
        stop_outside(desk, 70)
        [order] = leave(desk, position)
        assert (order.quantity, order.is_exit) == (30, True)

    def test_is_placed_once_the_other_was_cancelled(self) -> None:
        desk = make_desk()
        position = hold(desk, "first", "BUY 100 @ 100")
        stop_outside(desk, 100)
        stop_outside(desk, 100, status=BrokerStatus.CANCELLED, sequence=2)
        assert leave(desk, position)[0].quantity == 100


class TestARulesExitBesideOneFromOutside:
    def test_is_told_for_the_other_may_wait_long(self) -> None:
        desk = make_desk()
        position = hold(desk, "first", "BUY 100 @ 100")
        stop_outside(desk, 100)
        demand = ProtectiveExit(position.pk, new_id(), "a drill")
        place_protective_exit(demand, now=desk.now)
        told = Notification.objects.get(title__startswith="Not closed")
        assert "an order placed in the broker's own app waits to close it" in told.message


class TestAnOrderFromOutsideThatWaits:
    def test_counts_in_the_books_that_its_fill_would_close(self) -> None:
        desk = make_desk()
        first = hold(desk, "first", "BUY 60 @ 100")
        second = hold(desk, "second", "BUY 60 @ 100")
        stop_outside(desk, 100)
        assert _own(desk, first).pending_sells == 60
        assert _own(desk, second).exitable(-1) == 20
        assert exitable_quantities([first, second]) == {first.pk: 0, second.pk: 20}

    def test_beyond_the_strategies_counts_in_the_accounts_own_book(self) -> None:
        desk = make_desk()
        hold(desk, "first", "BUY 60 @ 100")
        record(make_fill(desk.account, desk.instrument, "BUY 50 @ 100"))
        by_hand = Position.objects.open().get(user_strategy=None)
        stop_outside(desk, 70)
        assert exitable_quantities([by_hand]) == {by_hand.pk: 40}

    def test_follows_the_books_as_they_change(self) -> None:
        desk = make_desk()
        stop_outside(desk, 100)
        first = hold(desk, "first", "BUY 60 @ 100")
        assert _own(desk, first).exitable(-1) == 0

    def test_takes_turns_with_another_one(self) -> None:
        desk = make_desk()
        first = hold(desk, "first", "BUY 60 @ 100")
        second = hold(desk, "second", "BUY 60 @ 100")
        stop_outside(desk, 50)
        stop_outside(desk, 50, number="X2")
        assert exitable_quantities([first, second]) == {first.pk: 0, second.pk: 20}

    def test_on_the_other_side_closes_nothing(self) -> None:
        desk = make_desk()
        first = hold(desk, "first", "BUY 60 @ 100")
        stop_outside(desk, 50, side=Side.BUY, trigger_price=Decimal(105))
        assert _own(desk, first).exitable(-1) == 60
        assert Reservation.objects.get().is_outside

    def test_of_another_product_closes_nothing(self) -> None:
        desk = make_desk()
        first = hold(desk, "first", "BUY 60 @ 100")
        stop_outside(desk, 50, product=Product.CNC)
        assert exitable_quantities([first]) == {first.pk: 60}


def _own(desk: Desk, position: Position) -> Exposure:
    book = Book(desk.account, desk.instrument, Product.MIS)
    return exposure(book, strategy=position.user_strategy_id, own=True)
