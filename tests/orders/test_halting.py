from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from brokers.gateway import BrokerStatus, OrderReport, Refused
from brokers.terms import OrderType, Product, Side, Validity
from orders.models import EventSource, Order, OrderSource
from orders.services.halting import HaltRequest, halt_trading
from orders.services.reporting import apply_updates
from orders.services.stopping import sweep_stopped_entries
from orders.states import OrderStatus
from risk.models import Trading
from risk.selectors import effective_state
from tests.builders import make_user
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk

pytestmark = pytest.mark.django_db


def stop_in_the_brokers_app(desk: Desk) -> Order:
    """A stop-loss that somebody placed there for a position opened here."""
    report = OrderReport(
        broker_order_id="EXT1",
        tag="",
        instrument_key=desk.instrument.key,
        side=Side.SELL,
        order_type=OrderType.SL_M,
        product=Product.MIS,
        validity=Validity.DAY,
        status=BrokerStatus.TRIGGER_PENDING,
        quantity=100,
        filled_quantity=0,
        updated_at=desk.now,
        trigger_price=Decimal("95.00"),
    )
    source = EventSource.RECONCILE
    apply_updates(desk.account, orders=[report], trades=[], source=source, now=desk.now)
    return Order.objects.get(source=OrderSource.EXTERNAL)


def resting(desk: Desk) -> Order:
    order = desk.send(desk.place(limit="90.00"))
    desk.trade("100.00")
    order.refresh_from_db()
    return order


class TestAHalt:
    def test_by_a_stranger_is_refused(self) -> None:
        desk = make_desk()
        request = HaltRequest(by=make_user("mallory"), reason="", key="k")
        with pytest.raises(PermissionDenied):
            halt_trading(desk.account.workspace, request, now=desk.now)
        assert effective_state(desk.account) is Trading.ACTIVE

    def test_leaves_a_stop_loss_placed_in_the_brokers_app(self) -> None:
        desk = make_desk()
        desk.buy(100)
        stop = stop_in_the_brokers_app(desk)
        request = HaltRequest(by=desk.user, reason="Panic", key="k")
        assert halt_trading(desk.account.workspace, request, now=desk.now).cancelled == 0
        sweep_stopped_entries(now=desk.now)
        stop.refresh_from_db()
        assert stop.state is OrderStatus.TRIGGER_PENDING

    def test_does_not_ask_at_every_sweep_for_what_the_broker_refuses(self) -> None:
        desk = make_desk()
        resting(desk)
        asked = []

        def refuse() -> Refused:
            asked.append((desk.now - began).seconds)
            return Refused("Order is being processed", "E1")

        began, request = desk.now, HaltRequest(desk.user, "Panic", "k")
        with answering(cancel=refuse):
            halted = halt_trading(desk.account.workspace, request, now=desk.now)
            for _ in range(7):
                desk.now += timedelta(seconds=2)
                sweep_stopped_entries(now=desk.now)
        assert (halted.cancelled, len(halted.complaints)) == (0, 1)
        assert asked == [0, 10]

    def test_stops_trading_and_cancels_what_would_open_a_position(self) -> None:
        desk = make_desk()
        order = resting(desk)
        request = HaltRequest(by=desk.user, reason="Panic", key="k")
        halted = halt_trading(desk.account.workspace, request, now=desk.now)
        order.refresh_from_db()
        assert (halted.cancelled, halted.exits, halted.complaints) == (1, [], [])
        assert order.state is OrderStatus.CANCEL_PENDING
        assert effective_state(desk.account) is Trading.HALTED

    def test_exits_what_is_open_only_when_asked_to(self) -> None:
        desk = make_desk()
        desk.buy(10)
        request = HaltRequest(by=desk.user, reason="Panic", key="k", exits_positions=True)
        [order] = halt_trading(desk.account.workspace, request, now=desk.now).exits
        assert (order.side, order.quantity, order.is_exit) == (Side.SELL, 10, True)

    def test_says_what_could_not_be_cancelled(self) -> None:
        desk = make_desk()
        order = desk.place()
        Order.objects.filter(pk=order.pk).update(status=OrderStatus.UNKNOWN)
        request = HaltRequest(by=desk.user, reason="Panic", key="k")
        [complaint] = halt_trading(desk.account.workspace, request, now=desk.now).complaints
        assert "RELIANCE" in complaint
