"""The paper broker's market in a test's hand."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from brokers.adapters.paper.exchange import advance, match
from brokers.adapters.paper.gateway import PaperGateway
from brokers.gateway import (
    Accepted,
    AccountUpdate,
    BrokerStatus,
    InstrumentRef,
    PlaceRequest,
    QuoteTick,
)
from brokers.models import TradingAccount
from brokers.registry import gateway_for
from brokers.services import open_paper_account
from brokers.terms import InstrumentType, Segment
from tests.builders import NOW, make_user, make_workspace
from tests.venues import WeekdayVenue

SHARE = InstrumentRef(
    key="NSE:INFY",
    exchange="NSE",
    segment=Segment.NSE_EQ,
    trading_symbol="INFY",
    instrument_type=InstrumentType.EQ,
    lot_size=1,
    tick_size=Decimal("0.05"),
)

FUTURE = replace(
    SHARE,
    key="NFO:NIFTY26JUNFUT",
    exchange="NFO",
    segment=Segment.NSE_FNO,
    trading_symbol="NIFTY26JUNFUT",
    instrument_type=InstrumentType.FUT,
    lot_size=65,
    freeze_quantity=1800,
    expiry=date(2026, 6, 30),
)
OPTION = replace(
    FUTURE,
    key="NFO:NIFTY26JUN24000CE",
    trading_symbol="NIFTY26JUN24000CE",
    instrument_type=InstrumentType.CE,
    strike=Decimal("24000"),
)


def make_paper_account(username: str = "asha", cash: str = "1000000") -> TradingAccount:
    user = make_user(username)
    workspace = make_workspace(user, name=f"Desk of {username}")
    return open_paper_account(workspace, user=user, name="Practice", cash=Decimal(cash), now=NOW)


@dataclass(slots=True)
class PaperMarket:
    """One account's paper broker and the market around it; every trade is a second later."""

    account: TradingAccount
    venue: WeekdayVenue
    share: InstrumentRef = SHARE
    at: datetime = NOW
    told: list[AccountUpdate] = field(default_factory=list)

    @property
    def gateway(self) -> PaperGateway:
        gateway = gateway_for(self.account, clock=self.now)
        assert isinstance(gateway, PaperGateway)
        return gateway

    def now(self) -> datetime:
        return self.at

    def wait(self, **length: float) -> None:
        """Let time pass, one second unless told otherwise, and the exchange act on it."""
        self.at += timedelta(**(length or {"seconds": 1}))
        self.told += advance(at=self.at)

    def trade(self, price: str, *, volume: int = 0, **quote: Any) -> None:
        """Let the share trade, with or without a quote beside it."""
        self.at += timedelta(seconds=1)
        tick = QuoteTick(
            key=self.share.key,
            ltp=Decimal(price),
            at=self.at,
            volume=volume,
            **quote,
        )
        self.venue.prices[self.share.key] = tick.ltp
        self.told += match([tick], at=self.at)

    def statuses(self) -> list[BrokerStatus]:
        """Return every state that was told, in its order."""
        return [order.status for update in self.told for order in update.orders]

    def fill(self, request: PlaceRequest, price: str) -> str:
        """Send the order and let plenty trade at that price; return its id."""
        outcome = self.gateway.place(request)
        assert isinstance(outcome, Accepted), outcome
        self.wait()
        self.trade(price, volume=1_000_000)
        return outcome.broker_order_id
