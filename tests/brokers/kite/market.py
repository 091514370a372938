"""The simulated Kite in a test's hand: its symbols, its login, its market."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from brokers.adapters.kite.gateway import KiteGateway
from brokers.gateway import InstrumentRef
from brokers.simulator.instruments import SimInstrument, indian_market
from brokers.simulator.kite.app import make_app
from brokers.simulator.kite.desk import KiteDesk
from brokers.simulator.kite.listing import kite_symbol, kite_token
from brokers.simulator.kite.sessions import API_KEY, API_SECRET, CLIENT
from tests.brokers.stands import BrokerMarket, BrokerStand
from tests.builders import NOW

CREDENTIALS = {"api_key": API_KEY, "api_secret": API_SECRET}
_INFY = "1594"


def instruments() -> tuple[SimInstrument, ...]:
    """The simulated market, in which INFY costs a hundred rupees."""
    listed = indian_market(NOW.date())
    return tuple(
        replace(each, start_price=Decimal(100)) if each.token == _INFY else each for each in listed
    )


def ref_of(instrument: SimInstrument) -> InstrumentRef:
    symbol = kite_symbol(instrument)
    return replace(
        instrument.ref,
        key=f"{instrument.exchange}:{symbol}",
        trading_symbol=symbol,
        token=str(kite_token(instrument)),
        broker_symbol=symbol,
        broker_exchange=instrument.exchange,
    )


def share_ref() -> InstrumentRef:
    return next(ref_of(each) for each in instruments() if each.token == _INFY)


class KiteStand(BrokerStand):
    broker_type = "kite"
    client = CLIENT
    share = _INFY
    credentials = CREDENTIALS
    acknowledges_after = timedelta(milliseconds=500)

    def __init__(self) -> None:
        super().__init__(make_app, instruments())

    @property
    def desk(self) -> KiteDesk:
        desk: KiteDesk = self.app.state.kite
        return desk

    def ref_of(self, instrument: SimInstrument) -> InstrumentRef:
        return ref_of(instrument)

    def answer(self) -> Mapping[str, str]:
        return {"status": "success", "request_token": self.desk.sessions.sign_in(CLIENT)}


@dataclass
class KiteMarket(BrokerMarket):
    stand: KiteStand
    gateway: KiteGateway

    @classmethod
    def connected(cls, stand: KiteStand) -> "KiteMarket":
        account = stand.connected()
        return cls(stand, account, KiteGateway(account, stand.clock), share_ref())
