"""An order that outlasted its day unknown: a person settles it once; the broker outranks them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from accounts.models import Membership, Role, User
from brokers.gateway import BrokerStatus, OrderReport, TradeReport, Unknown
from brokers.terms import OrderType, Product, Side, Validity
from notifications.models import AlertLevel, Notification
from orders.lifecycle import IllegalTransition
from orders.models import EventSource, Order, ParkedReport, Trade
from orders.services.deciding import (
    Ending,
    StillSettling,
    Verdict,
    WrittenTrade,
    settle_by_hand,
    settled_by_itself_until,
)
from orders.services.reporting import apply_updates
from orders.states import OrderStatus
from orders.validation import OrderInvalid
from portfolio.models import Position
from risk.models import Reservation
from tests.builders import make_user
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk

pytestmark = pytest.mark.django_db
LOST = Unknown("read timed out")
EVENING = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)
NEXT_DAY = datetime(2026, 6, 18, 6, 0, tzinfo=UTC)
EVIDENCE = "Contract note CN/2026/0617"
NEVER = Verdict(Ending.NEVER_ARRIVED, EVIDENCE)
UNFILLED = Verdict(Ending.UNFILLED, EVIDENCE, "B-77")


def filled(*trades: tuple[str, int, str]) -> Verdict:
    written = tuple(WrittenTrade(number, units, Decimal(price)) for number, units, price in trades)
    return Verdict(Ending.FILLED, EVIDENCE, "B-77", written)


WHOLE = filled(("501", 10, "90.00"))


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def order(desk: Desk) -> Order:
    """Sent yesterday; nobody ever heard of it again."""
    with answering(place=LOST):
        order = desk.send(desk.place(limit="90.00"))
    desk.now = NEXT_DAY
    return order


def settle(desk: Desk, order: Order, verdict: Verdict, *, by: User | None = None) -> Order:
    with answering(orders=[], trades=[]):
        return settle_by_hand(order, verdict, by=by or desk.user, clock=desk.clock)


def report(order: Order, status: BrokerStatus, filled: int = 0) -> OrderReport:
    """What the broker says of it in the end, at its own time of yesterday."""
    return OrderReport(
        broker_order_id="B-77",
        tag=order.tag,
        instrument_key=order.instrument.key,
        side=Side.BUY,
        product=Product.MIS,
        order_type=OrderType.LIMIT,
        validity=Validity.DAY,
        status=status,
        quantity=10,
        filled_quantity=filled,
        price=Decimal("90.00"),
        updated_at=NEXT_DAY - timedelta(days=1),
    )


def trade(order: Order, number: str = "501", price: str = "90.00") -> TradeReport:
    return TradeReport(
        trade_id=f"B-77-{number}",
        broker_order_id="B-77",
        instrument_key=order.instrument.key,
        side=Side.BUY,
        product=Product.MIS,
        quantity=10,
        price=Decimal(price),
        traded_at=NEXT_DAY - timedelta(days=1),
        exchange_trade_id=number,
    )


def tell(desk: Desk, *reports: OrderReport, trades: tuple[TradeReport, ...] = ()) -> None:
    source = EventSource.RECONCILE
    apply_updates(desk.account, orders=reports, trades=trades, source=source, now=desk.now)


def alarms() -> list[str]:
    told = Notification.objects.filter(alert_level=AlertLevel.CRITICAL)
    return [each.title for each in told if "had ended here" in each.title]


class TestSettlingIsRefused:
    def test_to_a_viewer(self, desk: Desk, order: Order) -> None:
        viewer = make_user("viewer")
        Membership.objects.create(workspace=desk.account.workspace, user=viewer, role=Role.VIEWER)
        with pytest.raises(PermissionDenied):
            settle(desk, order, NEVER, by=viewer)

    def test_to_a_stranger(self, desk: Desk, order: Order) -> None:
        with pytest.raises(PermissionDenied):
            settle(desk, order, NEVER, by=make_user("stranger"))

    @pytest.mark.parametrize("at", [None, EVENING], ids=["in its session", "in its evening"])
    def test_while_its_day_is_not_over_saying_until_when(
        self, desk: Desk, order: Order, at: datetime | None
    ) -> None:
        desk.now = at or order.created_at + timedelta(minutes=30)
        with pytest.raises(StillSettling, match="until 18 Jun 2026, 00:00:00 IST"):
            settle(desk, order, NEVER)

    def test_of_an_order_that_is_known(self, desk: Desk) -> None:
        known = desk.send(desk.place(limit="90.00"))
        desk.now = NEXT_DAY
        with pytest.raises(IllegalTransition):
            settle(desk, known, NEVER)

    @pytest.mark.parametrize(
        ("verdict", "field"),
        [
            (Verdict(Ending.NEVER_ARRIVED, " "), "evidence"),
            (Verdict(Ending.NEVER_ARRIVED, EVIDENCE, "B-77"), "broker_order_id"),
            (Verdict(Ending.UNFILLED, EVIDENCE), "broker_order_id"),
            (Verdict(Ending.UNFILLED, EVIDENCE, "B-77", WHOLE.trades), "trades"),
            (Verdict(Ending.FILLED, EVIDENCE, "", WHOLE.trades), "broker_order_id"),
            (filled(), "trades"),
            (filled(("501", 5, "90"), ("501", 5, "90")), "trades"),
            (filled(("501", 11, "90")), "trades"),
            (filled(("501", 10, "0")), "trades"),
        ],
    )
    def test_without_what_its_ending_takes(
        self, desk: Desk, order: Order, verdict: Verdict, field: str
    ) -> None:
        with pytest.raises(OrderInvalid) as refusal:
            settle(desk, order, verdict)
        assert list(refusal.value.errors) == [field]
        order.refresh_from_db()
        assert order.state is OrderStatus.UNKNOWN

    @pytest.mark.parametrize("number", [" B-77", "B 77", "B\x0077", "B" * 41])
    def test_with_a_number_that_no_order_has(self, desk: Desk, order: Order, number: str) -> None:
        with pytest.raises(OrderInvalid, match="letters and digits"):
            settle(desk, order, Verdict(Ending.UNFILLED, EVIDENCE, number))

    def test_with_a_trade_worth_more_than_any(self, desk: Desk, order: Order) -> None:
        with pytest.raises(OrderInvalid, match="worth that much"):
            settle(desk, order, filled(("501", 10, "99999999999")))

    def test_to_somebody_whose_access_has_ended(self, desk: Desk, order: Order) -> None:
        desk.user.access_until = NEXT_DAY - timedelta(hours=1)
        desk.user.save(update_fields=["access_until"])
        with pytest.raises(PermissionDenied):
            settle(desk, order, NEVER)

    def test_with_the_number_of_another_order(self, desk: Desk, order: Order) -> None:
        other = desk.place(limit="90.00")
        Order.objects.filter(pk=other.pk).update(broker_order_id="B-77")
        with pytest.raises(OrderInvalid, match="another order here"):
            settle(desk, order, UNFILLED)

    def test_when_the_broker_lists_it_after_all(self, desk: Desk, order: Order) -> None:
        found = report(order, BrokerStatus.OPEN)
        with answering(orders=[found], trades=[]), pytest.raises(IllegalTransition):
            settle_by_hand(order, NEVER, by=desk.user, clock=desk.clock)
        order.refresh_from_db()
        assert order.state is OrderStatus.OPEN

    def test_a_second_time(self, desk: Desk, order: Order) -> None:
        settle(desk, order, WHOLE)
        with pytest.raises(IllegalTransition):
            settle(desk, order, WHOLE)
        assert Trade.objects.count() == 1


class TestAnOrderThatNeverArrived:
    def test_is_refused_and_frees_what_was_held_for_it(self, desk: Desk, order: Order) -> None:
        assert settle(desk, order, NEVER).state is OrderStatus.REJECTED
        assert Reservation.objects.get(order_id=order.pk).released_at == desk.now

    def test_keeps_who_said_so_and_by_what_evidence(self, desk: Desk, order: Order) -> None:
        settled = settle(desk, order, NEVER)
        event = settled.events.get(event_type="SETTLED_BY_HAND")
        assert event.event_source == EventSource.MANUAL
        assert event.event_data["by"] == str(desk.user.pk)
        assert EVIDENCE in event.message and desk.user.name in event.message

    def test_is_settled_though_the_broker_cannot_be_read(self, desk: Desk, order: Order) -> None:
        with answering(deaf=True):
            settled = settle_by_hand(order, NEVER, by=desk.user, clock=desk.clock)
        assert settled.state is OrderStatus.REJECTED

    @pytest.mark.parametrize(
        ("status", "filled"), [(BrokerStatus.OPEN, 0), (BrokerStatus.FILLED, 10)]
    )
    def test_that_turns_up_all_the_same_is_taken_in_with_an_alarm(
        self, desk: Desk, order: Order, status: BrokerStatus, filled: int
    ) -> None:
        settle(desk, order, NEVER)
        tell(desk, report(order, status, filled))
        order.refresh_from_db()
        assert order.status == status
        assert len(alarms()) == 1

    def test_that_the_broker_refused_too_raises_no_alarm(self, desk: Desk, order: Order) -> None:
        settle(desk, order, NEVER)
        tell(desk, report(order, BrokerStatus.REJECTED))
        assert not alarms()


class TestAnOrderThatEndedUnfilled:
    def test_is_cancelled_and_frees_what_was_held_for_it(self, desk: Desk, order: Order) -> None:
        settled = settle(desk, order, UNFILLED)
        assert (settled.state, settled.broker_order_id) == (OrderStatus.CANCELLED, "B-77")
        assert Reservation.objects.get(order_id=order.pk).released_at == desk.now

    def test_takes_its_fills_when_the_broker_tells_them(self, desk: Desk, order: Order) -> None:
        settle(desk, order, UNFILLED)
        tell(desk, report(order, BrokerStatus.FILLED, 10), trades=(trade(order),))
        order.refresh_from_db()
        assert (order.state, order.traded_quantity) == (OrderStatus.FILLED, 10)
        assert len(alarms()) == 1


class TestAFilledOrder:
    def test_is_booked_on_the_day_it_was_sent(self, desk: Desk, order: Order) -> None:
        settled = settle(desk, order, WHOLE)
        [booked] = settled.trades.all()
        assert (settled.state, settled.average_price) == (OrderStatus.FILLED, Decimal(90))
        assert booked.session_date == datetime(2026, 6, 17, tzinfo=UTC).date()
        assert Position.objects.open().get().quantity == 10

    def test_can_be_rebuilt_from_its_trades(self, desk: Desk, order: Order) -> None:
        settle(desk, order, WHOLE)
        call_command("rebuild_books", "--check")

    def test_in_part_ends_with_what_was_filled(self, desk: Desk, order: Order) -> None:
        settled = settle(desk, order, filled(("501", 4, "90")))
        assert (settled.state, settled.filled_quantity) == (OrderStatus.EXPIRED, 4)
        assert Reservation.objects.get(order_id=order.pk).released_at == desk.now

    def test_is_booked_once_when_the_broker_tells_it_later(self, desk: Desk, order: Order) -> None:
        settle(desk, order, WHOLE)
        for _ in range(2):
            tell(desk, report(order, BrokerStatus.FILLED, 10), trades=(trade(order),))
        assert Trade.objects.get().broker_trade_id == "B-77-501"
        assert Position.objects.open().get().quantity == 10
        assert not alarms()

    def test_has_no_other_trade_booked_beside_what_was_written_down(
        self, desk: Desk, order: Order
    ) -> None:
        settle(desk, order, WHOLE)
        for _ in range(2):
            tell(desk, trades=(trade(order, number="502"),))
        assert Position.objects.open().get().quantity == 10
        assert Notification.objects.filter(title__startswith="Not the trades").count() == 1

    def test_takes_a_late_trade_once_the_broker_has_confirmed_the_others(
        self, desk: Desk, order: Order
    ) -> None:
        settle(desk, order, WHOLE)
        tell(desk, trades=(trade(order), trade(order, number="502")))
        assert Position.objects.open().get().quantity == 20
        assert Notification.objects.filter(title__contains="after the end").count() == 1

    def test_does_not_book_what_the_broker_prices_otherwise(self, desk: Desk, order: Order) -> None:
        settle(desk, order, WHOLE)
        tell(desk, trades=(trade(order, price="91.00"),))
        assert Trade.objects.get().price == Decimal("90.00")

    def test_takes_in_what_had_waited_for_it_once(self, desk: Desk, order: Order) -> None:
        tell(desk, trades=(trade(order),))
        assert ParkedReport.objects.count() == 1
        settle(desk, order, WHOLE)
        assert not ParkedReport.objects.exists()
        assert Position.objects.open().get().quantity == 10


class TestTheMomentFromWhichAPersonMay:
    def test_is_the_midnight_after_its_day(self, order: Order) -> None:
        assert settled_by_itself_until(order) == datetime(2026, 6, 17, 18, 30, tzinfo=UTC)

    def test_waits_for_the_session_of_an_order_sent_in_the_evening(self, order: Order) -> None:
        order.submitted_at = EVENING
        assert settled_by_itself_until(order) == datetime(2026, 6, 18, 18, 30, tzinfo=UTC)


class TestTheCommand:
    def settle(self, order: Order, *arguments: str) -> None:
        known = ("--by", "asha", "--evidence", EVIDENCE)
        with answering(orders=[], trades=[]), time_machine.travel(NEXT_DAY, tick=False):
            call_command("settle_order", order.tag, *known, *arguments)

    def test_refuses_a_name_that_nobody_has(self, order: Order) -> None:
        with pytest.raises(CommandError, match="Nobody signs in as mira"):
            self.settle(order, "--as", "rejected", "--by", "mira")

    def test_refuses_a_fill_without_its_trades(self, order: Order) -> None:
        with pytest.raises(CommandError, match="each trade"):
            self.settle(order, "--as", "filled", "--broker-order", "B-77", "--yes")

    def test_refuses_a_trade_that_is_no_figure(self, order: Order) -> None:
        with pytest.raises(CommandError, match="--trade"):
            self.settle(order, "--as", "filled", "--trade", "501", "ten", "90")

    def test_only_says_what_it_would_do_without_yes(
        self, order: Order, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.settle(order, "--as", "rejected")
        order.refresh_from_db()
        assert order.state is OrderStatus.UNKNOWN
        assert "never reached the broker" in capsys.readouterr().out

    def test_settles_it(self, order: Order) -> None:
        fill = ("--broker-order", "B-77", "--trade", "501", "10", "90.00")
        self.settle(order, "--as", "filled", *fill, "--yes")
        order.refresh_from_db()
        assert order.state is OrderStatus.FILLED
