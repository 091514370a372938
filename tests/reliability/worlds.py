"""The whole house against one simulated broker: real services, SDK and sockets, a hand clock.

A :class:`World` connects the way a person does: credentials, login, the broker's own instrument
list through the importer. Nothing of ours is replaced.
"""

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import requests
from django.core.files import File

from brokers.gateway import QuoteTick
from brokers.models import BrokerConnection, ConnectionStatus, TradingAccount
from brokers.registry import master_of
from brokers.sessions import open_session, session_secrets
from brokers.simulator.control import begin_again
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.records import SimOrder, SimOrderRequest
from brokers.simulator.serving import SimulatorServer
from brokers.terms import OrderType, Product, Side, Validity
from market.models import BrokerInstrument, ImportKind, Instrument
from market.quotes import write_quotes
from market.services import Starter, run_import, start_import
from orders.models import Order
from orders.requests import OrderRequest
from orders.services.commanding import advance_order
from orders.services.placing import place_order
from orders.services.reconciling import (
    Reconciliation,
    accounts_due,
    reconcile_account,
    reconcile_due,
)
from orders.services.sending import find_lost_sends
from tests.builders import make_user, make_workspace
from tests.orders.desk import settle_unknown_orders, sweep_waiting
from tests.reliability.stands import Stand

QUANTITY = 10
# 1, 2, 4 … 240 s after the send, and on until an order is given up: see orders.services.settling.
LOOKS = (1, 1, 2, 4, 7, 15, 30, 60, 120, 70, 40, 40)


class HandClock:
    """Goes on by itself, since a rate limit waits it out, and jumps when it is moved."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def __call__(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._since)

    def set(self, at: datetime) -> None:
        self._at, self._since = at, time.monotonic()

    def move(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)


class Served:
    """One simulated broker on a port, for the tests of a session; made as new before each."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.clock = HandClock(stand.now)
        self.faults = Faults(elapsed=lambda: self.clock().timestamp())
        self.broker = SimulatedBroker(7, self.clock, stand.market, faults=self.faults)
        self.app = stand.make_app(self.broker, self.faults)
        self.app.state.counter.is_enforced = False
        self.server = SimulatorServer(self.app)

    def renew(self) -> None:
        self.clock.set(self.stand.now)
        begin_again(self.app)
        self.faults.hold()


@dataclass
class World:
    """A desk with one live account at the broker, connected and reconciled."""

    served: Served
    account: TradingAccount
    instrument: Instrument
    placed: int = field(default=0)

    @property
    def stand(self) -> Stand:
        return self.served.stand

    @property
    def clock(self) -> HandClock:
        return self.served.clock

    @property
    def faults(self) -> Faults:
        return self.served.faults

    @property
    def price(self) -> Decimal:
        return self.served.broker.quote(self.stand.share).last_price

    def place(self, side: Side = Side.BUY, *, below: str = "0", quantity: int = QUANTITY) -> Order:
        """Write a limit order so much below the market (above it for a sale); nothing is sent."""
        self.quote()
        return self.write(side, limit=self.price - Decimal(below) * side.sign, quantity=quantity)

    def write(self, side: Side, *, limit: Decimal | None = None, quantity: int = QUANTITY) -> Order:
        """Write an order by the price that the house has, if any; without a limit at the market."""
        self.placed += 1
        request = OrderRequest(
            account=self.account,
            instrument=self.instrument,
            side=side,
            quantity=quantity,
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            product=Product.MIS if self.stand.currency == "INR" else Product.CNC,
            validity=Validity.DAY,
            price=limit,
        )
        key = f"order {self.placed}"
        user = self.account.connection.user
        return place_order(request, user=user, idempotency_key=key, now=self.clock())

    def send(self, order: Order) -> Order:
        """Do what the order waits for, as a worker does when nudged."""
        advance_order(order.pk, clock=self.clock)
        order.refresh_from_db()
        return order

    def trade(self, price: Decimal, *, volume: int = 100_000) -> None:
        """Let the share trade at the broker, a second later."""
        self.pass_time(1)
        self.served.broker.tick(self.stand.share, price, volume=volume)

    def pass_time(self, seconds: float) -> None:
        self.clock.move(seconds)
        self.served.broker.advance()

    def settle(self) -> None:
        """Let the house's timed jobs run until whatever was unknown has been settled."""
        for seconds in LOOKS:
            self.pass_time(seconds)
            find_lost_sends(now=self.clock())
            sweep_waiting(self.clock)
            settle_unknown_orders(self.clock)

    def reconcile(self) -> Reconciliation:
        self.account.refresh_from_db()
        return reconcile_account(self.account, clock=self.clock)

    def beat(self) -> None:
        """Let the house's next round come: it reconciles what is due."""
        self.pass_time(31)
        for account_id in accounts_due(now=self.clock()):
            reconcile_due(account_id, clock=self.clock)

    def log_in(self) -> None:
        answer = self.stand.answer(self.served.app)
        open_session(self.account.connection, answer=answer, now=self.clock())
        self.account.refresh_from_db()

    def quote(self) -> None:
        """Tell the house the price, as its feed does."""
        write_quotes([QuoteTick(self.instrument.key, self.price, self.clock(), 1000)])

    def at_broker(self, order: Order) -> list[SimOrder]:
        """Return the broker's orders with our tag, whatever its faults hide from us."""
        return [each for each in self.all_at_broker() if each.tag == order.tag]

    def all_at_broker(self) -> list[SimOrder]:
        orders = self.served.broker.snapshot(self.stand.client)["orders"]
        assert isinstance(orders, tuple)
        return list(orders)

    def place_outside(self, side: Side, quantity: int, *, price: Decimal) -> None:
        """Place an order in the broker's own app."""
        request = SimOrderRequest(
            tag="",
            instrument_token=self.stand.share,
            side=side,
            quantity=quantity,
            order_type=OrderType.LIMIT,
            product=Product.MIS if self.stand.currency == "INR" else Product.CNC,
            validity=Validity.DAY,
            price=price,
        )
        self.served.broker.place_external(self.stand.client, request)


def connect(served: Served) -> World:
    """Connect as a person does: credentials, login, instrument list; live trading turned on."""
    stand = served.stand
    user = make_user("asha")
    workspace = make_workspace(user)
    connection = BrokerConnection(
        workspace=workspace,
        user=user,
        broker_type=stand.name,
        alias=stand.name.title(),
        paper_trading=False,
        status=ConnectionStatus.DISCONNECTED,
    )
    connection.seal_credentials(dict(stand.credentials))
    connection.save()
    open_session(connection, answer=stand.answer(served.app), now=served.clock())
    import_master(served, session_secrets(connection, now=served.clock()))
    account = TradingAccount.objects.create(
        workspace=workspace,
        connection=connection,
        name=stand.name.title(),
        currency=stand.currency,
        live_enabled=True,
    )
    instrument = Instrument.objects.get(key=stand.key)
    assert BrokerInstrument.objects.filter(instrument=instrument, broker_type=stand.name).exists()
    world = World(served, account, instrument)
    world.quote()
    world.reconcile()
    world.account.refresh_from_db()
    return world


def import_master(
    served: Served, secrets: Mapping[str, str], *, renamed: tuple[bytes, bytes] = (b"", b"")
) -> None:
    """Fetch the broker's instrument list and import it, with one name for another where asked."""
    stand = served.stand
    master = master_of(stand.name)
    address = master.address(secrets)
    answer = requests.get(address, headers=master.headers(secrets), timeout=10)
    answer.raise_for_status()
    content = answer.content.replace(*renamed) if renamed[0] else answer.content
    run = start_import(
        File(io.BytesIO(content), name=urlsplit(address).path.rpartition("/")[2]),
        kind=ImportKind(master.KIND),
        by=Starter(),
        now=served.clock(),
    )
    done = run_import(run.pk, clock=served.clock)
    assert done.status == "COMPLETED", done.error_message
