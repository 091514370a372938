"""A position above the freeze quantity leaves in several orders; one that cannot leave is told."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from market.models import Instrument
from notifications.models import AlertLevel, Notification
from orders.models import Order, OrderSource
from orders.services.exiting import NothingToExit, exit_position, exit_positions
from orders.services.halting import HaltRequest, halt_trading
from orders.services.placing import OrderInvalid
from orders.services.protecting import tell_not_exited
from orders.states import OrderStatus
from portfolio.models import MarginRequirement, Position
from risk.models import Reservation, RuleType
from risk.services import ProtectiveExit
from tests.orders.desk import Desk, make_desk
from tests.risk.test_evaluating import evaluate
from tests.risk.test_judging import limit
from trading_site.watching import place_protective_exit

pytestmark = pytest.mark.django_db


def frozen_desk(freeze: int = 100, *, lot: int = 1) -> tuple[Desk, Position]:
    """250 held, of which one order may carry 100."""
    desk = make_desk(cash="100000000")
    for quantity in (150, 100):
        desk.buy(quantity)
    Instrument.objects.update(freeze_quantity=freeze, lot_size=lot)
    return desk, position()


def position() -> Position:
    return Position.objects.open().select_related("account", "instrument", "user").get()


def leave(desk: Desk, source: OrderSource = OrderSource.MANUAL, key: str = "x") -> list[Order]:
    return exit_position(position(), by=desk.user, now=desk.now, idempotency_key=key, source=source)


def quantities(orders: list[Order]) -> list[int]:
    return [order.quantity for order in orders]


class TestAPositionAboveTheFreezeQuantity:
    @pytest.mark.parametrize("source", [OrderSource.MANUAL, OrderSource.RISK])
    def test_leaves_in_parts(self, source: OrderSource) -> None:
        desk, _ = frozen_desk()
        orders = leave(desk, source)
        assert quantities(orders) == [100, 100, 50]
        assert all(order.is_exit and order.state is OrderStatus.PENDING for order in orders)

    def test_leaves_in_whole_lots(self) -> None:
        desk, _ = frozen_desk(120, lot=50)
        assert quantities(leave(desk)) == [100, 100, 50]

    def test_leaves_with_a_key_for_each_part(self) -> None:
        desk, _ = frozen_desk()
        assert [order.idempotency_key for order in leave(desk)] == ["x", "x:2", "x:3"]

    def test_asked_for_twice_leaves_once(self) -> None:
        desk, _ = frozen_desk()
        leave(desk)
        with pytest.raises(NothingToExit):
            leave(desk)
        assert Order.objects.filter(side="SELL").count() == 3

    def test_is_finished_by_the_same_key_where_a_worker_died_between_two_parts(self) -> None:
        desk, _ = frozen_desk()
        for order in leave(desk)[1:]:
            _forget(order)
        assert quantities(leave(desk)) == [100, 100, 50]
        assert Order.objects.filter(side="SELL").count() == 3

    @pytest.mark.parametrize("source", [OrderSource.MANUAL, OrderSource.RISK])
    def test_is_finished_by_the_same_key_though_the_first_part_has_filled(
        self, source: OrderSource
    ) -> None:
        desk, _ = frozen_desk()
        first, *others = leave(desk, source)
        for order in others:
            _forget(order)
        desk.send(first)
        for _ in range(2):
            desk.trade("100.00")
        assert position().quantity == 150
        assert quantities(leave(desk, source)) == [100, 100, 50]

    def test_is_not_sent_again_with_the_key_of_a_part_that_was_refused(self) -> None:
        desk, _ = frozen_desk()
        refused = leave(desk)[0]
        Order.objects.filter(pk=refused.pk).update(status=OrderStatus.REJECTED)
        _release(refused)
        assert leave(desk)[0].pk == refused.pk
        assert Order.objects.filter(side="SELL").count() == 3

    def test_leaves_with_a_halt(self) -> None:
        desk, _ = frozen_desk()
        wanted = HaltRequest(by=desk.user, reason="drill", key="k", exits_positions=True)
        halted = halt_trading(desk.account.workspace, wanted, now=desk.now)
        assert (quantities(halted.exits), halted.complaints) == ([100, 100, 50], [])

    def test_leaves_with_the_button(self) -> None:
        desk, held = frozen_desk()
        orders, complaints = exit_positions(
            [held], by=desk.user, now=desk.now, idempotency_key="a" * 90
        )
        assert (quantities(orders), complaints) == ([100, 100, 50], [])


class TestAProtectiveExitThatIsRefused:
    def test_alarms_the_owner(self) -> None:
        desk, held = frozen_desk()
        desk.now += timedelta(hours=8)
        _protect(held, desk)
        told = Notification.objects.get(alert_level=AlertLevel.CRITICAL)
        assert told.title == "Not closed: RELIANCE on Practice"
        assert "The market is closed" in told.message
        assert told.user == desk.user

    def test_alarms_once_a_day_for_one_reason(self) -> None:
        desk, held = frozen_desk()
        for minutes in (0, 1, 90):
            tell_not_exited(held, "Closed", now=desk.now + timedelta(minutes=minutes))
        assert Notification.objects.filter(alert_level=AlertLevel.CRITICAL).count() == 1

    def test_alarms_again_for_another_reason_an_hour_later(self) -> None:
        desk, held = frozen_desk()
        tell_not_exited(held, "Closed", now=desk.now)
        tell_not_exited(held, "Refused", now=desk.now + timedelta(minutes=59))
        tell_not_exited(held, "Refused", now=desk.now + timedelta(minutes=61))
        assert Notification.objects.filter(alert_level=AlertLevel.CRITICAL).count() == 2

    def test_still_raises_for_who_presses_the_button(self) -> None:
        desk, _ = frozen_desk()
        desk.now += timedelta(hours=8)
        with pytest.raises(OrderInvalid):
            leave(desk)


class TestAStopOfALargePosition:
    def test_closes_all_of_it(self) -> None:
        desk, _ = frozen_desk()
        limit(desk, RuleType.TRAILING_STOP, "5")
        for demand in evaluate(desk, "90.00"):
            place_protective_exit(demand, now=desk.now)
        sent = Order.objects.filter(source=OrderSource.RISK).order_by("created_at", "pk")
        assert sorted(sent.values_list("quantity", flat=True)) == [50, 100, 100]


def _protect(held: Position, desk: Desk) -> None:
    rule = limit(desk, RuleType.TRAILING_STOP, "5")
    place_protective_exit(ProtectiveExit(held.pk, rule.pk, "a drill"), now=desk.now)


def _release(order: Order) -> None:
    Reservation.objects.filter(order_id=order.pk).update(quantity=0, released_at=order.created_at)


def _forget(order: Order) -> None:
    """Undo what was never written: the part's row and all that was written with it."""
    Reservation.objects.filter(order_id=order.pk).delete()
    MarginRequirement.objects.filter(order=order).delete()
    order.events.all().delete()
    order.delete()


class TestAPositionThatIsNoWholeLots:
    def test_leaves_in_whole_lots_and_names_the_rest(self) -> None:
        desk, held = frozen_desk(1000, lot=65)
        assert quantities(leave(desk)) == [195]
        told = Notification.objects.get(alert_level=AlertLevel.WARNING)
        assert told.title == "55 RELIANCE cannot be closed on Practice"
        assert told.user == held.user

    def test_leaves_with_a_rule_and_tells_once(self) -> None:
        desk, held = frozen_desk(1000, lot=65)
        rule = limit(desk, RuleType.TRAILING_STOP, "5")
        demand = ProtectiveExit(held.pk, rule.pk, "a drill")
        place_protective_exit(demand, now=desk.now)
        place_protective_exit(demand, now=desk.now + timedelta(minutes=1))
        assert [order.quantity for order in Order.objects.filter(side="SELL")] == [195]
        assert Notification.objects.filter(alert_level=AlertLevel.WARNING).count() == 1

    def test_of_less_than_a_lot_says_what_it_waits_for(self) -> None:
        desk, held = frozen_desk(1000, lot=300)
        orders, complaints = exit_positions([held], by=desk.user, now=desk.now, idempotency_key="x")
        assert orders == []
        assert "250 are less than a lot of 300" in complaints[0]

    def test_is_marked_on_the_positions_page(self) -> None:
        desk, _ = frozen_desk(1000, lot=65)
        client = Client()
        client.force_login(desk.user)
        assert b"55 are less than a lot of 65" in client.get("/positions/", secure=True).content

    def test_is_previewed_as_it_leaves(self) -> None:
        desk, _ = frozen_desk(100, lot=65)
        client = Client()
        client.force_login(desk.user)
        [planned] = client.get("/orders/exit/?which=all", secure=True).context["planned"]
        assert (planned.quantity, planned.orders) == (195, 3)
        assert planned.remains.startswith("55 are less than a lot of 65")


class TestAPositionInNiftyOptions:
    def test_leaves_as_the_limits_of_october_2026_take_it(self) -> None:
        desk = make_desk(cash="100000000", key="NFO:NIFTY29DEC2624000CE")
        desk.buy(7085)
        Instrument.objects.update(
            lot_size=65,
            segment="NSE_FNO",
            instrument_type="CE",
            option_type="CE",
            underlying="NIFTY",
            expiry=date(2026, 12, 29),
            strike=24000,
        )
        Position.objects.update(product="NRML")
        desk.now = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)
        assert quantities(leave(desk)) == [3510, 3510, 65]
