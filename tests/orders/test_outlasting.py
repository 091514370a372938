"""An order whose day is over and that no book lists: expired if seen to the end, else a person's.

The desk's broker goes on saying what it said when the test takes its book away.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pytest_django import Settings

from brokers.gateway import BrokerStatus, HoldingReport, OrderReport, QuoteTick
from brokers.terms import Product, Side
from market.quotes import write_quotes
from notifications.models import AlertLevel, Notification
from orders.models import EventSource, MissingOrder, Order, OrderSource
from orders.services.deciding import Ending, Verdict, WrittenTrade, settle_by_hand
from orders.services.ending import end_order_day
from orders.services.reporting import apply_updates
from orders.services.settling import settle_unknown
from orders.states import OrderStatus
from orders.validation import OrderInvalid
from portfolio.models import Position
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk
from tests.orders.live_desk import make_live_desk, reconcile

pytestmark = pytest.mark.django_db
EVENING = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)
NEXT_DAY = datetime(2026, 6, 18, 6, 0, tzinfo=UTC)
TITLE = "Nobody saw how an order ended"
WHOLE = (WrittenTrade("501", 10, Decimal("90")),)
EVIDENCE = "Contract note CN/2026/0617"


@pytest.fixture
def desk(settings: Settings) -> Desk:
    return make_live_desk(settings)


@pytest.fixture
def order(desk: Desk) -> Order:
    """Seen open at the broker in the morning, in its session."""
    order = desk.send(desk.place(limit="90.00", product=Product.CNC))
    desk.trade("100.00")
    assert reconcile(desk).agrees
    order.refresh_from_db()
    return order


def read(desk: Desk, at: datetime, *book: OrderReport, times: int = 1) -> None:
    """Read a book of these orders, and the shares that the lost one may have bought."""
    desk.now = max(at, desk.now)
    bought = HoldingReport(desk.instrument.key, 0, 10, Decimal(90))
    with answering(orders=list(book), trades=[], positions=[], holdings=[bought]):
        for _ in range(times):
            reconcile(desk, after=30)


def report(order: Order, **fields: object) -> OrderReport:
    told = {
        "broker_order_id": order.broker_order_id,
        "tag": order.tag,
        "instrument_key": order.instrument.key,
        "side": Side.BUY,
        "order_type": order.order_type,
        "product": Product.CNC,
        "validity": order.validity,
        "status": BrokerStatus.OPEN,
        "quantity": 10,
        "filled_quantity": 0,
        "price": Decimal(90),
        "updated_at": order.reported_at,
        "sequence": order.report_sequence,
        **fields,
    }
    return OrderReport(**told)  # type: ignore[arg-type]  # by name


def state(order: Order) -> OrderStatus:
    order.refresh_from_db()
    return order.state


def alerts() -> list[Notification]:
    return list(Notification.objects.filter(title__startswith=TITLE))


class TestAnOrderThatNobodySawToTheEnd:
    def test_is_not_called_expired(self, desk: Desk, order: Order) -> None:
        read(desk, NEXT_DAY)
        assert state(order) is OrderStatus.UNKNOWN

    def test_is_told_once_and_critically(self, desk: Desk, order: Order) -> None:
        read(desk, NEXT_DAY, times=3)
        assert end_order_day(desk.clock) == 0
        [told] = alerts()
        assert told.alert_level == AlertLevel.CRITICAL
        assert order.broker_order_id in told.message

    def test_is_told_in_words_that_do_not_doubt_its_arrival(self, desk: Desk, order: Order) -> None:
        read(desk, NEXT_DAY)
        assert not Notification.objects.filter(title__contains="may or may not").exists()

    def test_stops_entries_in_its_instrument(self, desk: Desk, order: Order) -> None:
        read(desk, NEXT_DAY)
        write_quotes([QuoteTick(desk.instrument.key, Decimal(100), desk.now, 1000)])
        assert "may or may not be live" in desk.place().error_message

    def test_is_never_given_up_as_not_arrived(self, desk: Desk, order: Order) -> None:
        read(desk, NEXT_DAY)
        with answering(orders=[], trades=[]):
            for _ in range(4):
                desk.now += timedelta(minutes=6)
                settle_unknown(order.pk, clock=desk.clock)
        assert state(order) is OrderStatus.UNKNOWN

    def test_waits_for_the_end_of_its_day(self, desk: Desk, order: Order) -> None:
        read(desk, EVENING, times=12)
        assert state(order) is OrderStatus.OPEN
        assert MissingOrder.objects.told().exists()

    def test_is_taken_up_again_when_the_book_lists_it(self, desk: Desk, order: Order) -> None:
        read(desk, NEXT_DAY)
        read(desk, NEXT_DAY, report(order))
        assert state(order) is OrderStatus.OPEN

    def test_is_not_revived_by_an_older_report(self, desk: Desk, order: Order) -> None:
        read(desk, NEXT_DAY)
        assert order.reported_at
        old = report(order, updated_at=order.reported_at - timedelta(seconds=9), sequence=0)
        apply_updates(
            desk.account, orders=[old], trades=[], source=EventSource.POSTBACK, now=desk.now
        )
        assert state(order) is OrderStatus.UNKNOWN

    def test_on_paper_expires(self, desk: Desk, order: Order) -> None:
        desk.account.connection.paper_trading = True
        desk.account.connection.save()
        read(desk, NEXT_DAY)
        assert state(order) is OrderStatus.EXPIRED


class TestAnOrderListedAfterItsSession:
    def test_expires_once_no_book_lists_it(self, desk: Desk, order: Order) -> None:
        read(desk, EVENING, report(order))
        read(desk, NEXT_DAY)
        assert state(order) is OrderStatus.EXPIRED
        assert not alerts()

    def test_is_not_believed_in_the_first_minutes(self, desk: Desk, order: Order) -> None:
        read(desk, datetime(2026, 6, 17, 10, 1, tzinfo=UTC), report(order))
        read(desk, NEXT_DAY)
        assert state(order) is OrderStatus.UNKNOWN

    def test_is_not_believed_of_one_from_outside(self, desk: Desk, order: Order) -> None:
        Order.objects.update(source=OrderSource.EXTERNAL)
        read(desk, EVENING, report(order))
        read(desk, NEXT_DAY)
        assert state(order) is OrderStatus.UNKNOWN


class TestAnOrderMissingForGood:
    def test_is_not_said_to_be_back_when_its_day_is_over(self, desk: Desk, order: Order) -> None:
        read(desk, order.created_at, times=13)
        read(desk, NEXT_DAY)
        assert state(order) is OrderStatus.UNKNOWN
        assert not order.events.filter(event_type="BACK_IN_BOOK").exists()
        assert len(alerts()) == 1

    def test_is_noted_as_missing_no_more_once_it_is_a_persons(
        self, desk: Desk, order: Order
    ) -> None:
        read(desk, order.created_at, times=13)
        read(desk, NEXT_DAY, times=2)
        assert not MissingOrder.objects.exists()


class TestSettlingItByHand:
    def settle(self, desk: Desk, order: Order, verdict: Verdict) -> Order:
        order.refresh_from_db()
        with answering(orders=[], trades=[]):
            return settle_by_hand(order, verdict, by=desk.user, clock=desk.clock)

    def test_is_refused_as_never_arrived(self, desk: Desk, order: Order) -> None:
        read(desk, NEXT_DAY)
        with pytest.raises(OrderInvalid, match=order.broker_order_id):
            self.settle(desk, order, Verdict(Ending.NEVER_ARRIVED, EVIDENCE))

    def test_is_refused_for_what_is_booked_already(self, desk: Desk, order: Order) -> None:
        read(desk, NEXT_DAY)
        Order.objects.update(traded_quantity=4, filled_quantity=4)
        verdict = Verdict(Ending.FILLED, EVIDENCE, order.broker_order_id, WHOLE)
        with pytest.raises(OrderInvalid, match="Only 6"):
            self.settle(desk, order, verdict)

    def test_books_what_it_filled(self, desk: Desk, order: Order) -> None:
        read(desk, NEXT_DAY)
        verdict = Verdict(Ending.FILLED, EVIDENCE, order.broker_order_id, WHOLE)
        assert self.settle(desk, order, verdict).state is OrderStatus.FILLED
        assert Position.objects.open().get().quantity == 10
