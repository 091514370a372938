"""What a stream's news does in the house: rows, orders, logins, asking for what was missed."""

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from unittest.mock import ANY

import pytest
from celery import current_app
from django.db import OperationalError
from kombu import Queue

from brokers.gateway import OrderReport, QuoteTick, TradeReport
from brokers.models import (
    AuthToken,
    ConnectionStatus,
    ProcessingStatus,
    StreamConnection,
    StreamMessage,
    StreamStatus,
)
from brokers.streaming.inbox import Doubt, HeardOrders, HeardState, HeardWords, Inbox, Mail
from brokers.streaming.protocol import (
    Frame,
    Heartbeat,
    News,
    OrderNews,
    StreamError,
    StreamKind,
    Ticks,
)
from brokers.terms import OrderType, Product, Side
from market.quotes import quote_of
from orders.models import Order, Trade
from orders.states import OrderStatus
from tests.builders import NOW
from tests.orders.desk import Desk, make_desk
from tests.streaming.house import TinyProtocol, report
from trading_site.broker_streams import StreamHouse
from trading_site.stream_worker import StreamWorker, newest

CONNECTED = HeardState(0, StreamStatus.CONNECTED)


class Unanswered(TinyProtocol):
    """Asks the database whose an order is, and gets no answer."""

    def parse(self, frame: Frame) -> Sequence[News]:
        raise OperationalError("the connection is closed")


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


@pytest.fixture
def sync_queue() -> Iterator[Queue]:
    """The queue that workers read books from, empty; nobody works here."""
    with current_app.connection_for_write() as line:
        queue = current_app.amqp.queues["sync"](line.default_channel)
        queue.declare()
        queue.purge()
        yield queue
        queue.purge()


def taken_off(queue: Queue) -> int:
    """Take what waits off the queue; return how much it was."""
    return int(queue.purge() or 0)


def worker(desk: Desk, kind: StreamKind = StreamKind.ORDERS) -> StreamWorker:
    return StreamWorker(desk.account.connection, kind, desk.clock)


def mail(*heard: object, alive: tuple[int, ...] = ()) -> Mail:
    return Mail(heard, (), frozenset(alive))  # type: ignore[arg-type]


def told(order: OrderReport | None = None, *trades: TradeReport, frame: str = "{}") -> HeardOrders:
    return HeardOrders(0, frame, OrderNews((order,) if order else (), trades))


def working(desk: Desk, quantity: int = 10) -> Order:
    """Return a limit order that rests at its broker."""
    order = desk.send(desk.place(quantity=quantity, limit="95.00"))
    desk.trade("100.00")
    order.refresh_from_db()
    return order


def of(order: Order, filled: int, **fields: object) -> OrderReport:
    return report(
        filled,
        order=order.broker_order_id,
        total=order.quantity,
        order_type=OrderType.LIMIT,
        price=order.price,
        **fields,
    )


def fill(order: Order, number: int, quantity: int = 1) -> TradeReport:
    return TradeReport(
        f"T{number}", order.broker_order_id, order.instrument.key, Side.BUY, Product.MIS,
        quantity, order.price or Decimal(0), NOW + timedelta(seconds=5),
    )  # fmt: skip


class TestALogin:
    @pytest.fixture
    def token(self, desk: Desk) -> AuthToken:
        return AuthToken.objects.create(connection=desk.account.connection)

    def test_that_the_broker_ended_is_over_here_too(self, desk: Desk, token: AuthToken) -> None:
        ended = HeardState(0, StreamStatus.ERROR, "It is over", 1, Doubt.OVER, str(token.pk))
        worker(desk).work_off(mail(ended))
        desk.account.connection.refresh_from_db()
        assert desk.account.connection.status == ConnectionStatus.EXPIRED

    def test_that_is_newer_than_the_refused_one_stays(self, desk: Desk, token: AuthToken) -> None:
        older = AuthToken.objects.create(connection=desk.account.connection, is_active=False)
        ended = HeardState(0, StreamStatus.ERROR, "It is over", 1, Doubt.OVER, str(older.pk))
        worker(desk).work_off(mail(ended))
        token.refresh_from_db()
        assert token.is_active

    def test_refused_at_the_door_is_left_to_a_call_to_tell(
        self, desk: Desk, token: AuthToken, sync_queue: Queue
    ) -> None:
        refused = HeardState(0, StreamStatus.ERROR, "HTTP 403", 1, Doubt.REFUSED, str(token.pk))
        worker(desk, StreamKind.MARKET).work_off(mail(refused))
        token.refresh_from_db()
        assert token.is_active
        assert taken_off(sync_queue) == 1

    def test_refused_once_it_had_been_good_is_asked_about_once(
        self, desk: Desk, token: AuthToken, sync_queue: Queue
    ) -> None:
        stream = worker(desk, StreamKind.MARKET)
        stream.work_off(mail(CONNECTED, HeardState(0, StreamStatus.ERROR, "It broke", 1)))
        for attempts in (2, 3):
            refused = HeardState(
                0, StreamStatus.ERROR, "HTTP 403", attempts, Doubt.REFUSED, str(token.pk)
            )
            stream.work_off(mail(refused))
        assert taken_off(sync_queue) == 1


class TestComingBack:
    def test_asks_for_what_was_missed(self, desk: Desk, sync_queue: Queue) -> None:
        stream = worker(desk)
        stream.work_off(mail(CONNECTED))
        stream.work_off(mail(HeardState(0, StreamStatus.ERROR, "gone", 1)))
        stream.work_off(mail(CONNECTED))
        assert taken_off(sync_queue) == 2

    def test_of_prices_asks_for_nothing(self, desk: Desk, sync_queue: Queue) -> None:
        worker(desk, StreamKind.MARKET).work_off(mail(CONNECTED))
        assert taken_off(sync_queue) == 0


class TestWhatCouldNotBeRead:
    def test_of_orders_asks_for_a_reading(self, desk: Desk, sync_queue: Queue) -> None:
        stream = worker(desk)
        stream.work_off(mail(HeardWords(0, "Not understood"), HeardWords(0, "Nor this")))
        assert taken_off(sync_queue) == 1

    def test_of_prices_asks_for_nothing(self, desk: Desk, sync_queue: Queue) -> None:
        worker(desk, StreamKind.MARKET).work_off(mail(HeardWords(0, "Not understood")))
        assert taken_off(sync_queue) == 0

    def test_and_is_over_asks_for_nothing(self, desk: Desk, sync_queue: Queue) -> None:
        stream = worker(desk)
        stream.work_off(mail(HeardWords(0, "")))
        assert taken_off(sync_queue) == 0
        assert StreamConnection.objects.get().error_message == ""

    def test_because_the_database_did_not_answer_is_said_in_words(self, desk: Desk) -> None:
        house = StreamHouse(desk.account.connection, StreamKind.ORDERS, desk.clock)
        (news,) = house.read(Unanswered("", ""), "order 1")
        assert isinstance(news, StreamError)
        assert (news.is_fatal, news.is_auth) == (False, False)


class TestRows:
    def test_tell_the_state_of_each_socket(self, desk: Desk) -> None:
        stream = worker(desk)
        stream.work_off(mail(CONNECTED, HeardState(1, StreamStatus.ERROR, "gone", 3)))
        stream.work_off(mail(HeardWords(0, "Not understood")))
        rows = StreamConnection.objects.order_by("created_at")
        assert [(r.status, r.error_message, r.reconnect_attempts) for r in rows] == [
            ("CONNECTED", "Not understood", 0),
            ("ERROR", "gone", 3),
        ]

    def test_are_not_written_at_every_sign_of_life(self, desk: Desk) -> None:
        stream = worker(desk)
        stream.work_off(mail(CONNECTED))
        seen = []
        for seconds in (0, 1, 3):
            desk.now = NOW + timedelta(seconds=seconds)
            stream.work_off(mail(alive=(0,)))
            seen.append(StreamConnection.objects.get().last_heartbeat_at)
        assert seen == [NOW, NOW, NOW + timedelta(seconds=3)]

    def test_left_by_a_process_that_died_are_ended(self, desk: Desk) -> None:
        worker(desk).work_off(mail(CONNECTED))
        worker(desk)._book.begin()
        assert StreamConnection.objects.get().status == StreamStatus.DISCONNECTED

    def test_number_the_messages_and_mask_what_is_secret(self, desk: Desk) -> None:
        stream, order = worker(desk), working(desk)
        frames = ('{"access_token": "s3cret", "price": 100.10}', "no json \x00", '{"a": "\\u0000"}')
        stream.work_off(mail(*(told(of(order, 0), frame=frame) for frame in frames)))
        rows = StreamMessage.objects.order_by("sequence").values_list("sequence", "payload")
        assert list(rows) == [
            (1, {"access_token": ANY, "price": "100.10"}),
            (2, {"text": "no json "}),
            (3, {"a": ""}),
        ]
        assert "s3cret" not in str(list(rows))

    def test_say_when_a_message_is_worked_off(self, desk: Desk) -> None:
        order = working(desk)
        worker(desk).work_off(mail(told(of(order, 0))))
        row = StreamMessage.objects.get()
        assert row.processing_status == ProcessingStatus.PROCESSED
        assert row.broker_order_id == order.broker_order_id


class TestOrders:
    def test_end_alike_however_their_news_came(self, desk: Desk) -> None:
        dice = random.Random(7)
        for _ in range(5):
            order = working(desk)
            news = [told(of(order, filled)) for filled in (0, 3, 3, 7, 10)]
            dice.shuffle(news)
            stream = worker(desk)
            for each in news:
                stream.work_off(mail(each, each))
            order.refresh_from_db()
            assert (order.status, order.filled_quantity) == (OrderStatus.FILLED, 10)

    def test_book_a_fill_once_though_it_is_told_twice(self, desk: Desk) -> None:
        order, stream = working(desk), worker(desk)
        stream.work_off(mail(told(None, fill(order, 1)), told(None, fill(order, 1))))
        stream.work_off(mail(told(None, fill(order, 1))))
        assert Trade.objects.filter(order=order).count() == 1

    def test_are_worked_off_in_one_go_however_often_they_were_told(self, desk: Desk) -> None:
        order = working(desk, quantity=5_000)
        before = order.event_count
        news = [told(of(order, filled)) for filled in range(1, 2_001)]
        worker(desk).work_off(mail(*news))
        order.refresh_from_db()
        assert (order.filled_quantity, order.event_count - before) == (2_000, 1)


class TestNewest:
    def test_keeps_the_last_word_in_each_status(self) -> None:
        told = [report(0), report(3), report(7), report(5), report(10)]
        assert [each.filled_quantity for each in newest(told)] == [0, 7, 10]

    def test_keeps_a_changed_price_told_later(self) -> None:
        first, later = report(0), report(0, updated_at=NOW + timedelta(seconds=1))
        assert newest([later, first]) == [later]


class TestPrices:
    def test_become_quotes(self, desk: Desk) -> None:
        from_socket = Inbox()
        from_socket.put_frame(0, b"", [Heartbeat(), Ticks((_tick(desk, "101.00"),))])
        worker(desk, StreamKind.MARKET).work_off(from_socket.take(timeout=0))
        quote = quote_of(desk.instrument.key)
        assert quote is not None
        assert quote.ltp == 101

    def test_of_a_time_to_come_say_that_the_clock_is_behind(self, desk: Desk) -> None:
        stream = worker(desk, StreamKind.MARKET)
        stream.work_off(mail(CONNECTED))
        for seconds, words in ((60, "This machine's clock is 60 s behind"), (1, "")):
            stream.work_off(prices(_tick(desk, "101.00", seconds)))
            told_of = StreamConnection.objects.get().error_message
            assert told_of.startswith(words)
            assert bool(told_of) is bool(words)


def prices(*ticks: QuoteTick) -> Mail:
    return Mail((), ticks, frozenset())


def _tick(desk: Desk, price: str, seconds: int = 1) -> QuoteTick:
    return QuoteTick(desk.instrument.key, Decimal(price), NOW + timedelta(seconds=seconds), 5)
