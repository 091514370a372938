"""What the page of one connection says: session, limits, abilities, address, postbacks."""

from dataclasses import dataclass
from datetime import datetime

from brokers.addresses import AddressDiffers, check_known_address
from brokers.capabilities import MarketHandling
from brokers.connecting import ALONE, takes_token
from brokers.governor import governor_for
from brokers.logins import Guide
from brokers.models import (
    AuthToken,
    BrokerCall,
    BrokerConnection,
    ConnectionStatus,
    LoginAttempt,
    PostbackConfig,
    StreamConnection,
    TradingAccount,
)
from brokers.postbacks import address_of
from brokers.registry import broker_capabilities, guide_of
from brokers.selectors import differing_instruments, streams_of, unreadable_rows
from brokers.terms import Product

CALLS_SHOWN = 12
_MARKET = {
    MarketHandling.RAW: "as they are",
    MarketHandling.PROTECTED: "as a limit at a protected price",
    MarketHandling.REFUSED: "refused",
}
_SPANS = {1: "a second", 60: "a minute", 3600: "an hour", 86400: "a day"}


@dataclass(frozen=True, slots=True)
class Share:
    """How much of one published figure has been used."""

    used: int
    most: int

    @property
    def percent(self) -> int:
        return min(self.used * 100 // self.most, 100) if self.most else 0


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One endpoint class with a share for each of the spans that the page shows, or None."""

    endpoint: str
    shares: tuple[Share | None, ...]

    @property
    def percent(self) -> int:
        return max((share.percent for share in self.shares if share), default=0)

    @property
    def endpoint_words(self) -> str:
        return self.endpoint.replace("_", " ").replace("-", " ").capitalize()

    @property
    def is_near(self) -> bool:
        return self.percent >= 80


@dataclass(frozen=True, slots=True)
class UsageTable:
    """``spans`` head the columns of every row's shares."""

    spans: tuple[str, ...]
    rows: tuple[UsageRow, ...]


@dataclass(frozen=True, slots=True)
class AbilityRow:
    """What the broker takes on one segment, in words."""

    segment: str
    products: str
    order_types: str
    validities: str
    market: str
    extras: str


@dataclass(frozen=True, slots=True)
class ConnectionOverview:
    connection: BrokerConnection
    now: datetime

    @property
    def guide(self) -> Guide:
        return guide_of(self.connection.broker_type)

    @property
    def takes_token(self) -> bool:
        return takes_token(self.guide)

    @property
    def logs_in_alone(self) -> bool:
        return bool(self.connection.connection_metadata.get(ALONE))

    @property
    def words(self) -> str:
        """What the broker, or a login at it, last said when a session ended or failed."""
        return str(self.connection.connection_metadata.get("session_words", ""))

    def accounts(self) -> list[TradingAccount]:
        named = self.connection.accounts.order_by("name")
        return list(named.annotate(differing=differing_instruments(), unreadable=unreadable_rows()))

    def usage(self) -> UsageTable:
        figures: dict[str, dict[int, Share]] = {}
        for each in governor_for(self.connection, clock=lambda: self.now).usage():
            figures.setdefault(each.endpoint, {})[each.seconds] = Share(each.used, each.most)
        spans = sorted({span for shares in figures.values() for span in shares})
        rows = [
            UsageRow(endpoint, tuple(shares.get(span) for span in spans))
            for endpoint, shares in figures.items()
        ]
        return UsageTable(tuple(_span(span) for span in spans), tuple(rows))

    def abilities(self) -> list[AbilityRow]:
        found = broker_capabilities(self.connection.broker_type)
        return [
            AbilityRow(
                str(segment.label),
                ", ".join(product for product in Product if product in each.products),
                ", ".join(sorted(each.order_types)),
                ", ".join(sorted(each.validities)),
                _MARKET[each.market],
                _extras(each.amo, bool(each.triggers), each.slices, each.modify_limit),
            )
            for segment, each in found.items()
        ]

    def calls(self) -> list[BrokerCall]:
        return list(
            self.connection.calls.select_related("connection").order_by("-pk")[:CALLS_SHOWN]
        )

    def streams(self) -> list[StreamConnection]:
        return streams_of(BrokerConnection.objects.filter(pk=self.connection.pk))

    def postback_address(self) -> str:
        config = PostbackConfig.objects.filter(connection=self.connection, is_active=True).first()
        return address_of(config) if config else ""

    def address_problem(self) -> str:
        """Return why orders would not leave because of the address, empty where they would."""
        try:
            check_known_address(self.connection, now=self.now)
        except AddressDiffers as error:
            return str(error)
        return ""

    def seen_at(self) -> datetime | None:
        seen = self.connection.connection_metadata.get("seen_at")
        return datetime.fromisoformat(seen) if seen else None


@dataclass(frozen=True, slots=True)
class SessionState:
    """How the login of a connection stands; read as one, so that a part can be drawn alone."""

    connection: BrokerConnection
    attempt: LoginAttempt | None
    token: AuthToken | None

    @property
    def is_connected(self) -> bool:
        return self.connection.status == ConnectionStatus.CONNECTED

    @property
    def is_busy(self) -> bool:
        return self.attempt is not None and self.attempt.is_open and not self.attempt.page


def session_state(connection: BrokerConnection) -> SessionState:
    newest = connection.login_attempts.order_by("-created_at", "-pk").first()
    token = connection.auth_tokens.filter(is_active=True).first()
    return SessionState(connection, newest, token)


def _span(seconds: int) -> str:
    return _SPANS.get(seconds, f"in {seconds} s")


def _extras(amo: bool, triggers: bool, slices: bool, modify_limit: int | None) -> str:
    words = [
        ("after-market orders", amo),
        ("forever orders", triggers),
        ("slicing", slices),
        (f"{modify_limit} changes an order", modify_limit is not None),
    ]
    return ", ".join(word for word, holds in words if holds)
