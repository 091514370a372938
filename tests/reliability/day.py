"""One trading day of a person at the pages: the pages, the workers, the broker, and the clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils import timezone
from time_machine import Traveller

from brokers import tasks as broker_tasks
from brokers.models import BrokerConnection, TradingAccount
from brokers.simulator.recording import RecordedRequest, RequestLog
from brokers.simulator.records import SimOrder
from brokers.streaming.protocol import StreamKind
from market.models import Instrument
from market.quotes import quote_of
from orders import tasks as order_tasks
from orders.models import Order
from tests.brokers.connecting import newest_attempt
from tests.orders.desk import settle_unknown_orders, sweep_waiting
from tests.reliability.listening import Listening, listening
from tests.reliability.pages import Page, Trader
from tests.reliability.stands import Stand
from tests.reliability.worlds import LOOKS, QUANTITY, Served, World


@dataclass
class Day:
    """``traveller`` moves the house's clock; the broker's own goes with it."""

    served: Served
    trader: Trader
    traveller: Traveller
    orders: dict[str, Order] = field(default_factory=dict)

    @property
    def stand(self) -> Stand:
        return self.served.stand

    @property
    def connection(self) -> BrokerConnection:
        return BrokerConnection.objects.get(broker_type=self.stand.name)

    @property
    def account(self) -> TradingAccount:
        return self.connection.accounts.get()

    @property
    def instrument(self) -> Instrument:
        return Instrument.objects.get(key=self.stand.key)

    @property
    def world(self) -> World:
        """The same desk, as the other tests of this folder hold it."""
        return World(self.served, self.account, self.instrument)

    # Time, and who works in it

    def pass_time(self, seconds: float) -> None:
        self.traveller.shift(seconds)
        self.world.pass_time(seconds)

    def trade(self, price: Decimal, *, volume: int = 100_000) -> None:
        """Let the share trade at the broker."""
        self.served.broker.tick(self.stand.share, price, volume=volume)

    def sweep(self) -> None:
        """Let the sweep nudge, and the workers do what it nudged them for."""
        order_tasks.sweep_orders()
        sweep_waiting(timezone.now)

    def work(self) -> None:
        """Let the workers do once what their beat asks of them."""
        self.pass_time(1)
        self.sweep()
        settle_unknown_orders(timezone.now)
        order_tasks.reconcile_one(account_id=str(self.account.pk))

    def settle(self) -> None:
        """Let the workers look for as long as an order may stay unknown."""
        for seconds in LOOKS:
            self.pass_time(seconds)
            settle_unknown_orders(timezone.now)
        self.work()

    def log_in(self) -> None:
        """Be the worker that logs in."""
        broker_tasks.log_in(attempt_id=str(newest_attempt(self.connection).pk))

    # The pages

    @property
    def symbol(self) -> str:
        return self.instrument.trading_symbol

    def read_connection(self) -> Page:
        return self.trader.read(f"/brokers/{self.connection.pk}/")

    def look(self, order: Order) -> Page:
        return self.trader.read(f"/orders/{order.pk}/")

    def ask(self, *, below: str) -> Page:
        """Send the order window as it opens, but for quantity and price."""
        window = self.trader.read("/orders/new/", instrument=self.stand.key, side="BUY")
        price = self.price_on_tick(below=below)
        return self.trader.press(window, quantity=str(QUANTITY), price=str(price))

    def place(self, name: str, *, below: str, settled: bool = True) -> Order:
        """Send an order from the window at a fresh price, and let a worker send it."""
        self.hear_price()
        page = self.ask(below=below)
        assert page.status == 200, page.text
        self.orders[name] = Order.objects.get(pk=page.address.split("/")[2])
        if settled:
            self.work()
        else:
            self.sweep()
        return self.orders[name]

    def be_denied(self, words: str) -> None:
        """Ask for one more order: the window says why not, and nothing goes to the broker."""
        sent = len(self.sent())
        page = self.ask(below="5")
        page.says(words)
        self.sweep()
        assert (page.status, len(self.sent())) == (422, sent)

    def price_on_tick(self, *, below: str) -> Decimal:
        return self.world.price - Decimal(below)

    # The broker's side

    def at_broker(self, order: Order) -> SimOrder:
        order.refresh_from_db()
        (found,) = self.world.at_broker(order)
        return found

    def sent(self) -> Sequence[RecordedRequest]:
        """Return every order that has reached the broker's door."""
        log: RequestLog = self.served.app.state.requests
        return log.all(self.stand.placing)

    # Prices, by the broker's own socket

    def hear_price(self) -> None:
        with listening(self.world, StreamKind.MARKET) as stream:
            self.hear(stream, self.world.price)

    def hear(self, stream: Listening, price: Decimal) -> None:
        """Quote the price until the house has it: a subscription takes its time. Nothing trades."""

        def is_known() -> bool:
            self.served.broker.tick(self.stand.share, price, volume=0)
            quote = quote_of(self.stand.key)
            return quote is not None and quote.ltp == price and not quote.is_stale(timezone.now())

        stream.until(is_known)
