"""The simulated Alpaca in a test's hand: one server, one client, a clock that only tests move."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from starlette.applications import Starlette

from brokers.adapters.alpaca.client import Keys
from brokers.adapters.alpaca.endpoints import DataFeed, Environment
from brokers.adapters.alpaca.gateway import AlpacaGateway
from brokers.adapters.alpaca.words import EXCHANGE
from brokers.gateway import InstrumentRef
from brokers.models import BrokerConnection, ConnectionStatus, TradingAccount
from brokers.sessions import open_session
from brokers.simulator.alpaca.app import make_app
from brokers.simulator.alpaca.desk import API_KEY, API_SECRET, CLIENT, AlpacaDesk
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.instruments import SimInstrument, us_market
from brokers.simulator.serving import SimulatorServer
from tests.builders import NOW, make_user, make_workspace

CREDENTIALS = {"api_key": API_KEY, "api_secret": API_SECRET, "environment": "paper", "feed": ""}
KEYS = Keys(API_KEY, API_SECRET, Environment.PAPER, DataFeed.IEX)
_AAPL = "US1"


def instruments() -> tuple[SimInstrument, ...]:
    """The simulated market, in which AAPL costs a hundred dollars."""
    return tuple(
        replace(each, start_price=Decimal(100)) if each.token == _AAPL else each
        for each in us_market()
    )


def ref_of(instrument: SimInstrument) -> InstrumentRef:
    """Return the house's view of an instrument, as Alpaca's list of assets makes it."""
    symbol = instrument.symbol
    return replace(instrument.ref, token=symbol, broker_symbol=symbol, broker_exchange=EXCHANGE)


@dataclass(slots=True)
class HandClock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class KnownSymbols:
    """A directory of what the simulated Alpaca lists."""

    def __init__(self) -> None:
        refs = [ref_of(each) for each in instruments()]
        self._keys = {(EXCHANGE, ref.token): ref.key for ref in refs}
        self._refs = {ref.key: ref for ref in refs}

    def key_of(self, broker: str, *, exchange: str, token: str) -> str | None:
        return self._keys.get((exchange, token))

    def ref_of(self, broker: str, key: str) -> InstrumentRef | None:
        return self._refs.get(key)


@dataclass(slots=True)
class AlpacaStand:
    """What lives as long as the server: the broker, its faults, its clock."""

    clock: HandClock = field(default_factory=HandClock)
    faults: Faults = field(default_factory=Faults)
    broker: SimulatedBroker = field(init=False)
    server: SimulatorServer = field(init=False)

    def __post_init__(self) -> None:
        self.broker = SimulatedBroker(
            7,
            self.clock,
            instruments(),
            faults=self.faults,
            acknowledges_after=timedelta(milliseconds=500),
        )
        self.server = SimulatorServer(make_app(self.broker, self.faults))

    @property
    def app(self) -> Starlette:
        return self.server.app

    @property
    def desk(self) -> AlpacaDesk:
        desk: AlpacaDesk = self.app.state.alpaca
        return desk

    def reset(self) -> None:
        """Begin a new test: nothing placed, nothing armed, the keys good, a second later."""
        self.clock.pass_seconds(1)
        self.broker.reset()
        self.faults.clear()
        self.desk.is_keyed = True
        self.app.state.requests.clear()
        self.app.state.counter.reset()


@dataclass(slots=True)
class AlpacaMarket:
    """One account at the simulated Alpaca, connected, and the market around it."""

    stand: AlpacaStand
    account: TradingAccount
    gateway: AlpacaGateway
    share: InstrumentRef

    def now(self) -> datetime:
        return self.stand.clock.at

    def wait(self) -> None:
        self.stand.clock.pass_seconds(1)
        self.stand.broker.advance()

    def trade(self, price: str, *, volume: int = 0) -> None:
        self.stand.clock.pass_seconds(1)
        self.stand.broker.tick(_AAPL, Decimal(price), volume=volume)

    def own(self, quantity: int, average: str = "90.00") -> None:
        """Give the account shares from earlier days."""
        self.stand.broker.give_holding(CLIENT, _AAPL, quantity, Decimal(average))

    def orders_at_broker(self, tag: str) -> int:
        """Count the orders with that tag, whatever the faults hide."""
        orders = self.stand.broker.snapshot(CLIENT)["orders"]
        assert isinstance(orders, tuple)
        return sum(each.tag == tag for each in orders)

    def sent(self, match: str = "*") -> list[str]:
        """Return the requests that reached the broker, as METHOD path."""
        log = self.stand.app.state.requests.all(match)
        return [f"{each.method} {each.path}" for each in log]


def make_alpaca_account() -> TradingAccount:
    user = make_user("asha")
    workspace = make_workspace(user)
    connection = BrokerConnection(
        workspace=workspace,
        user=user,
        broker_type="alpaca",
        alias="Alpaca",
        paper_trading=False,
        status=ConnectionStatus.DISCONNECTED,
    )
    connection.seal_credentials(CREDENTIALS)
    connection.save()
    return TradingAccount.objects.create(
        workspace=workspace, connection=connection, name="Alpaca", reconciled_at=NOW
    )


def connect(stand: AlpacaStand, account: TradingAccount) -> None:
    open_session(account.connection, answer={}, now=stand.clock.at)


def share_ref() -> InstrumentRef:
    return next(ref_of(each) for each in instruments() if each.token == _AAPL)
