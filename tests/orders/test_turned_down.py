"""Orders, cancels and changes that the broker never saw, or turned down: told, and never lost."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.adapters.paper.gateway import open_gateway
from brokers.answers import not_sent
from brokers.gateway import Gateway, ModifyRequest, Outcome, Refused, Unknown
from brokers.models import TradingAccount
from brokers.registry import Clock, use_gateway
from brokers.terms import Side
from notifications.models import AlertLevel, Notification
from orders.models import Order
from orders.services.cancelling import cancel_order
from orders.services.modifying import OrderChanges, modify_order
from orders.services.reconciling import reconcile_account
from orders.services.settling import settle_unknown
from orders.services.stopping import sweep_stopped_entries
from orders.states import OrderStatus
from risk.services import engage_kill_switch
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk, sweep_waiting
from tests.orders.test_cancelling import cancel, resting

pytestmark = pytest.mark.django_db
UNSENT = not_sent("Nobody is logged in at the broker.")
REFUSED = Refused("Order is being processed", "E1")


def titles() -> list[str]:
    return list(Notification.objects.order_by("created_at", "pk").values_list("title", flat=True))


def change(desk: Desk, order: Order) -> Order:
    changes = OrderChanges(price=Decimal("91.00"))
    return modify_order(order, changes=changes, by=desk.user, now=desk.now)


class TestACancelThatNeverLeft:
    def test_stays_wanted(self) -> None:
        desk = make_desk()
        order = cancel(desk, resting(desk))
        with answering(cancel=UNSENT):
            assert desk.send(order).state is OrderStatus.CANCEL_PENDING
        assert order.command_sent_at is None

    def test_leaves_with_the_next_sweep_that_can_send_it(self) -> None:
        desk = make_desk()
        order = cancel(desk, resting(desk))
        with answering(cancel=UNSENT):
            desk.send(order)
        sweep_waiting(desk.clock)
        desk.trade("100.00")
        order.refresh_from_db()
        assert order.state is OrderStatus.CANCELLED

    def test_is_not_taken_for_one_that_the_broker_ignored(self) -> None:
        desk = make_desk()
        order = cancel(desk, resting(desk))
        with answering(cancel=UNSENT):
            desk.send(order)
        desk.now += timedelta(seconds=60)
        reconcile_account(desk.account, clock=desk.clock)
        order.refresh_from_db()
        assert order.state is OrderStatus.CANCEL_PENDING

    def test_is_told_once_however_often_it_is_tried(self) -> None:
        desk = make_desk()
        order = cancel(desk, resting(desk))
        with answering(cancel=UNSENT):
            for _ in range(3):
                desk.send(order)
        told = Notification.objects.get(title="Cancel not sent yet: Buy 10 RELIANCE")
        assert "Nobody is logged in at the broker. It is tried again until it leaves." in (
            told.message
        )
        assert order.events.filter(event_type="CANCEL_NOT_SENT").count() == 1

    def test_leaves_an_order_that_has_filled_meanwhile_filled(self) -> None:
        desk = make_desk()
        order = cancel(desk, resting(desk))

        def answer() -> Outcome:
            desk.trade("85.00")
            return UNSENT

        with answering(cancel=answer):
            assert desk.send(order).state is OrderStatus.FILLED
        assert not any(title.startswith("Cancel") for title in titles())


class TestACancelThatTheBrokerRefused:
    def test_is_told_to_the_owner(self) -> None:
        desk = make_desk()
        order = cancel(desk, resting(desk))
        with answering(cancel=REFUSED):
            desk.send(order)
        told = Notification.objects.get()
        assert (told.user, told.title) == (desk.user, "Not cancelled: Buy 10 RELIANCE")
        assert told.message == "Order is being processed. The order is open as it was."

    def test_is_told_again_when_a_person_has_asked_again(self) -> None:
        desk = make_desk()
        order = resting(desk)
        for _ in range(2):
            with answering(cancel=REFUSED):
                desk.send(cancel(desk, order))
        assert titles() == ["Not cancelled: Buy 10 RELIANCE"] * 2

    def test_is_told_once_while_the_house_asks_again_and_again(self) -> None:
        desk = make_desk()
        order = resting(desk)
        engage_kill_switch(desk.account.workspace, by=None, reason="drill", now=desk.now)
        for _ in range(3):
            sweep_stopped_entries(now=desk.now)
            with answering(cancel=REFUSED):
                desk.send(order)
            desk.now += timedelta(seconds=11)
        assert titles().count("Not cancelled: Buy 10 RELIANCE") == 1

    def test_is_told_when_the_book_alone_shows_it(self) -> None:
        desk = make_desk()
        order = cancel(desk, resting(desk))
        with answering(cancel=Unknown("read timed out")):
            desk.send(order)
        desk.now += timedelta(seconds=31)
        reconcile_account(desk.account, clock=desk.clock)
        assert titles() == ["Not cancelled: Buy 10 RELIANCE"]


class TestAChangeThatNeverLeft:
    def test_is_refused_and_told_and_never_sent_later(self) -> None:
        desk = make_desk()
        order = change(desk, resting(desk))
        with answering(modify=UNSENT):
            assert desk.send(order).state is OrderStatus.OPEN
        assert sweep_waiting(desk.clock) == 0
        assert titles() == ["Not changed: Buy 10 RELIANCE"]

    def test_that_a_cancel_overtook_is_not_told(self) -> None:
        desk = make_desk()
        order = change(desk, resting(desk))

        def answer() -> Outcome:
            cancel_order(order, by=desk.user, now=desk.now)
            return UNSENT

        with answering(modify=answer):
            assert desk.send(order).state is OrderStatus.CANCEL_PENDING
        assert titles() == []


class TestAnOrderThatNeverLeft:
    def test_is_not_called_refused_by_the_broker(self) -> None:
        desk = make_desk()
        with answering(place=UNSENT):
            order = desk.send(desk.place())
        told = Notification.objects.get()
        assert told.title == "Buy 10 RELIANCE could not be sent"
        assert (told.alert_level, told.message) == (AlertLevel.ERROR, order.error_message)
        assert "It could not be sent: Nobody is logged in" in order.error_message

    def test_is_critical_when_it_is_an_exit(self) -> None:
        desk = make_desk()
        desk.buy(10)
        with answering(place=UNSENT):
            desk.send(desk.place(Side.SELL, 10))
        told = Notification.objects.get(alert_level=AlertLevel.CRITICAL)
        assert told.title == "Sell 10 RELIANCE could not be sent"
        assert told.message.endswith("broker. What it was to close is still open.")

    def test_that_was_lost_and_given_up_never_reached_the_broker(self) -> None:
        desk = make_desk()
        with answering(place=Unknown("read timed out")):
            order = desk.send(desk.place())
        for _ in range(2):
            desk.now += timedelta(seconds=301)
            settle_unknown(order.pk, clock=desk.clock)
        assert titles()[-1] == "Buy 10 RELIANCE never reached the broker"

    def test_that_the_broker_did_refuse_is_told_as_such(self) -> None:
        desk = make_desk()
        with answering(place=Refused("Margin shortfall", "RMS-17")):
            desk.send(desk.place())
        assert titles() == ["Buy 10 RELIANCE refused by the broker"]


@dataclass
class Listening:
    """The paper broker, and what it was asked to change."""

    asked: list[ModifyRequest] = field(default_factory=list)

    def factory(self, account: TradingAccount, clock: Clock) -> Gateway:
        gateway = open_gateway(account, clock)
        return _Tapped(gateway, self.asked)  # type: ignore[return-value]  # passes all else on


@dataclass
class _Tapped:
    gateway: Gateway
    asked: list[ModifyRequest]

    def __getattr__(self, name: str) -> object:
        return getattr(self.gateway, name)

    def modify(self, request: ModifyRequest) -> Outcome:
        self.asked.append(request)
        return self.gateway.modify(request)


class TestAChange:
    def test_tells_the_broker_s_line_whether_it_is_of_an_exit(self) -> None:
        desk, listening = make_desk(), Listening()
        desk.buy(10)
        orders = [
            desk.send(desk.place(side, 10, limit=limit))
            for side, limit in ((Side.SELL, "110.00"), (Side.BUY, "90.00"))
        ]
        desk.trade("100.00")
        use_gateway("paper", listening.factory)
        for order, price in zip(orders, ("111.00", "91.00"), strict=True):
            changes = OrderChanges(price=Decimal(price))
            order.refresh_from_db()
            desk.send(modify_order(order, changes=changes, by=desk.user, now=desk.now))
        use_gateway("paper", None)
        assert [each.is_exit for each in listening.asked] == [True, False]
