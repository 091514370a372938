"""Each broker's own sockets at its simulator: fills on the wire, and what was missed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from pytest_django import Settings

from brokers.gateway import InstrumentRef
from brokers.models import TradingAccount
from brokers.registry import streams_of
from brokers.sessions import session_secrets
from brokers.simulator.exchange import SimOrder, SimOrderRequest
from brokers.streaming.protocol import Frame, News, StreamKind, StreamProtocol
from brokers.streaming.supervisor import Opening
from brokers.terms import OrderType, Product, Side, Validity
from orders.models import Order, Trade
from orders.services.reconciling import reconcile_account
from tests.brokers.angel.market import AngelStand
from tests.brokers.dhan.market import DhanStand
from tests.brokers.kite.market import KiteStand
from tests.brokers.stands import BrokerStand
from tests.builders import make_instrument
from tests.streaming.house import QUICK, Heeding, Running, until
from trading_site.stream_worker import StreamWorker


@dataclass(frozen=True)
class Stand:
    """One simulated broker with an account that is logged in, and a share of its market."""

    at: BrokerStand
    account: TradingAccount
    share: InstrumentRef

    def place(self, price: int, quantity: int = 10) -> SimOrder:
        """Place an order as if by the broker's own app."""
        order = self.at.broker.place(
            self.at.client,
            SimOrderRequest(
                tag="",
                instrument_token=self.at.share,
                side=Side.BUY,
                quantity=quantity,
                order_type=OrderType.LIMIT,
                product=Product.MIS,
                validity=Validity.DAY,
                price=Decimal(price),
            ),
        )
        assert isinstance(order, SimOrder), order
        self.pass_second()
        return order

    def trade(self, price: int, *, volume: int = 0) -> None:
        self.pass_second()
        self.at.broker.tick(self.at.share, Decimal(price), volume=volume)

    def pass_second(self) -> None:
        self.at.clock.move(1)
        self.at.broker.advance()


@dataclass
class OwnHouse:
    """The broker's real protocol with secrets that were read before: no database in threads."""

    stand: Stand
    kind: StreamKind
    is_reachable: bool = True

    def __post_init__(self) -> None:
        connection = self.stand.account.connection
        self._secrets = dict(session_secrets(connection, now=self.stand.at.clock()))
        self._credentials = connection.read_credentials()
        self._open = streams_of(self.stand.at.broker_type)

    def open(self) -> Opening:
        made = self._open(self.kind, secrets=self._secrets, credentials=self._credentials)
        assert made is not None
        if not self.is_reachable:
            made.url = lambda: "ws://127.0.0.1:9/"  # type: ignore[method-assign]
        return Opening(made, "")

    def wanted(self) -> list[InstrumentRef]:
        return [self.stand.share] if self.kind is StreamKind.MARKET else []

    def read(self, protocol: StreamProtocol, frame: Frame) -> Sequence[News]:
        return protocol.parse(frame)


@pytest.fixture(params=[KiteStand, DhanStand, AngelStand], ids=["kite", "dhan", "angel"])
def stand(request: pytest.FixtureRequest, db: None, settings: Settings) -> Iterator[Stand]:
    with request.param() as made, made.in_place(settings):
        share = made.ref(made.share)
        make_instrument(share.key)
        yield Stand(made, made.connected(), share)


class At:
    """The desk's end of one stream: what came is worked off when asked."""

    def __init__(self, stand: Stand, heeding: Heeding) -> None:
        self._worker = StreamWorker(stand.account.connection, StreamKind.ORDERS, stand.at.clock)
        self._heeding = heeding

    def settle(self) -> None:
        mail = self._heeding.inbox.take(timeout=0)
        self._heeding.heard += mail.heard
        self._worker.work_off(mail)

    def has_failed(self) -> bool:
        self.settle()
        return "ERROR" in self._heeding.states()

    def connected(self) -> int:
        self.settle()
        return self._heeding.states().count("CONNECTED")

    def filled(self, order: SimOrder) -> int:
        self.settle()
        row = Order.objects.filter(broker_order_id=order.order_id).first()
        return row.filled_quantity if row else -1


class TestOrderStream:
    def test_tells_a_fill_without_being_asked(self, stand: Stand) -> None:
        with Running(OwnHouse(stand, StreamKind.ORDERS)) as heeding:
            at = At(stand, heeding)
            until(at.connected)
            _wait_for_login(stand)
            order = stand.place(95)
            until(lambda: at.filled(order) == 0)
            stand.trade(94, volume=100_000)
            until(lambda: at.filled(order) == 10)

    def test_what_filled_while_it_was_away_is_found_on_coming_back(self, stand: Stand) -> None:
        house = OwnHouse(stand, StreamKind.ORDERS)
        with Running(house, replace(QUICK, ping_every=0.2)) as heeding:
            at = At(stand, heeding)
            until(at.connected)
            _wait_for_login(stand)
            order = stand.place(95)
            until(lambda: at.filled(order) == 0)
            house.is_reachable = False
            stand.at.faults.arm("half_open")
            until(lambda: at.has_failed())
            stand.trade(94, volume=100_000)
            stand.at.faults.clear()
            house.is_reachable = True
            until(lambda: at.connected() == 2)
            assert at.filled(order) == 0
            # What the nudge of the coming-back has a worker do.
            reconcile_account(stand.account, clock=stand.at.clock)
        assert Trade.objects.get().quantity == 10


class TestPriceStream:
    def test_tells_prices_with_what_traded_since(self, stand: Stand) -> None:
        with Running(OwnHouse(stand, StreamKind.MARKET)) as heeding:
            until(lambda: "CONNECTED" in heeding.states())
            until(heeding.prices)
            stand.trade(101, volume=500)
            until(lambda: heeding.prices()[-1] == 101)
        assert (heeding.ticks[-1].key, heeding.ticks[-1].volume) == (stand.share.key, 500)


def _wait_for_login(stand: Stand) -> None:
    """Dhan logs in by a message; what it tells before that nobody hears."""
    if stand.at.broker_type == "dhan":
        hub = stand.at.app.state.dhan.feeds.orders
        until(lambda: any(each.state.get("client") for each in hub.connections()))
