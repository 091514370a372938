"""Orders placed in the broker's own app that close what strategies hold here."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from brokers.gateway import BrokerStatus, OrderReport, TradeReport
from brokers.models import TradingAccount
from brokers.terms import OrderType, Product, Side, Validity
from brokers.venue import IST
from market.models import Instrument
from notifications.models import AlertLevel, Notification
from orders.booked_fills import booked_fills
from orders.models import EventSource, Order, OrderSource, Trade, TradePart
from orders.services.reporting import apply_updates
from orders.states import OrderStatus
from portfolio.models import Position, PositionType
from portfolio.posting import ledger_faults
from portfolio.proving import differences
from portfolio.rebuilding import rebuild
from risk.models import Reservation
from strategies.models import ActivationStatus, UserStrategy
from tests.builders import NOW, make_account, make_instrument, make_user, make_workspace
from tests.portfolio.fills import make_fill, make_order, make_running_strategy, record

Held = dict[UUID | None, int]


class Outside:
    """An account in which strategies and a person trade, and its broker's app beside it."""

    def __init__(self, *, own_clock: bool = False) -> None:
        self.account: TradingAccount = make_account(
            make_workspace(make_user()), own_clock=own_clock
        )
        self.instrument: Instrument = make_instrument()
        self.now, self.told = NOW, 0

    def strategy(self, name: str) -> UUID:
        return make_running_strategy(self.account, name)

    def trade(
        self, words: str, strategy: UUID | None = None, *, product: Product = Product.MIS
    ) -> None:
        """Trade here, as a strategy or by hand: ``"BUY 10 @ 100"``."""
        self.now += timedelta(minutes=1)
        fill = make_fill(
            self.account,
            self.instrument,
            words,
            at=self.now,
            user_strategy_id=strategy,
            product=product,
        )
        record(fill)

    def outside(
        self,
        side: Side,
        *quantities: int,
        price: str = "101.00",
        product: Product = Product.MIS,
    ) -> Order:
        """Let the broker tell of an order of its own, filled in so many trades."""
        self.now, self.told = self.now + timedelta(minutes=1), self.told + 1
        number = f"APP{self.told}"
        trades = [
            TradeReport(
                trade_id=f"{number}-{place}",
                broker_order_id=number,
                instrument_key=self.instrument.key,
                side=side,
                product=product,
                quantity=quantity,
                price=Decimal(price),
                traded_at=self.now,
            )
            for place, quantity in enumerate(quantities)
        ]
        for _ in range(2):  # what is told twice happened once
            apply_updates(
                self.account,
                orders=[replace(self._report(number, side, sum(quantities)), product=product)],
                trades=trades,
                source=EventSource.RECONCILE,
                now=self.now,
            )
        return Order.objects.get(broker_order_id=number)

    def _report(self, number: str, side: Side, quantity: int) -> OrderReport:
        return OrderReport(
            broker_order_id=number,
            tag="",
            instrument_key=self.instrument.key,
            side=side,
            order_type=OrderType.MARKET,
            product=Product.MIS,
            validity=Validity.DAY,
            status=BrokerStatus.FILLED,
            quantity=quantity,
            filled_quantity=quantity,
            updated_at=self.now,
            sequence=1,
        )

    def held(self) -> Held:
        rows = Position.objects.open().filter(account=self.account)
        return dict(rows.values_list("user_strategy_id", "quantity"))

    def faults(self) -> list[object]:
        books = rebuild(booked_fills(self.account))
        return [*differences(self.account, books), *ledger_faults(self.account)]


@pytest.fixture
def desk(db: None) -> Outside:
    return Outside()


class TestAnOrderFromOutside:
    def test_closes_the_books_it_was_not_told_to_name(self, desk: Outside) -> None:
        first, second = desk.strategy("first"), desk.strategy("second")
        desk.trade("BUY 10 @ 100", first)
        desk.trade("BUY 20 @ 100", second)
        desk.outside(Side.SELL, 25)
        assert desk.held() == {second: 5}
        assert desk.faults() == []

    def test_leaves_what_is_beyond_the_strategies_to_the_accounts_own_book(
        self, desk: Outside
    ) -> None:
        strategy = desk.strategy("first")
        desk.trade("BUY 10 @ 100", strategy)
        desk.trade("BUY 3 @ 100")
        desk.outside(Side.SELL, 15)
        assert desk.held() == {None: -2}
        assert desk.faults() == []

    def test_belongs_to_no_strategy_itself(self, desk: Outside) -> None:
        desk.trade("BUY 10 @ 100", desk.strategy("first"))
        order = desk.outside(Side.SELL, 10)
        assert (order.source, order.user_strategy_id) == (OrderSource.EXTERNAL, None)

    def test_by_parts_closes_book_by_book(self, desk: Outside) -> None:
        first, second = desk.strategy("first"), desk.strategy("second")
        desk.trade("BUY 10 @ 100", first)
        desk.trade("BUY 10 @ 100", second)
        desk.outside(Side.SELL, 4, 9, 2)
        assert desk.held() == {second: 5}
        assert TradePart.objects.count() == 4
        assert desk.faults() == []

    def test_that_closes_no_strategy_is_not_split(self, desk: Outside) -> None:
        desk.trade("SELL 10 @ 100", desk.strategy("first"))
        desk.outside(Side.SELL, 5)
        assert not TradePart.objects.exists()
        assert desk.held()[None] == -5

    def test_shares_its_charges_to_the_paisa(self, desk: Outside) -> None:
        for name in ("first", "second", "third"):
            desk.trade("BUY 1 @ 100", desk.strategy(name))
        before = _charges()
        desk.outside(Side.SELL, 3, price="1234.55")
        trade = Trade.objects.get(order__source=OrderSource.EXTERNAL)
        shares = [after - before.get(key, 0) for key, after in _charges().items()]
        assert sum(shares) == trade.charges > 0
        assert max(shares) - min(shares) <= Decimal("0.01")

    def test_leaves_an_order_placed_here_in_its_own_book(self, desk: Outside) -> None:
        desk.trade("BUY 10 @ 100", desk.strategy("first"))
        desk.trade("SELL 10 @ 100")
        assert sorted(desk.held().values()) == [-10, 10]


class TestAStrategyClosedFromOutside:
    def test_is_paused_and_its_owner_told(self, desk: Outside) -> None:
        strategy = desk.strategy("first")
        desk.trade("BUY 10 @ 100", strategy)
        desk.outside(Side.SELL, 10)
        assert UserStrategy.objects.get(pk=strategy).status == ActivationStatus.PAUSED
        told = Notification.objects.get(title__startswith="Closed from outside")
        assert told.title == "Closed from outside: RELIANCE of first on Practice"
        assert told.message.startswith("10 were sold by an order placed outside Pinnacle")
        assert told.message.endswith("then resume or stop it.")

    def test_in_part_is_told_what_is_left(self, desk: Outside) -> None:
        desk.trade("SELL 10 @ 100", desk.strategy("first"))
        desk.outside(Side.BUY, 4)
        told = Notification.objects.get(title__startswith="Closed from outside")
        assert "4 were bought back" in told.message
        assert "6 of it were still open then" in told.message

    def test_by_many_fills_is_told_once(self, desk: Outside) -> None:
        desk.trade("BUY 10 @ 100", desk.strategy("first"))
        desk.outside(Side.SELL, 3, 3, 4)
        assert Notification.objects.filter(title__startswith="Closed from outside").count() == 1

    def test_again_after_it_was_resumed_is_paused_again(self, desk: Outside) -> None:
        strategy = desk.strategy("first")
        desk.trade("BUY 10 @ 100", strategy)
        desk.outside(Side.SELL, 4)
        UserStrategy.objects.update(status=ActivationStatus.ACTIVE)
        desk.outside(Side.SELL, 4)
        assert UserStrategy.objects.get().status == ActivationStatus.PAUSED

    def test_that_was_stopped_stays_stopped(self, desk: Outside) -> None:
        desk.trade("BUY 10 @ 100", desk.strategy("first"))
        UserStrategy.objects.update(status=ActivationStatus.STOPPED)
        desk.outside(Side.SELL, 10)
        assert UserStrategy.objects.get().status == ActivationStatus.STOPPED
        assert "is paused" not in Notification.objects.latest("created_at").message

    def test_leaves_the_others_running(self, desk: Outside) -> None:
        first, second = desk.strategy("first"), desk.strategy("second")
        desk.trade("BUY 10 @ 100", first)
        desk.trade("BUY 10 @ 100", second)
        desk.outside(Side.SELL, 10)
        assert UserStrategy.objects.get(pk=second).status == ActivationStatus.ACTIVE

    def test_in_a_replay_goes_on_and_nobody_is_told(self, db: None) -> None:
        replay = Outside(own_clock=True)
        replay.trade("BUY 10 @ 100", replay.strategy("first"))
        replay.outside(Side.SELL, 10)
        assert UserStrategy.objects.get().status == ActivationStatus.ACTIVE
        assert not Notification.objects.filter(title__startswith="Closed from outside").exists()

    def test_has_its_own_exit_cancelled_that_would_turn_it_round(self, desk: Outside) -> None:
        first, second = desk.strategy("first"), desk.strategy("second")
        desk.trade("BUY 10 @ 100", first)
        desk.trade("BUY 10 @ 100", second)
        waiting = make_order(
            desk.account,
            desk.instrument,
            Side.SELL,
            10,
            user_strategy_id=first,
            status=OrderStatus.OPEN,
            broker_order_id="OURS",
            is_exit=True,
        )
        _reserve(waiting)
        desk.outside(Side.SELL, 10)
        waiting.refresh_from_db()
        assert waiting.state is OrderStatus.CANCEL_PENDING


class TestTheIntradaySquareOff:
    def test_is_told_and_pauses_nothing(self, desk: Outside) -> None:
        strategy = desk.strategy("first")
        desk.trade("BUY 10 @ 100", strategy)
        desk.now = _at(15, 20)
        desk.outside(Side.SELL, 10)
        assert UserStrategy.objects.get(pk=strategy).status == ActivationStatus.ACTIVE
        told = Notification.objects.get(title__startswith="Squared off")
        assert (told.alert_level, told.title) == (
            AlertLevel.INFO,
            "Squared off: RELIANCE of first on Practice",
        )
        assert told.message.endswith("It is in the strategy's books, and the strategy goes on.")

    def test_leaves_books_that_are_right(self, desk: Outside) -> None:
        desk.trade("BUY 10 @ 100", desk.strategy("first"))
        desk.now = _at(15, 20)
        desk.outside(Side.SELL, 10)
        assert (desk.held(), desk.faults()) == ({}, [])

    def test_is_none_before_its_hour(self, desk: Outside) -> None:
        desk.trade("BUY 10 @ 100", desk.strategy("first"))
        desk.now = _at(15, 10)
        desk.outside(Side.SELL, 10)
        assert UserStrategy.objects.get().status == ActivationStatus.PAUSED

    def test_is_none_of_what_may_be_kept_overnight(self, desk: Outside) -> None:
        desk.trade("BUY 10 @ 100", desk.strategy("first"), product=Product.NRML)
        desk.now = _at(15, 20)
        desk.outside(Side.SELL, 10, product=Product.NRML)
        assert UserStrategy.objects.get().status == ActivationStatus.PAUSED


def _at(hour: int, minute: int) -> datetime:
    return datetime(2026, 6, 17, hour, minute, tzinfo=IST)


moves = st.lists(
    st.tuples(
        st.sampled_from(["first", "second", "by hand", "outside"]),
        st.sampled_from(Side),
        st.integers(1, 40),
        st.integers(9000, 11000).map(lambda paise: Decimal(paise) / 100),
    ),
    min_size=1,
    max_size=8,
)


class TestWhateverIsTradedWhere(TestCase):
    @examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(moves)
    def test_the_books_are_what_the_trades_make_them(
        self, moved: list[tuple[str, Side, int, Decimal]]
    ) -> None:
        desk = Outside()
        names = {name: desk.strategy(name) for name in ("first", "second")}
        net = 0
        for who, side, quantity, price in moved:
            before = desk.held()
            if who == "outside":
                desk.outside(side, quantity, price=str(price))
                _nothing_was_turned_round(before, desk.held())
            else:
                desk.trade(f"{side} {quantity} @ {price}", names.get(who))
            net += side.sign * quantity
        assert sum(desk.held().values()) == net
        assert desk.faults() == []
        _parts_are_whole()


def _nothing_was_turned_round(
    before: dict[UUID | None, int], after: dict[UUID | None, int]
) -> None:
    for key, quantity in before.items():
        if key is not None:
            assert after.get(key, 0) * quantity >= 0
            assert abs(after.get(key, 0)) <= abs(quantity)
    assert {key for key in after if key is not None} <= set(before)


def _parts_are_whole() -> None:
    for trade in Trade.objects.filter(order__source=OrderSource.EXTERNAL):
        split = trade.parts.aggregate(total=Sum("quantity"))["total"]
        assert split in (None, trade.quantity)


def _charges() -> dict[UUID | None, Decimal]:
    rows = Position.objects.filter(position_type=PositionType.NET).exclude(user_strategy=None)
    return dict(rows.values_list("user_strategy_id", "charges"))


def _reserve(order: Order) -> None:
    Reservation.objects.create(
        order_id=order.pk,
        workspace=order.workspace,
        account=order.account,
        user_strategy_id=order.user_strategy_id,
        instrument=order.instrument,
        product=order.product,
        side=order.side,
        quantity=order.quantity,
        price=100,
        is_exit=True,
        session_date=NOW.date(),
        created_at=NOW,
    )
