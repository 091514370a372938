from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache

from brokers.adapters.paper.exchange import advance, match
from brokers.adapters.paper.gateway import open_gateway
from brokers.gateway import FundsReport, OrderReport, PlaceRequest, QuoteTick
from brokers.models import TradingAccount
from brokers.terms import OrderType, Product, Side, Validity
from operations.models import ErrorLog
from orders.models import Order, OrderSource, Trade
from orders.services.reconciling import accounts_due, reconcile_account, reconcile_due
from orders.states import OrderStatus
from portfolio.models import Funds, Position
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk

pytestmark = pytest.mark.django_db


def place_in_the_brokers_app(desk: Desk, quantity: int = 5) -> None:
    request = PlaceRequest(
        tag="",
        instrument=desk.instrument.ref(),
        side=Side.BUY,
        quantity=quantity,
        order_type=OrderType.LIMIT,
        product=Product.MIS,
        validity=Validity.DAY,
        price=Decimal("110.00"),
    )
    open_gateway(desk.account, desk.clock).place(request)


class TestAReconciliation:
    def test_of_an_account_that_agrees_lets_it_trade(self) -> None:
        desk = make_desk()
        desk.account.reconciled_at = None
        desk.account.save()
        assert reconcile_account(desk.account, clock=desk.clock).agrees
        assert desk.account.reconciled_at == desk.now

    def test_that_cannot_read_proves_nothing(self) -> None:
        desk = make_desk()
        order = desk.buy()
        with answering(deaf=True):
            assert not reconcile_account(desk.account, clock=desk.clock).is_complete
        order.refresh_from_db()
        assert order.state is OrderStatus.FILLED
        assert Position.objects.open().get().quantity == 10

    def test_finds_what_the_stream_did_not_tell(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place())
        told_to_nobody(desk, "100.00")
        reconcile_account(desk.account, clock=desk.clock)
        order.refresh_from_db()
        assert (order.state, order.filled_quantity) == (OrderStatus.FILLED, 10)

    def test_done_again_changes_nothing(self) -> None:
        desk = make_desk()
        order = desk.buy()
        for _ in range(3):
            reconcile_account(desk.account, clock=desk.clock)
        events = order.event_count
        order.refresh_from_db()
        assert order.event_count == events
        assert Trade.objects.count() == 1

    def test_adopts_an_order_placed_elsewhere(self) -> None:
        desk = make_desk()
        place_in_the_brokers_app(desk)
        desk.trade("100.00")
        reconcile_account(desk.account, clock=desk.clock)
        order = Order.objects.get(source=OrderSource.EXTERNAL)
        assert (order.quantity, order.side) == (5, Side.BUY)

    def test_books_the_fills_of_an_adopted_order(self) -> None:
        desk = make_desk()
        place_in_the_brokers_app(desk)
        for _ in range(2):
            desk.trade("100.00")
        assert reconcile_account(desk.account, clock=desk.clock).agrees
        assert Position.objects.open().get().quantity == 5

    def test_that_finds_a_difference_stops_entries_and_says_so(self) -> None:
        desk = make_desk()
        desk.buy(10)
        Position.objects.filter(position_type="NET").update(quantity=7)
        found = reconcile_account(desk.account, clock=desk.clock)
        assert found.differences == ("NSE:RELIANCE MIS: 7 here, 10 at the broker",)
        assert "not been reconciled" in desk.place().error_message
        assert ErrorLog.objects.filter(error_type="PositionMismatch").count() == 1

    def test_does_not_end_an_order_of_today_that_the_book_does_not_have(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place(limit="90.00"))
        desk.trade("100.00")
        with answering(orders=[]):
            reconcile_account(desk.account, clock=desk.clock)
        order.refresh_from_db()
        assert order.state is OrderStatus.OPEN

    def test_of_a_book_that_lacks_a_working_order_proves_nothing(self) -> None:
        desk = make_desk()
        yesterdays = desk.send(desk.place(limit="90.00"))
        desk.send(desk.place(limit="91.00"))
        desk.trade("100.00")
        day_before = desk.now - timedelta(days=1)
        Order.objects.filter(pk=yesterdays.pk).update(submitted_at=day_before)
        with answering(orders=[]):
            found = reconcile_account(desk.account, clock=desk.clock)
        yesterdays.refresh_from_db()
        assert not found.is_complete
        assert yesterdays.state is OrderStatus.OPEN
        assert "lacks" in ErrorLog.objects.get().message

    def test_of_a_book_read_before_an_order_was_taken_is_whole(self) -> None:
        desk = make_desk()
        sent = desk.place(limit="90.00")

        def without_what_is_taken_meanwhile() -> list[OrderReport]:
            desk.send(sent)
            Order.objects.update(submitted_at=desk.now - timedelta(seconds=1))
            return []

        with answering(orders=without_what_is_taken_meanwhile):
            assert reconcile_account(desk.account, clock=desk.clock).is_complete
        assert not ErrorLog.objects.exists()

    def test_holds_the_money_to_be_told_as_of_before_it_was_asked_for(self) -> None:
        desk = make_desk()
        money = open_gateway(desk.account, desk.clock).funds()
        before = desk.now

        def slowly() -> FundsReport:
            desk.now += timedelta(seconds=5)
            return money

        with answering(funds=slowly):
            reconcile_account(desk.account, clock=desk.clock)
        assert Funds.objects.latest("as_of").as_of == before

    def test_of_an_empty_position_report_flattens_nothing(self) -> None:
        desk = make_desk()
        desk.buy(10)
        with answering(positions=[]):
            found = reconcile_account(desk.account, clock=desk.clock)
        assert found.differences
        assert Position.objects.open().get().quantity == 10

    def test_ends_an_order_of_yesterday_that_todays_book_does_not_have(self) -> None:
        desk = make_desk()
        order = desk.send(desk.place(limit="90.00"))
        desk.trade("100.00")
        desk.now += timedelta(days=1)
        with answering(orders=[]):
            reconcile_account(desk.account, clock=desk.clock)
        order.refresh_from_db()
        assert order.state is OrderStatus.EXPIRED


class TestANumberThatNoDatabaseTakes:
    """PostgreSQL refuses to be asked for a NUL; SQLite does not mind."""

    def test_does_not_keep_the_account_from_being_read(self) -> None:
        desk = make_desk()
        desk.buy(10)
        gateway = open_gateway(desk.account, desk.clock)
        [order], [trade] = gateway.orders(), gateway.trades()
        [position] = gateway.positions()
        orders = [order, replace(order, broker_order_id="A\x00B", tag="")]
        trades = [trade, replace(trade, broker_order_id="A\x00B", trade_id="T\x001")]
        positions = [position, replace(position, instrument_key="NSE:\x00")]
        with answering(orders=orders, trades=trades, positions=positions):
            assert reconcile_account(desk.account, clock=desk.clock).is_complete


class TestWhatIsDue:
    def due(self, desk: Desk, *, after: int) -> bool:
        now = desk.now + timedelta(seconds=after)
        return desk.account.pk in accounts_due(now=now)

    def test_is_no_account_that_agreed_just_now(self) -> None:
        desk = make_desk()
        reconcile_account(desk.account, clock=desk.clock)
        assert not self.due(desk, after=299)
        assert self.due(desk, after=300)

    def test_is_an_account_with_an_order_under_way_every_time(self) -> None:
        desk = make_desk()
        desk.send(desk.place(limit="90.00"))
        assert self.due(desk, after=1)

    def test_is_an_account_that_has_never_agreed(self) -> None:
        desk = make_desk()
        TradingAccount.objects.update(reconciled_at=None)
        assert self.due(desk, after=0)

    @pytest.mark.parametrize("state", [{"is_active": False}, {"own_clock": True}])
    def test_is_no_account_that_is_off_or_lives_on_its_own_clock(
        self, state: dict[str, bool]
    ) -> None:
        desk = make_desk()
        TradingAccount.objects.update(reconciled_at=None, **state)
        assert not self.due(desk, after=0)

    def test_is_left_to_the_worker_that_is_at_it(self) -> None:
        desk = make_desk()
        TradingAccount.objects.update(reconciled_at=None)
        cache.add(f"reconciling:{desk.account.pk}", True)
        reconcile_due(desk.account.pk, clock=desk.clock)
        assert TradingAccount.objects.get().reconciled_at is None

    def test_may_be_taken_again_after_a_failure(self) -> None:
        desk = make_desk()
        for _ in range(2):
            with answering(deaf=True):
                reconcile_due(desk.account.pk, clock=desk.clock)
        reconcile_due(desk.account.pk, clock=desk.clock)
        assert ErrorLog.objects.count() == 2


def told_to_nobody(desk: Desk, price: str) -> None:
    """Let the market trade without anybody hearing of the fills."""
    for _ in range(2):
        desk.now += timedelta(seconds=1)
        advance(at=desk.now)
        match([QuoteTick(desk.instrument.key, Decimal(price), desk.now, 1000)], at=desk.now)
