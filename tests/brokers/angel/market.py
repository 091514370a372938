"""The simulated Angel One in a test's hand: the SDK, our adapter and a real socket between."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from brokers.adapters.angel.gateway import AngelGateway
from brokers.gateway import InstrumentRef
from brokers.logins import Grant
from brokers.models import BrokerConnection, ConnectionStatus, TradingAccount
from brokers.simulator.angel.app import make_app
from brokers.simulator.angel.sessions import API_KEY, PIN, TOTP_SECRET
from brokers.simulator.angel.symbols import symbol_of
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.instruments import SimInstrument, indian_market
from brokers.simulator.serving import SimulatorServer
from brokers.terms import InstrumentType
from tests.builders import NOW, make_user, make_workspace

CLIENT = "D100"
CREDENTIALS = {
    "api_key": API_KEY,
    "client_code": CLIENT,
    "pin": PIN,
    "totp_secret": TOTP_SECRET,
}
SHARE = SimInstrument(
    "9999", "NSE", "DEMO", "DEMO LIMITED", InstrumentType.EQ, Decimal("100.00"), isin="INE000A01011"
)


def admit_all(method: str, path: str) -> None:
    """Let every call leave: these tests' clock stands still."""


def angel_ref(instrument: SimInstrument) -> InstrumentRef:
    return replace(
        instrument.ref, broker_symbol=symbol_of(instrument), broker_exchange=instrument.exchange
    )


DEMO = angel_ref(SHARE)


class SimulatedNumbers:
    """Angel's numbers as its master would give them, without the master."""

    def __init__(self, instruments: tuple[SimInstrument, ...]) -> None:
        self._refs = {each.key: each for each in map(angel_ref, instruments)}

    def key_of(self, broker: str, *, exchange: str, token: str) -> str | None:
        for key, ref in self._refs.items():
            if (ref.exchange, ref.token) == (exchange, token):
                return key
        return None

    def ref_of(self, broker: str, key: str) -> InstrumentRef | None:
        return self._refs.get(key)


class HandClock:
    """Stands still until somebody moves it."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **length: float) -> None:
        self.at += timedelta(**length)


class AngelSimulator:
    """One simulated broker on a port, for the tests of a module."""

    def __init__(self, *, is_limited: bool = False) -> None:
        self.clock = HandClock()
        self.faults = Faults(elapsed=lambda: self.clock().timestamp())
        self.instruments = (SHARE, *indian_market(date(2026, 6, 17)))
        self.broker = SimulatedBroker(7, self.clock, self.instruments, faults=self.faults)
        self.app = make_app(self.broker, self.faults, is_limited=is_limited)
        self.server = SimulatorServer(self.app)

    def renew(self) -> None:
        self.clock.at = NOW
        self.faults.clear()
        self.broker.reset()
        self.app.state.rules.forget()
        self.app.state.requests.clear()
        self.app.state.counter.reset()

    def paths(self, match: str = "*") -> list[str]:
        return [each.path for each in self.app.state.requests.all(match)]


def make_angel_account(username: str = "asha") -> TradingAccount:
    user = make_user(username)
    workspace = make_workspace(user, name=f"Desk of {username}")
    connection = BrokerConnection(
        workspace=workspace,
        user=user,
        broker_type="angel",
        alias="Angel",
        paper_trading=False,
        status=ConnectionStatus.DISCONNECTED,
    )
    connection.seal_credentials(CREDENTIALS)
    connection.save()
    return TradingAccount.objects.create(
        workspace=workspace, connection=connection, name="Angel", live_enabled=True
    )


@dataclass
class AngelMarket:
    """The market of the contract test: the share trades when the test says so."""

    simulator: AngelSimulator
    account: TradingAccount
    admit: Callable[[str, str], None] = admit_all
    share: InstrumentRef = DEMO
    _gateway: AngelGateway | None = None

    @property
    def gateway(self) -> AngelGateway:
        if self._gateway is None:
            self._gateway = AngelGateway(self.account, self.now, admit=self.admit)
        return self._gateway

    def now(self) -> datetime:
        return self.simulator.clock()

    def wait(self) -> None:
        self.simulator.clock.move(seconds=1)
        self.simulator.broker.advance()

    def trade(self, price: str, *, volume: int = 0) -> None:
        self.simulator.clock.move(seconds=1)
        self.simulator.broker.tick(self.share.token, Decimal(price), volume=volume)

    def ref(self, symbol: str) -> InstrumentRef:
        return next(angel_ref(each) for each in self.simulator.instruments if each.symbol == symbol)


__all__ = ["AngelMarket", "AngelSimulator", "Grant", "make_angel_account"]
