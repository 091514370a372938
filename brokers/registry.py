"""The brokers this house can talk to. A new one is a new folder under ``adapters``.

Each adapter's package names itself in ``BROKER`` and its gateway in ``gateway.py``; the gateway
is imported when first asked for, so that no SDK loads in a process that never sends.
"""

import pkgutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from brokers import adapters
from brokers.capabilities import Capabilities
from brokers.gateway import AccountUpdate, Gateway, Margin, PlaceRequest, QuoteTick
from brokers.logins import Guide, Login
from brokers.masters import Master
from brokers.streaming.protocol import OpenStreams
from brokers.terms import Segment

if TYPE_CHECKING:
    from brokers.models import TradingAccount
    from brokers.postbacks import ReadsPostbacks

Clock = Callable[[], datetime]
GatewayFactory = Callable[["TradingAccount", Clock], Gateway]


@dataclass(frozen=True, slots=True)
class Broker:
    name: str
    label: str
    is_paper: bool


class MatchTicks(Protocol):
    def __call__(
        self,
        ticks: Sequence[QuoteTick],
        *,
        at: datetime,
        accounts: Collection[UUID] | None = None,
    ) -> list[AccountUpdate]: ...


class PassTime(Protocol):
    def __call__(
        self, *, at: datetime, accounts: Collection[UUID] | None = None
    ) -> list[AccountUpdate]: ...


class CreditShares(Protocol):
    def __call__(
        self, account: "TradingAccount", key: str, quantity: int, *, at: datetime
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class PaperExchange:
    """The side of the paper broker that prices and time drive; see its ``exchange.py``."""

    match: MatchTicks
    advance: PassTime
    credit: CreditShares


class UnknownBroker(Exception):
    """No adapter of that name exists."""


_overrides: dict[str, GatewayFactory] = {}


@cache
def brokers() -> tuple[Broker, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(adapters.__path__))
    return tuple(import_module(f"brokers.adapters.{name}").BROKER for name in names)


def broker_choices() -> list[tuple[str, str]]:
    return [(broker.name, broker.label) for broker in brokers()]


def gateway_for(account: "TradingAccount", *, clock: Clock) -> Gateway:
    """Open the way to the account's broker.

    :raises UnknownBroker: when the connection names a broker that has no adapter.
    """
    name = account.connection.broker_type
    if name in _overrides:
        return _overrides[name](account, clock)
    if name not in dict(broker_choices()):
        raise UnknownBroker(f"No broker is called {name}")
    factory: GatewayFactory = import_module(f"brokers.adapters.{name}.gateway").open_gateway
    gateway = factory(account, clock)
    return gateway if _by_name(name).is_paper else _governed(gateway, account, clock)


def capabilities_of(
    account: "TradingAccount", segment: Segment, *, clock: Clock
) -> Capabilities | None:
    """Return what the account's broker can do on a segment, without loading its SDK.

    :raises UnknownBroker: when the connection names a broker that has no adapter.
    """
    name = account.connection.broker_type
    if name in _overrides or name not in dict(broker_choices()):
        return gateway_for(account, clock=clock).capabilities(segment)
    declared = import_module(f"brokers.adapters.{name}.capability")
    capabilities: Capabilities | None = declared.capabilities_on(segment)
    return capabilities


def _governed(gateway: Gateway, account: "TradingAccount", clock: Clock) -> Gateway:
    # Imported late: what it stands on has models, and models ask this registry for their choices.
    governed = import_module("brokers.governed")
    governor = import_module("brokers.governor").governor_for(account.connection, clock=clock)
    return governed.GovernedGateway(gateway, governor, clock)  # type: ignore[no-any-return]


def login_of(name: str) -> Login:
    """Return how people log in at the broker.

    :raises UnknownBroker: when it has no adapter, or needs no login, as the paper broker.
    """
    if name not in dict(broker_choices()) or _by_name(name).is_paper:
        raise UnknownBroker(f"Nobody logs in at a broker called {name}")
    login: Login = import_module(f"brokers.adapters.{name}.login").LOGIN
    return login


def guide_of(name: str) -> Guide:
    """Return the connect wizard's words, without loading the broker's SDK where it has a guide.

    :raises UnknownBroker: when it has no adapter, or needs no login, as the paper broker.
    """
    if name not in dict(broker_choices()) or _by_name(name).is_paper:
        raise UnknownBroker(f"Nobody logs in at a broker called {name}")
    if find_spec(f"brokers.adapters.{name}.guide") is None:
        return login_of(name).guide
    guide: Guide = import_module(f"brokers.adapters.{name}.guide").GUIDE
    return guide


def broker_capabilities(name: str) -> dict[Segment, Capabilities]:
    """Return what a broker can do, by segment, without loading its SDK."""
    declared = import_module(f"brokers.adapters.{name}.capability")
    found = {segment: declared.capabilities_on(segment) for segment in Segment}
    return {segment: each for segment, each in found.items() if each is not None}


def streams_of(name: str) -> OpenStreams:
    """Return how sockets to the broker are spoken; it loads the broker's SDK.

    :raises UnknownBroker: when it has no adapter, or no streams, as the paper broker.
    """
    if name not in dict(broker_choices()) or _by_name(name).is_paper:
        raise UnknownBroker(f"There are no streams at a broker called {name}")
    open_stream: OpenStreams = import_module(f"brokers.adapters.{name}.streams").open_stream
    return open_stream


def postbacks_of(name: str) -> "ReadsPostbacks":
    """Return how the broker's postbacks are read.

    :raises UnknownBroker: when it posts nothing.
    """
    path = f"brokers.adapters.{name}.postbacks"
    if name not in dict(broker_choices()) or find_spec(path) is None:
        raise UnknownBroker(f"A broker called {name} posts nothing")
    reader: ReadsPostbacks = import_module(path)
    return reader


def master_of(name: str) -> Master:
    """Return where the broker's instrument list is, without loading its SDK.

    :raises UnknownBroker: when it has no adapter, or no list of its own, as the paper broker.
    """
    if name not in dict(broker_choices()) or _by_name(name).is_paper:
        raise UnknownBroker(f"No instrument list of a broker called {name} is known")
    master: Master = import_module(f"brokers.adapters.{name}.master")
    return master


def _by_name(name: str) -> Broker:
    return next(broker for broker in brokers() if broker.name == name)


def paper_exchange() -> PaperExchange:
    """Return what a feed's prices fill practice orders with."""
    exchange = import_module("brokers.adapters.paper.exchange")
    credits = import_module("brokers.adapters.paper.credits")
    return PaperExchange(exchange.match, exchange.advance, credits.credit_shares)


def estimated_margin(request: PlaceRequest, *, last: Decimal | None) -> Margin | None:
    """Return what an order would block by the house's own policy, the paper broker's.

    It stands for a real broker's margin where that cannot be asked; None where nothing tells.
    """
    policy = import_module("brokers.adapters.paper.margins")
    try:
        margin: Margin | None = policy.order_margin(request, last=last)
    except policy.MarginUnknown:
        return None
    return margin


def use_gateway(name: str, factory: GatewayFactory | None) -> None:
    """Put another gateway in a broker's place, such as a fault injector; None takes it back."""
    if factory is None:
        _overrides.pop(name, None)
    else:
        _overrides[name] = factory
