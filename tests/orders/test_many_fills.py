"""Many fills of one order at once leave the rows that they leave one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count, pairwise
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from brokers.gateway import BrokerStatus, OrderReport, TradeReport
from brokers.models import TradingAccount
from brokers.terms import OrderType, Product, Side, Validity
from market.models import Instrument
from notifications.models import Notification
from operations.models import ErrorLog
from orders.booked_fills import booked_fills
from orders.models import EventSource, Order, OrderEvent, OrderSource, ParkedReport, Trade
from orders.models.trades import TradePart
from orders.services import batches
from orders.services.reporting import apply_updates
from orders.states import OrderStatus
from portfolio.models import (
    EquityPoint,
    Holding,
    LedgerEntry,
    NettedPosition,
    Position,
    TradingSession,
)
from portfolio.posting import ledger_faults
from portfolio.proving import differences
from portfolio.rebuilding import rebuild
from risk.models import Reservation
from tests.builders import NOW, make_instrument
from tests.portfolio.fills import make_desk, make_fill, make_order, make_running_strategy, record

pytestmark = pytest.mark.django_db

# What names a row, or says when it was written; and what is told of a batch in one.
NAMES = {"id", "workspace", "user", "account", "order", "opening_order", "tag", "trade"}
NAMES |= {"idempotency_key", "created_at", "updated_at", "start_time", "event_count", "order_id"}
LATER = NOW + timedelta(minutes=5)
FILLS = 12
_names = (f"desk{number}" for number in count())


class Book:
    """An account with an order that fills, and strategies that hold the same share."""

    def __init__(self, side: Side, source: OrderSource, product: Product, held: Sequence[int]):
        name = next(_names)
        self.account: TradingAccount = make_desk(name)
        key = "NSE:RELIANCE"
        self.instrument = Instrument.objects.filter(key=key).first() or make_instrument(key)
        self.strategies = [make_running_strategy(self.account, f"{name}-{n}") for n in range(2)]
        for quantity, whose in zip(held, (None, *self.strategies), strict=True):
            if quantity:
                words = f"{'BUY' if quantity > 0 else 'SELL'} {abs(quantity)} @ 99.35"
                fields: dict[str, Any] = {"user_strategy_id": whose, "product": product}
                record(make_fill(self.account, self.instrument, words, **fields))
        self.order: Order = make_order(
            self.account,
            self.instrument,
            side,
            40,
            product=product,
            source=source,
            broker_order_id="B1",
            status=OrderStatus.OPEN,
        )

    def fill(self, number: int, quantity: int = 2, price: str = "100.05") -> TradeReport:
        return TradeReport(
            trade_id=f"T{number}",
            broker_order_id="B1",
            instrument_key=self.instrument.key,
            side=Side(self.order.side),
            product=Product(self.order.product),
            quantity=quantity,
            price=Decimal(price),
            traded_at=NOW + timedelta(seconds=number),
        )

    def tell(self, *trades: TradeReport) -> None:
        source = EventSource.WEBSOCKET
        apply_updates(self.account, orders=[], trades=trades, source=source, now=LATER)

    def show(self) -> None:
        """Let the broker's book show the order for the first time."""
        report = OrderReport(
            broker_order_id="B1",
            tag=self.order.tag,
            instrument_key=self.instrument.key,
            side=Side(self.order.side),
            order_type=OrderType(self.order.order_type),
            product=Product(self.order.product),
            validity=Validity(self.order.validity),
            status=BrokerStatus.OPEN,
            quantity=self.order.quantity,
            filled_quantity=0,
            updated_at=LATER,
        )
        source = EventSource.RECONCILE
        apply_updates(self.account, orders=[report], trades=[], source=source, now=LATER)

    def rows(self) -> dict[str, list[dict[str, object]]]:
        mine: dict[type[models.Model], dict[str, object]] = {
            Trade: {"account": self.account},
            TradePart: {"trade__account": self.account},
            ParkedReport: {"account": self.account},
            Order: {"account": self.account},
            Reservation: {"account": self.account},
            Position: {"account": self.account},
            NettedPosition: {"account": self.account},
            Holding: {"account": self.account},
            LedgerEntry: {"account": self.account},
            TradingSession: {"account": self.account},
            EquityPoint: {"account": self.account},
        }
        return {model.__name__: self._rows(model, of) for model, of in mine.items()}

    def _rows(self, model: type[models.Model], of: dict[str, object]) -> list[dict[str, object]]:
        rows = model._default_manager.filter(**of).order_by("pk")
        fields = [each for each in model._meta.concrete_fields if each.name not in NAMES]
        return [{each.name: self._told(each, row) for each in fields} for row in rows]

    def _told(self, field: models.Field[Any, Any], row: models.Model) -> object:
        value = field.value_from_object(row)
        if value in self.strategies:
            return self.strategies.index(value)
        if field.name == "voucher_number":
            trade = Trade.objects.get(pk=str(value))
            return "before" if trade.order_id != self.order.pk else trade.broker_trade_id
        is_own_name = field.name == "broker_trade_id" and not str(value).startswith("T")
        return "before" if is_own_name else value

    def alarms(self) -> int:
        return ErrorLog.objects.filter(related_account_id=self.account.pk).count()

    def faults(self) -> list[object]:
        found = differences(self.account, rebuild(booked_fills(self.account)))
        return [*found, *ledger_faults(self.account)]


def resting(side: Side = Side.BUY, *held: int) -> Book:
    return Book(side, OrderSource.MANUAL, Product.MIS, held or (0, 0, 0))


paise = st.integers(9_000, 11_000).map(lambda number: str(Decimal(number) / 100))
sizes = st.lists(st.tuples(st.integers(1, 6), paise), min_size=FILLS, max_size=FILLS)
# Told by number; a negative one is a lie, told of the same trade with another quantity.
tellings = st.lists(
    st.one_of(st.integers(0, FILLS - 1), st.integers(-3, -1)), min_size=1, max_size=30
)
cuts = st.sets(st.integers(1, 29))
books = st.tuples(
    st.sampled_from(Side),
    st.sampled_from([OrderSource.MANUAL, OrderSource.EXTERNAL]),
    st.sampled_from([Product.MIS, Product.CNC]),
    st.tuples(*[st.integers(-15, 15)] * 3),
)


def history(book: Book, fills: Sequence[tuple[int, str]], told: list[int]) -> list[TradeReport]:
    """Fills of which some are of the next day or of another product, and lies among them."""
    reports = [book.fill(number, *fills[number]) for number in range(FILLS)]
    reports[5] = replace(reports[5], traded_at=NOW + timedelta(days=1))
    reports[6] = replace(reports[6], price=Decimal("100.12345"))
    reports[7] = replace(reports[7], product=Product.NRML)
    reports[8] = replace(reports[8], broker_order_id="B2")
    lies = {
        -1: replace(reports[1], quantity=9),
        -2: replace(reports[2], side=Side.SELL if reports[2].side is Side.BUY else Side.BUY),
        -3: replace(reports[3], quantity=-1),
    }
    return [lies[number] if number < 0 else reports[number] for number in told]


class TestABatchOfFills:
    @settings(max_examples=25, deadline=None, phases=[Phase.generate])
    @given(terms=books, fills=sizes, told=tellings, where=cuts)
    def test_leaves_the_rows_of_one_by_one(
        self,
        terms: tuple[Side, OrderSource, Product, Sequence[int]],
        fills: list[tuple[int, str]],
        told: list[int],
        where: set[int],
    ) -> None:
        at_once, one_by_one = Book(*terms), Book(*terms)
        batch = history(at_once, fills, told)
        for begin, end in pairwise(sorted({0, len(batch), *(n for n in where if n < len(batch))})):
            at_once.tell(*batch[begin:end])
        for report in history(one_by_one, fills, told):
            one_by_one.tell(report)
        assert at_once.rows() == one_by_one.rows()
        assert at_once.alarms() == one_by_one.alarms()
        assert at_once.faults() == []

    def test_costs_as_many_statements_as_one(self) -> None:
        costs = []
        for fills in (1, 200):
            book = resting()
            book.tell(book.fill(1_000, 1))
            with CaptureQueriesContext(connection) as told:
                book.tell(*(book.fill(number, 1) for number in range(fills)))
            costs.append(len(told))
        assert costs[1] < 2 * costs[0]

    def test_is_one_event_that_says_how_many(self) -> None:
        book = resting()
        book.tell(book.fill(1, 10, "100.00"), book.fill(2, 30, "102.00"))
        event = OrderEvent.objects.get(order=book.order)
        assert event.message == "2 fills, 40 at 101.50 on average"
        assert event.event_data["fills"] == "2"
        assert event.to_status == OrderStatus.FILLED

    def test_that_fills_the_order_is_told_once(self) -> None:
        book = resting()
        book.tell(*(book.fill(number) for number in range(20)))
        assert Notification.objects.filter(user=book.account.connection.user).count() == 1

    def test_after_the_orders_end_is_told_once_and_booked(self) -> None:
        book = resting()
        Order.objects.update(status=OrderStatus.CANCELLED, reported_at=NOW)
        book.tell(*(book.fill(number) for number in range(3)))
        told = Notification.objects.get(user=book.account.connection.user)
        assert told.title.startswith("3 fills came after the end of an order")
        assert Trade.objects.filter(order=book.order, is_late=True).count() == 3

    def test_with_a_bad_one_among_them_sets_that_one_aside(self) -> None:
        book = resting()
        fills = [book.fill(number, 1) for number in range(40)]
        fills[17] = replace(fills[17], instrument_key="NSE:OTHER")
        book.tell(*fills)
        assert book.alarms() == 1
        assert Trade.objects.filter(order=book.order).count() == 39
        assert book.faults() == []

    def test_keeps_four_decimals_and_knows_the_fifth_again(self) -> None:
        book = resting()
        fills = [book.fill(1, 3, "100.12345"), book.fill(2, 1, "100.12")]
        book.tell(*fills)
        book.tell(*fills)
        assert book.alarms() == 0
        assert book.faults() == []
        assert Trade.objects.get(order=book.order, quantity=3).price == Decimal("100.1234")

    def test_of_an_order_nobody_knows_waits_for_it(self) -> None:
        book = resting()
        fills = [replace(book.fill(number), broker_order_id="B9") for number in range(30)]
        book.tell(*fills)
        book.tell(*fills)
        assert ParkedReport.objects.filter(account=book.account).count() == 30

    def test_that_waited_is_recorded_in_one_once_its_order_is_known(self) -> None:
        book = resting()
        Order.objects.update(broker_order_id="")
        fills = [book.fill(number, 1) for number in range(30)]
        fills[7] = replace(fills[7], instrument_key="NSE:OTHER")
        book.tell(*fills)
        book.show()
        assert Trade.objects.filter(order=book.order).count() == 29
        assert ParkedReport.objects.get(account=book.account).trade_id == "T7"
        assert book.alarms() == 1
        assert book.faults() == []


class TestAWorkerThatDies:
    @pytest.mark.parametrize("written", [0, 1, 3])
    def test_leaves_a_whole_book_that_the_next_reading_finishes(
        self, written: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(batches, "AT_ONCE", 10)
        book, whole = resting(), resting()
        fills = [book.fill(number, 1) for number in range(40)]
        dying = connection.execute_wrapper(dying_after(written))
        with dying, pytest.raises(KeyboardInterrupt):
            book.tell(*fills)
        assert Trade.objects.filter(order=book.order).count() == 10 * written
        assert book.faults() == []
        book.tell(*fills)
        whole.tell(*(whole.fill(number, 1) for number in range(40)))
        assert book.rows() == whole.rows()


def dying_after(written: int) -> Callable[..., object]:
    """Die in the middle of the run that follows so many whole ones: its trades are written."""
    left = written

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> object:
        nonlocal left
        result = execute(sql, params, many, context)
        if sql.startswith('INSERT INTO "trades"'):
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
        return result

    return wrapper
