"""The simulated Alpaca in a test's hand: its symbols, its keys, its market."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from brokers.adapters.alpaca.client import Keys
from brokers.adapters.alpaca.endpoints import DataFeed, Environment
from brokers.adapters.alpaca.gateway import AlpacaGateway
from brokers.adapters.alpaca.words import EXCHANGE
from brokers.gateway import InstrumentRef
from brokers.simulator.alpaca.app import make_app
from brokers.simulator.alpaca.desk import API_KEY, API_SECRET, CLIENT, AlpacaDesk
from brokers.simulator.instruments import SimInstrument, us_market
from tests.brokers.stands import BrokerMarket, BrokerStand

CREDENTIALS = {"api_key": API_KEY, "api_secret": API_SECRET, "environment": "paper", "feed": ""}
KEYS = Keys(API_KEY, API_SECRET, Environment.PAPER, DataFeed.IEX)
_AAPL = "US1"


def instruments() -> tuple[SimInstrument, ...]:
    """The simulated market, in which AAPL costs a hundred dollars."""
    return tuple(
        replace(each, start_price=Decimal(100)) if each.token == _AAPL else each
        for each in us_market()
    )


def ref_of(instrument: SimInstrument) -> InstrumentRef:
    symbol = instrument.symbol
    return replace(instrument.ref, token=symbol, broker_symbol=symbol, broker_exchange=EXCHANGE)


def share_ref() -> InstrumentRef:
    return next(ref_of(each) for each in instruments() if each.token == _AAPL)


class AlpacaStand(BrokerStand):
    broker_type = "alpaca"
    client = CLIENT
    share = _AAPL
    credentials = CREDENTIALS
    acknowledges_after = timedelta(milliseconds=500)

    def __init__(self) -> None:
        super().__init__(make_app, instruments())

    @property
    def desk(self) -> AlpacaDesk:
        desk: AlpacaDesk = self.app.state.alpaca
        return desk

    def ref_of(self, instrument: SimInstrument) -> InstrumentRef:
        return ref_of(instrument)


@dataclass
class AlpacaMarket(BrokerMarket):
    stand: AlpacaStand
    gateway: AlpacaGateway

    @classmethod
    def connected(cls, stand: AlpacaStand) -> "AlpacaMarket":
        account = stand.connected()
        return cls(stand, account, AlpacaGateway(account, stand.clock), share_ref())

    def own(self, quantity: int, average: str = "90.00") -> None:
        """Give the account shares from earlier days."""
        self.stand.broker.give_holding(CLIENT, _AAPL, quantity, Decimal(average))
