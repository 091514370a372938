"""An activation's figures are those of its orders and trades, however often they are worked out."""

from datetime import timedelta

import pytest
from django.db.models import Sum

from orders.models import Order, Trade
from orders.states import OrderStatus
from strategies.models import Signal, UserStrategy
from strategies.services import place_signal_orders, refresh_results
from tests.strategies.bars import FIVE_MINUTES, OPENING
from tests.strategies.test_ordering_signals import SOON, fill, record, record_entry

pytestmark = pytest.mark.django_db


def results() -> tuple[int, int]:
    activation = UserStrategy.objects.get()
    return activation.total_orders, activation.successful_orders


class TestRefreshResults:
    def test_counts_an_order_before_it_is_filled(self) -> None:
        record_entry()
        place_signal_orders(SOON)
        refresh_results(SOON)
        assert results() == (1, 0)

    def test_counts_a_filled_order_as_a_success(self) -> None:
        record_entry()
        fill(place_signal_orders(SOON)[0], at=SOON)
        refresh_results(SOON)
        assert results() == (1, 1)

    def test_does_not_count_what_risk_refused(self) -> None:
        record_entry()
        place_signal_orders(SOON)
        Order.objects.update(status=OrderStatus.DENIED)
        refresh_results(SOON)
        assert results() == (0, 0)

    def test_takes_the_charges_off_the_profit(self) -> None:
        entry = record_entry()
        fill(place_signal_orders(SOON)[0], at=SOON)
        leaving = record(entry.user_strategy, close=89, at=OPENING + 2 * FIVE_MINUTES)
        later = leaving.created_at + timedelta(seconds=1)
        fill(place_signal_orders(later)[0], at=later)
        refresh_results(later)
        booked = Trade.objects.aggregate(profit=Sum("realized_pnl"))["profit"]
        charges = sum(trade.charges for trade in Trade.objects.all())
        assert charges > 0
        assert UserStrategy.objects.get().total_pnl == booked - charges

    def test_changes_nothing_the_second_time(self) -> None:
        record_entry()
        place_signal_orders(SOON)
        assert refresh_results(SOON) == 1
        assert refresh_results(SOON) == 0

    def test_leaves_a_replay_to_itself(self) -> None:
        signal: Signal = record_entry()
        place_signal_orders(SOON)
        account = signal.user_strategy.account
        account.own_clock = True
        account.save(update_fields=["own_clock"])
        assert refresh_results(SOON) == 0
        assert refresh_results(SOON, accounts=[account]) == 1
