"""The simulated Dhan in a test's hand: its numbers, its login, its market."""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from brokers.adapters.dhan.gateway import DhanGateway
from brokers.gateway import InstrumentRef
from brokers.registry import gateway_for
from brokers.simulator.dhan.app import make_app
from brokers.simulator.dhan.house import House
from brokers.simulator.dhan.tokens import CLIENT, PASTED, PIN, TOTP_SECRET
from brokers.simulator.instruments import SimInstrument, indian_market
from brokers.terms import InstrumentType
from tests.brokers.stands import BrokerMarket, BrokerStand, Listing

BEGIN = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)  # a Friday, 10:30 in Kolkata
SHARE = "777001"
CRUDE = "888001"
NIFTY = "99926000"
CREDENTIALS = {"client_id": CLIENT, "pin": PIN, "totp_secret": TOTP_SECRET}
TOKEN = f"{PASTED}-{CLIENT}"


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


class DhanStand(BrokerStand):
    broker_type = "dhan"
    client = CLIENT
    share = SHARE
    credentials = CREDENTIALS

    def __init__(self) -> None:
        super().__init__(make_app, instruments(), begins=BEGIN)

    @property
    def house(self) -> House:
        house: House = self.app.state.dhan
        return house

    def renew(self) -> None:
        super().renew()
        while self.house.feeds.market.connections() or self.house.feeds.orders.connections():
            time.sleep(0.01)

    def ref_of(self, instrument: SimInstrument) -> InstrumentRef:
        listed = self.house.listing.of(instrument)
        return replace(
            instrument.ref,
            token=listed.number,
            broker_symbol=listed.symbol,
            broker_exchange=listed.segment,
        )

    def listing(self, *, without: str = "") -> Listing:
        """Return Dhan's numbers, as if its list had been imported before ``without`` was on it."""
        return Listing([self.ref_of(each) for each in self.instruments if each.token != without])

    def body(self, match: str) -> bytes:
        """Return the body of the newest request that matches."""
        body: bytes = self.app.state.requests.all(match)[-1].body
        return body


@dataclass
class DhanMarket(BrokerMarket):
    """Its gateway is the governed one, as the house opens it."""

    stand: DhanStand

    @classmethod
    def connected(cls, stand: DhanStand) -> "DhanMarket":
        account = stand.connected()
        gateway = gateway_for(account, clock=stand.clock)
        return cls(stand, account, gateway, stand.ref(SHARE))

    @property
    def own(self) -> DhanGateway:
        """The adapter itself, without what stands before every gateway."""
        return DhanGateway(self.account, self.stand.clock)

    def ref(self, token: str) -> InstrumentRef:
        return self.stand.ref(token)
