"""The simulated Dhan in a test's hand: its server, its clock, an account that is logged in."""

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from brokers.adapters.dhan.gateway import DhanGateway
from brokers.gateway import Gateway, InstrumentRef
from brokers.models import BrokerConnection, ConnectionStatus, TradingAccount
from brokers.registry import gateway_for
from brokers.sessions import open_session
from brokers.simulator.dhan.app import make_app
from brokers.simulator.dhan.house import House
from brokers.simulator.dhan.listing import Listing
from brokers.simulator.dhan.tokens import CLIENT, PASTED, PIN, TOTP_SECRET
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.instruments import SimInstrument, indian_market
from brokers.simulator.serving import SimulatorServer
from brokers.terms import InstrumentType
from tests.builders import make_user, make_workspace

BEGIN = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)  # a Friday, 10:30 in Kolkata
SHARE = "777001"
CRUDE = "888001"
NIFTY = "99926000"
CREDENTIALS = {"client_id": CLIENT, "pin": PIN, "totp_secret": TOTP_SECRET}
TOKEN = f"{PASTED}-{CLIENT}"


class HandClock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def instruments() -> tuple[SimInstrument, ...]:
    """The usual market, a share at 100 and a crude future in lots of 100 barrels."""
    share = SimInstrument(
        SHARE, "NSE", "TESTCO", "TEST COMPANY", InstrumentType.EQ, Decimal(100), "INE000A01001"
    )
    crude = SimInstrument(
        CRUDE, "MCX", "CRUDEOIL", "CRUDEOIL", InstrumentType.FUT, Decimal(5000),
        lot=100, tick=Decimal(1), expiry=BEGIN.date() + timedelta(days=25),
    )  # fmt: skip
    return (*indian_market(BEGIN.date()), share, crude)


@dataclass(slots=True)
class Numbers:
    """Dhan's numbers, as if its instrument list had been imported."""

    listing: Listing
    forgotten: set[str] = field(default_factory=set)

    def key_of(self, broker: str, *, exchange: str, token: str) -> str | None:
        found = self.listing.find(exchange, token)
        if found is None or token in self.forgotten:
            return None
        return found.instrument.ref.key

    def ref_of(self, broker: str, key: str) -> InstrumentRef | None:
        found = [each for each in instruments() if each.ref.key == key]
        return self.ref(found[0].token) if found else None

    def ref(self, token: str) -> InstrumentRef:
        instrument = next(each for each in instruments() if each.token == token)
        listed = self.listing.of(instrument)
        return replace(
            instrument.ref,
            token=listed.number,
            broker_symbol=listed.symbol,
            broker_exchange=listed.segment,
        )


@dataclass(slots=True)
class SimulatedDhan:
    """One simulated Dhan on a port; forgotten between tests."""

    clock: HandClock
    broker: SimulatedBroker
    faults: Faults
    server: SimulatorServer

    @property
    def house(self) -> House:
        house: House = self.server.app.state.dhan
        return house

    @property
    def numbers(self) -> Numbers:
        return Numbers(self.house.listing)

    def forget(self) -> None:
        """Begin the day anew, and let everybody log in again."""
        self.clock.now = BEGIN
        self.faults.clear()
        self.broker.reset()
        self.house.begin()
        self.server.app.state.requests.clear()
        self.server.app.state.counter.reset()
        while self.house.feeds.market.connections() or self.house.feeds.orders.connections():
            time.sleep(0.01)

    def requests(self, match: str = "*") -> list[str]:
        log = self.server.app.state.requests
        return [f"{each.method} {each.path}" for each in log.all(match)]

    def sent(self, match: str) -> bytes:
        """Return the body of the newest request that matches."""
        body: bytes = self.server.app.state.requests.all(match)[-1].body
        return body


def new_dhan() -> SimulatedDhan:
    clock, faults = HandClock(), Faults()
    broker = SimulatedBroker(7, clock, instruments(), faults=faults)
    return SimulatedDhan(clock, broker, faults, SimulatorServer(make_app(broker, faults)))


@dataclass(slots=True)
class DhanMarket:
    """The contract's driver: one account at the simulated Dhan and the market around it."""

    dhan: SimulatedDhan
    account: TradingAccount
    gateway: Gateway
    share: InstrumentRef

    @property
    def own(self) -> DhanGateway:
        """The adapter itself, without what stands before every gateway."""
        return DhanGateway(self.account, self.dhan.clock)

    def trade(self, price: str, *, volume: int = 0, token: str = SHARE) -> None:
        self.dhan.clock.move(1)
        self.dhan.broker.tick(token, Decimal(price), volume=volume)

    def wait(self) -> None:
        self.dhan.clock.move(1)
        self.dhan.broker.advance()

    def now(self) -> datetime:
        return self.dhan.clock()

    def ref(self, token: str) -> InstrumentRef:
        return self.dhan.numbers.ref(token)


def make_connection() -> BrokerConnection:
    user = make_user()
    connection = BrokerConnection(
        workspace=make_workspace(user),
        user=user,
        broker_type="dhan",
        alias="Dhan",
        paper_trading=False,
        status=ConnectionStatus.DISCONNECTED,
    )
    connection.seal_credentials(CREDENTIALS)
    connection.save()
    return connection


def make_market(dhan: SimulatedDhan) -> DhanMarket:
    """Return a market whose account is logged in; needs the settings to point at the server."""
    connection = make_connection()
    open_session(connection, answer={"access_token": TOKEN}, now=dhan.clock())
    account = TradingAccount.objects.create(
        workspace=connection.workspace, connection=connection, name="Dhan", live_enabled=True
    )
    gateway = gateway_for(account, clock=dhan.clock)
    return DhanMarket(dhan, account, gateway, dhan.numbers.ref(SHARE))
