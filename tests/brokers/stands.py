"""What the tests of every real broker stand on: its simulator, a hand clock, a connected account.

A broker's own file says what is its own: how its simulator is made, how one logs in there, and
how its master writes an instrument.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Self

from pytest_django.fixtures import Settings
from starlette.applications import Starlette

from brokers.directory import Directory, install_directory, installed_directory
from brokers.gateway import Gateway, InstrumentRef
from brokers.models import BrokerConnection, ConnectionStatus, TradingAccount
from brokers.sessions import open_session
from brokers.simulator.control import begin_again
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.instruments import SimInstrument
from brokers.simulator.records import SimOrder
from brokers.simulator.serving import SimulatorServer
from tests.builders import NOW, make_user, make_workspace

MakeApp = Callable[[SimulatedBroker, Faults], Starlette]


@dataclass(slots=True)
class HandClock:
    """Stands still until somebody moves it."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float = 0, **length: float) -> None:
        self.at += timedelta(seconds=seconds, **length)


class Listing:
    """A directory of what a broker lists, as its master would fill the house's."""

    def __init__(self, refs: Sequence[InstrumentRef]) -> None:
        self._keys = {
            (ref.broker_exchange, name): ref.key
            for ref in refs
            for name in (ref.token, ref.broker_symbol)
        }
        self._refs = {ref.key: ref for ref in refs}

    def key_of(self, broker: str, *, exchange: str, token: str) -> str | None:
        return self._keys.get((exchange, token))

    def ref_of(self, broker: str, key: str) -> InstrumentRef | None:
        return self._refs.get(key)


class BrokerStand:
    """One simulated broker on a port, for the tests of a module; made as new before each.

    ``share`` is the simulator's number of what the tests trade.
    """

    broker_type: ClassVar[str]
    client: ClassVar[str]
    share: ClassVar[str]
    credentials: ClassVar[Mapping[str, str]]
    acknowledges_after: ClassVar[timedelta] = timedelta(0)

    def __init__(
        self, make_app: MakeApp, instruments: Sequence[SimInstrument], *, begins: datetime = NOW
    ) -> None:
        self.begins = begins
        self.clock = HandClock(begins)
        self.faults = Faults(elapsed=lambda: self.clock().timestamp())
        self.instruments = tuple(instruments)
        self.broker = SimulatedBroker(
            7,
            self.clock,
            self.instruments,
            faults=self.faults,
            acknowledges_after=self.acknowledges_after,
        )
        self.app = make_app(self.broker, self.faults)
        self.server = SimulatorServer(self.app)

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    @contextmanager
    def in_place(self, settings: Settings) -> Iterator[None]:
        """As if just started, stand in the place of the real broker."""
        self.renew()
        settings.BROKER_ENDPOINTS = {self.broker_type: self.server.url}
        before = installed_directory()
        install_directory(self.directory())
        yield
        install_directory(before)

    def renew(self) -> None:
        self.clock.at = self.begins
        begin_again(self.app)

    def ref_of(self, instrument: SimInstrument) -> InstrumentRef:
        """Return the house's view of an instrument, as the broker's master makes it."""
        raise NotImplementedError

    def ref(self, name: str) -> InstrumentRef:
        """Return what has the simulator's number or symbol."""
        listed = self.instruments
        return next(self.ref_of(each) for each in listed if name in (each.token, each.symbol))

    def directory(self) -> Directory:
        return Listing([self.ref_of(each) for each in self.instruments])

    def answer(self) -> Mapping[str, str]:
        """Return what a login comes back with, where it needs a person."""
        return {}

    def make_account(self, username: str = "asha") -> TradingAccount:
        """Return an account that is not logged in yet."""
        user = make_user(username)
        workspace = make_workspace(user, name=f"Desk of {username}")
        connection = BrokerConnection(
            workspace=workspace,
            user=user,
            broker_type=self.broker_type,
            alias=self.broker_type.title(),
            paper_trading=False,
            status=ConnectionStatus.DISCONNECTED,
        )
        connection.seal_credentials(dict(self.credentials))
        connection.save()
        return TradingAccount.objects.create(
            workspace=workspace,
            connection=connection,
            name=connection.alias,
            live_enabled=True,
            reconciled_at=NOW,
        )

    def log_in(self, account: TradingAccount) -> None:
        open_session(account.connection, answer=self.answer(), now=self.clock())

    def connected(self) -> TradingAccount:
        account = self.make_account()
        self.log_in(account)
        return account

    def requests(self, match: str = "*") -> list[str]:
        """Return the requests that reached the broker, as METHOD path."""
        return [f"{each.method} {each.path}" for each in self.app.state.requests.all(match)]


@dataclass
class BrokerMarket:
    """One account at a simulated broker, connected, and the market around it: the contract's
    driver."""

    stand: BrokerStand
    account: TradingAccount
    gateway: Gateway
    share: InstrumentRef

    def now(self) -> datetime:
        return self.stand.clock()

    def wait(self) -> None:
        self.stand.clock.move(1)
        self.stand.broker.advance()

    def trade(self, price: str, *, volume: int = 0, token: str = "") -> None:
        """Let the share trade, or what has that number at the simulator, a second later."""
        self.stand.clock.move(1)
        self.stand.broker.tick(token or self.stand.share, Decimal(price), volume=volume)

    def orders_at_broker(self, tag: str) -> int:
        """Count the orders with that tag, whatever the faults hide."""
        return sum(each.tag == tag for each in self._book())

    def sent(self, match: str = "*") -> list[str]:
        return self.stand.requests(match)

    def _book(self) -> tuple[SimOrder, ...]:
        orders = self.stand.broker.snapshot(self.stand.client)["orders"]
        assert isinstance(orders, tuple)
        return orders
