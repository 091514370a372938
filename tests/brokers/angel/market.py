"""The simulated Angel One in a test's hand: its symbols, its login, its market."""

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from brokers.adapters.angel.gateway import AngelGateway
from brokers.gateway import InstrumentRef
from brokers.simulator.angel.app import make_app
from brokers.simulator.angel.sessions import API_KEY, PIN, TOTP_SECRET
from brokers.simulator.angel.symbols import symbol_of
from brokers.simulator.instruments import SimInstrument, indian_market
from brokers.terms import InstrumentType
from tests.brokers.stands import BrokerMarket, BrokerStand
from tests.builders import NOW

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


def angel_ref(instrument: SimInstrument) -> InstrumentRef:
    return replace(
        instrument.ref, broker_symbol=symbol_of(instrument), broker_exchange=instrument.exchange
    )


DEMO = angel_ref(SHARE)


class AngelStand(BrokerStand):
    broker_type = "angel"
    client = CLIENT
    share = SHARE.token
    credentials = CREDENTIALS

    def __init__(self, *, is_limited: bool = False) -> None:
        listed = (SHARE, *indian_market(NOW.date()))
        super().__init__(partial(make_app, is_limited=is_limited), listed)

    def ref_of(self, instrument: SimInstrument) -> InstrumentRef:
        return angel_ref(instrument)


@dataclass
class AngelMarket(BrokerMarket):
    stand: AngelStand
    gateway: AngelGateway

    @classmethod
    def connected(cls, stand: AngelStand) -> "AngelMarket":
        account = stand.connected()
        return cls(stand, account, AngelGateway(account, stand.clock), DEMO)
