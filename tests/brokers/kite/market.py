"""The simulated Kite in a test's hand: one server, one client, a clock that only tests move."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from starlette.applications import Starlette

from brokers.adapters.kite.gateway import KiteGateway
from brokers.gateway import InstrumentRef
from brokers.models import BrokerConnection, ConnectionStatus, TradingAccount
from brokers.sessions import open_session
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.instruments import SimInstrument, indian_market
from brokers.simulator.kite.app import make_app
from brokers.simulator.kite.desk import KiteDesk
from brokers.simulator.kite.listing import kite_symbol, kite_token
from brokers.simulator.kite.sessions import API_KEY, API_SECRET, CLIENT
from brokers.simulator.serving import SimulatorServer
from tests.builders import NOW, make_user, make_workspace

CREDENTIALS = {"api_key": API_KEY, "api_secret": API_SECRET}
_INFY = "1594"


def instruments() -> tuple[SimInstrument, ...]:
    """The simulated market, in which INFY costs a hundred rupees."""
    listed = indian_market(NOW.date())
    return tuple(
        replace(each, start_price=Decimal(100)) if each.token == _INFY else each for each in listed
    )


def ref_of(instrument: SimInstrument) -> InstrumentRef:
    """Return the house's view of an instrument, as Kite's master makes it."""
    symbol = kite_symbol(instrument)
    return replace(
        instrument.ref,
        key=f"{instrument.exchange}:{symbol}",
        trading_symbol=symbol,
        token=str(kite_token(instrument)),
        broker_symbol=symbol,
        broker_exchange=instrument.exchange,
    )


@dataclass(slots=True)
class HandClock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class KnownNumbers:
    """A directory of what the simulated Kite lists."""

    def __init__(self) -> None:
        refs = [ref_of(each) for each in instruments()]
        self._keys = {(ref.exchange, ref.token): ref.key for ref in refs}
        self._refs = {ref.key: ref for ref in refs}

    def key_of(self, broker: str, *, exchange: str, token: str) -> str | None:
        return self._keys.get((exchange, token))

    def ref_of(self, broker: str, key: str) -> InstrumentRef | None:
        return self._refs.get(key)


@dataclass(slots=True)
class KiteStand:
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
    def desk(self) -> KiteDesk:
        desk: KiteDesk = self.app.state.kite
        return desk

    def reset(self) -> None:
        """Begin a new test: nothing placed, nothing armed, nobody logged in, a second later."""
        self.clock.pass_seconds(1)
        self.broker.reset()
        self.faults.clear()
        self.desk.forget()
        self.app.state.requests.clear()
        self.app.state.counter.reset()


@dataclass(slots=True)
class KiteMarket:
    """One account at the simulated Kite, logged in, and the market around it."""

    stand: KiteStand
    account: TradingAccount
    gateway: KiteGateway
    share: InstrumentRef

    def now(self) -> datetime:
        return self.stand.clock.at

    def wait(self) -> None:
        self.stand.clock.pass_seconds(1)
        self.stand.broker.advance()

    def trade(self, price: str, *, volume: int = 0) -> None:
        self.stand.clock.pass_seconds(1)
        self.stand.broker.tick(_INFY, Decimal(price), volume=volume)

    def orders_at_broker(self, tag: str) -> int:
        """Count the orders with that tag, whatever the faults hide."""
        orders = self.stand.broker.snapshot(CLIENT)["orders"]
        assert isinstance(orders, tuple)
        return sum(each.tag == tag for each in orders)

    def sent(self, match: str = "*") -> list[str]:
        """Return the requests that reached the broker, as METHOD path."""
        log = self.stand.app.state.requests.all(match)
        return [f"{each.method} {each.path}" for each in log]


def make_kite_account() -> TradingAccount:
    user = make_user("asha")
    workspace = make_workspace(user)
    connection = BrokerConnection(
        workspace=workspace,
        user=user,
        broker_type="kite",
        alias="Zerodha",
        paper_trading=False,
        status=ConnectionStatus.DISCONNECTED,
    )
    connection.seal_credentials(CREDENTIALS)
    connection.save()
    return TradingAccount.objects.create(
        workspace=workspace, connection=connection, name="Zerodha", reconciled_at=NOW
    )


def log_in(stand: KiteStand, account: TradingAccount) -> None:
    answer = {"status": "success", "request_token": stand.desk.sessions.sign_in(CLIENT)}
    open_session(account.connection, answer=answer, now=stand.clock.at)


def share_ref() -> InstrumentRef:
    return next(ref_of(each) for each in instruments() if each.token == _INFY)
