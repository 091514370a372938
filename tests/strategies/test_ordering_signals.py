"""A recorded signal becomes one order, or says why not."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Membership, Role, User
from brokers.gateway import QuoteTick
from brokers.models import TradingAccount
from brokers.terms import Side
from market.models import Instrument
from market.quotes import write_quotes
from notifications.models import AlertLevel, Notification
from operations.models import ErrorLog, Event
from orders.models import Order, OrderSource
from orders.requests import OrderRequest
from orders.services.commanding import advance_order
from orders.services.exiting import exit_position
from orders.services.placing import place_order
from orders.states import OrderStatus
from portfolio.models import MarginRequirement, Position
from risk.models import Reservation, Trading
from risk.services.switching import Cause, Scope, set_trading_state
from strategies.models import ActivationStatus, Signal, SignalStatus, UserStrategy
from strategies.services import evaluate_candle, place_signal_orders
from tests.builders import make_user
from tests.strategies.bars import FIVE_MINUTES, OPENING
from tests.strategies.desk import (
    FIRST_CLOSE,
    hold,
    make_activation,
    make_paper_account,
    make_strategy,
    only_instrument,
    store,
    trade_at,
)

pytestmark = pytest.mark.django_db
SOON = FIRST_CLOSE + timedelta(seconds=1)


def record_entry(**fields: Any) -> Signal:
    """A signal to buy 99 at 101, just recorded, in an open market."""
    activation = make_activation(account=make_paper_account(), **fields)
    return record(activation, close=101)


def record(activation: UserStrategy, *, close: int, at: datetime = OPENING) -> Signal:
    instrument = only_instrument(activation)
    store(instrument, close, start=at)
    now = at + FIVE_MINUTES
    write_quotes([QuoteTick(instrument.key, Decimal(close), now, 1000)])
    signal = evaluate_candle(activation, instrument=instrument, candle_at=at, now=now)
    assert signal is not None
    return signal


def outcome(signal: Signal) -> tuple[str, str]:
    signal.refresh_from_db()
    return signal.status, signal.outcome


class TestSignalIsNotOrdered:
    def test_and_says_so_to_its_owner_once(self) -> None:
        signal = record_entry()
        Membership.objects.update(role=Role.VIEWER)
        place_signal_orders(SOON)
        place_signal_orders(SOON)
        told = Notification.objects.get()
        assert (told.user, told.alert_level) == (signal.user_strategy.user, AlertLevel.WARNING)
        assert told.title == "Not ordered: Buy 99 RELIANCE"

    def test_and_says_so_when_it_was_too_late(self) -> None:
        place_signal_orders(record_entry().expires_at)
        assert "No order was placed in time" in Notification.objects.get().message

    def test_and_says_nothing_where_its_strategy_was_paused(self) -> None:
        record_entry()
        UserStrategy.objects.update(status=ActivationStatus.PAUSED)
        place_signal_orders(SOON)
        assert not Notification.objects.exists()

    def test_of_a_replay_and_tells_nobody(self) -> None:
        signal = record_entry()
        TradingAccount.objects.update(own_clock=True)
        place_signal_orders(signal.expires_at, accounts=list(TradingAccount.objects.all()))
        assert outcome(signal)[0] == SignalStatus.EXPIRED
        assert not Notification.objects.exists()

    def test_when_it_comes_too_late(self) -> None:
        signal = record_entry()
        assert place_signal_orders(signal.expires_at) == []
        assert outcome(signal) == (SignalStatus.EXPIRED, "No order was placed in time")

    @pytest.mark.parametrize("status", [ActivationStatus.PAUSED, ActivationStatus.STOPPED])
    def test_when_its_strategy_does_not_run_any_more(self, status) -> None:
        signal = record_entry()
        UserStrategy.objects.update(status=status)
        assert place_signal_orders(SOON) == []
        assert outcome(signal) == (SignalStatus.EXPIRED, f"The strategy was {status.lower()}")

    def test_when_its_owner_may_not_trade_any_more(self) -> None:
        signal = record_entry()
        Membership.objects.update(role=Role.VIEWER)
        assert place_signal_orders(SOON) == []
        assert outcome(signal)[0] == SignalStatus.REFUSED

    def test_when_the_order_would_not_be_valid(self) -> None:
        signal = record_entry()
        closed = OPENING + timedelta(hours=8)
        Signal.objects.update(expires_at=closed + FIVE_MINUTES)
        assert place_signal_orders(closed) == []
        status, words = outcome(signal)
        assert status == SignalStatus.REFUSED
        assert "market is closed" in words

    def test_when_the_position_it_would_close_is_gone(self) -> None:
        activation = make_activation(account=make_paper_account())
        hold(activation, only_instrument(activation), 10)
        signal = record(activation, close=89)
        Position.objects.all().delete()
        assert place_signal_orders(SOON) == []
        assert outcome(signal)[1] == "The position had been closed already"

    def test_when_it_is_a_replays_and_the_house_sweeps(self) -> None:
        signal = record_entry()
        account = signal.user_strategy.account
        account.own_clock = True
        account.save(update_fields=["own_clock"])
        assert place_signal_orders(SOON) == []
        assert outcome(signal)[0] == SignalStatus.RECORDED

    def test_when_a_hand_closes_its_position_already(self) -> None:
        activation = make_activation(account=make_paper_account())
        position = hold(activation, only_instrument(activation), 99)
        signal = record(activation, close=89)
        exit_position(position, by=activation.user, now=SOON, idempotency_key="by hand")
        assert place_signal_orders(SOON) == []
        assert outcome(signal)[1] == "The position is being closed already"
        assert Order.objects.get().source == OrderSource.MANUAL

    def test_and_does_not_hold_back_the_next_one(self) -> None:
        first = record_entry()
        Signal.objects.update(signal_type="HOLD")  # as only a defect could write it
        account = make_paper_account(user=make_user("bela"))
        other = make_activation(
            first.instrument, account=account, strategy=make_strategy("another")
        )
        record(other, close=101)
        assert [order.account for order in place_signal_orders(SOON)] == [account]
        assert ErrorLog.objects.get().error_type == "ValueError"


class TestSignalRiskRefuses:
    def test_keeps_the_denied_order_and_its_reason(self) -> None:
        signal = record_entry()
        cause = Cause("Lunch", by=signal.user_strategy.user)
        scope = Scope(signal.user_strategy.workspace)
        set_trading_state(scope, Trading.HALTED, cause=cause, now=SOON)
        place_signal_orders(SOON)
        status, words = outcome(signal)
        assert status == SignalStatus.REFUSED
        assert words
        assert signal.order is not None
        assert signal.order.status == OrderStatus.DENIED


class TestSignalIsOrdered:
    def test_with_its_side_quantity_and_strategy(self) -> None:
        signal = record_entry()
        [order] = place_signal_orders(SOON)
        assert (order.side, order.quantity, order.source) == ("BUY", 99, OrderSource.STRATEGY)
        assert order.user_strategy_id == signal.user_strategy_id
        assert outcome(signal) == (SignalStatus.ORDERED, "")
        assert signal.order == order

    def test_in_slices_where_it_is_above_the_freeze_quantity(self) -> None:
        signal = record_entry()
        freeze(40)
        assert place_signal_orders(SOON) == [signal_order(signal)]
        assert list(Order.objects.order_by("pk").values_list("quantity", flat=True)) == [40, 40, 19]

    def test_in_the_slices_that_a_worker_which_died_left_out(self) -> None:
        signal = record_entry()
        freeze(40)
        place_signal_orders(SOON)
        forget(Order.objects.get(quantity=19))
        Signal.objects.update(status=SignalStatus.RECORDED, order=None)
        place_signal_orders(SOON)
        assert list(Order.objects.order_by("pk").values_list("quantity", flat=True)) == [40, 40, 19]
        assert outcome(signal) == (SignalStatus.ORDERED, "")

    def test_once_however_often_the_sweep_runs(self) -> None:
        record_entry()
        place_signal_orders(SOON)
        assert place_signal_orders(SOON) == []
        assert Order.objects.count() == 1

    def test_and_learns_of_an_order_that_was_written_before_the_worker_died(self) -> None:
        signal = record_entry()
        [order] = place_signal_orders(SOON)
        Signal.objects.update(status=SignalStatus.RECORDED, order=None)
        long_after = signal.expires_at + timedelta(hours=1)
        assert place_signal_orders(long_after) == [order]
        assert outcome(signal) == (SignalStatus.ORDERED, "")

    def test_and_its_owner_hears_of_it_once_it_has_filled(self) -> None:
        record_entry()
        [order] = place_signal_orders(SOON)
        assert not Notification.objects.exists()
        fill(order, at=SOON)
        assert Notification.objects.get().title.startswith("Buy 99 RELIANCE filled at")

    def test_and_the_pages_are_told(self) -> None:
        record_entry()
        before = Event.objects.filter(kind="signals").count()
        place_signal_orders(SOON)
        assert Event.objects.filter(kind="signals").count() == before + 1


class TestExit:
    def test_closes_what_the_entry_opened(self) -> None:
        entry = record_entry()
        activation, instrument = entry.user_strategy, entry.instrument
        fill(place_signal_orders(SOON)[0], at=SOON)
        exit_signal = record(activation, close=89, at=OPENING + 2 * FIVE_MINUTES)
        later = exit_signal.created_at + timedelta(seconds=1)
        [order] = place_signal_orders(later)
        fill(order, at=later)
        assert order.is_exit
        assert not Position.objects.open().filter(instrument=instrument).exists()

    @pytest.mark.parametrize("role", [Role.VIEWER, None])
    def test_is_placed_though_its_owner_may_not_trade_any_more(self, role: Role | None) -> None:
        activation = make_activation(account=make_paper_account())
        hold(activation, only_instrument(activation), 99)
        record(activation, close=89)
        User.objects.update(access_until=SOON - timedelta(hours=1))
        Membership.objects.update(role=role) if role else Membership.objects.all().delete()
        [order] = place_signal_orders(SOON)
        assert (order.side, order.status, order.is_exit) == ("SELL", OrderStatus.PENDING, True)

    def test_sells_only_what_no_hand_is_selling(self) -> None:
        activation = make_activation(account=make_paper_account())
        position = hold(activation, only_instrument(activation), 99)
        record(activation, close=89)
        request = OrderRequest(
            account=activation.account,
            instrument=position.instrument,
            side=Side.SELL,
            quantity=90,
            user_strategy_id=activation.pk,
            reduce_only=True,
        )
        place_order(request, user=activation.user, idempotency_key="by hand", now=SOON)
        assert [order.quantity for order in place_signal_orders(SOON)] == [9]

    def test_leaves_in_slices_where_it_is_above_the_freeze_quantity(self) -> None:
        activation = make_activation(account=make_paper_account())
        hold(activation, only_instrument(activation), 99)
        record(activation, close=89)
        freeze(40)
        place_signal_orders(SOON)
        assert list(Order.objects.order_by("pk").values_list("quantity", flat=True)) == [40, 40, 19]

    @pytest.mark.parametrize(
        ("held", "sold"), [(80, [40, 40]), (99, [40, 40, 19]), (200, [40] * 5)]
    )
    def test_is_finished_though_slices_of_a_worker_that_died_have_filled(
        self, held: int, sold: list[int]
    ) -> None:
        exit_signal, first = half_exited(held)
        fill(first, at=SOON)
        place_signal_orders(SOON)
        assert quantities_sold() == sold
        assert outcome(exit_signal) == (SignalStatus.ORDERED, "")

    def test_is_finished_for_no_more_than_its_signal_saw(self) -> None:
        _, first = half_exited(99)
        fill(first, at=SOON)
        Position.objects.update(quantity=500, open_cost=Decimal(50_000))
        place_signal_orders(SOON)
        assert quantities_sold() == [40, 40, 19]

    def test_that_is_too_late_to_be_finished_tells_its_owner_what_stays_open(self) -> None:
        exit_signal, first = half_exited(99)
        fill(first, at=SOON)
        place_signal_orders(exit_signal.expires_at)
        words = "59 stay open, and no further order was placed: it was too late. Exit by hand"
        assert outcome(exit_signal) == (SignalStatus.ORDERED, words)
        told = Notification.objects.get(message__endswith=words)
        assert told.title == "Not all ordered: Sell 99 RELIANCE"

    def test_that_is_found_too_late_and_leaves_nothing_open_tells_nothing(self) -> None:
        exit_signal, first = half_exited(40)
        fill(first, at=SOON)
        place_signal_orders(exit_signal.expires_at)
        assert outcome(exit_signal) == (SignalStatus.ORDERED, "")

    def test_sells_no_more_than_is_left(self) -> None:
        entry = record_entry()
        fill(place_signal_orders(SOON)[0], at=SOON)
        exit_signal = record(entry.user_strategy, close=89, at=OPENING + 2 * FIVE_MINUTES)
        Signal.objects.filter(pk=exit_signal.pk).update(quantity=150)
        [order] = place_signal_orders(exit_signal.created_at)
        assert order.quantity == 99


def half_exited(held: int) -> tuple[Signal, Order]:
    """An exit of which a worker wrote the first slice of 40 and died."""
    entry = record_entry(allocation_amount=Decimal(101 * held))
    fill(place_signal_orders(SOON)[0], at=SOON)
    exit_signal = record(entry.user_strategy, close=89, at=OPENING + 2 * FIVE_MINUTES)
    freeze(40)
    place_signal_orders(SOON)
    first, *others = Order.objects.filter(side="SELL").order_by("pk")
    for order in others:
        forget(order)
    Signal.objects.filter(pk=exit_signal.pk).update(status=SignalStatus.RECORDED, order=None)
    return exit_signal, first


def quantities_sold() -> list[int]:
    return list(Order.objects.filter(side="SELL").order_by("pk").values_list("quantity", flat=True))


def freeze(quantity: int) -> None:
    Instrument.objects.update(freeze_quantity=quantity)


def signal_order(signal: Signal) -> Order:
    return Order.objects.get(idempotency_key=str(signal.pk))


def forget(order: Order) -> None:
    """Undo an order as if it had never been written."""
    Reservation.objects.filter(order_id=order.pk).delete()
    MarginRequirement.objects.filter(order=order).delete()
    order.events.all().delete()
    order.delete()


def fill(order: Order, *, at: datetime) -> None:
    """Send the order and let the market trade until it is filled."""
    advance_order(order.pk, clock=lambda: at)
    price = str(order.average_price or 101)
    for seconds in (1, 2):
        trade_at(order.account, order.instrument, price, at + timedelta(seconds=seconds))
    order.refresh_from_db()
    assert order.status == OrderStatus.FILLED
