"""Kite's numbers and names for what the simulated exchange trades, and its master file."""

import csv
from collections.abc import Iterable
from datetime import date, timedelta
from io import StringIO

from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.instruments import SimInstrument
from brokers.terms import InstrumentType

COLUMNS = (
    "instrument_token", "exchange_token", "tradingsymbol", "name", "last_price", "expiry",
    "strike", "tick_size", "lot_size", "instrument_type", "segment", "exchange",
)  # fmt: skip
SEGMENTS = {"NSE": 1, "NFO": 2, "CDS": 3, "BSE": 4, "BFO": 5, "BCD": 6, "MCX": 7}
INDICES = 9
# An index has a number and a name of Kite's own.
_INDICES = {"NIFTY": (1001, "NIFTY 50"), "BANKNIFTY": (1016, "NIFTY BANK")}
_MONTH_LETTERS = "123456789OND"


def exchange_token(instrument: SimInstrument) -> int:
    return _INDICES[instrument.symbol][0] if _is_index(instrument) else int(instrument.token)


def kite_token(instrument: SimInstrument) -> int:
    """Return the instrument token: the exchange's number with the segment in its last byte."""
    segment = INDICES if _is_index(instrument) else SEGMENTS[instrument.exchange]
    return exchange_token(instrument) << 8 | segment


def kite_symbol(instrument: SimInstrument) -> str:
    """Name it as Kite does: NIFTY 50, NIFTY26AUGFUT, NIFTY26AUG24350CE, NIFTY2681824350CE."""
    if _is_index(instrument):
        return _INDICES[instrument.symbol][1]
    if instrument.expiry is None:
        return instrument.symbol
    name, expiry = instrument.name, instrument.expiry
    if instrument.kind is InstrumentType.FUT:
        return f"{name}{expiry:%y%b}FUT".upper()
    return f"{name}{_when(expiry)}{instrument.strike or 0:.0f}{instrument.kind}".upper()


def _is_index(instrument: SimInstrument) -> bool:
    return instrument.kind is InstrumentType.INDEX


def _when(expiry: date) -> str:
    is_last_of_month = (expiry + timedelta(days=7)).month != expiry.month
    if is_last_of_month:
        return f"{expiry:%y%b}"
    return f"{expiry:%y}{_MONTH_LETTERS[expiry.month - 1]}{expiry:%d}"


class Listing:
    """What is listed, by Kite's names and numbers."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self._broker = broker
        instruments = broker.instruments()
        self._by_name = {(each.exchange, kite_symbol(each)): each for each in instruments}
        self._by_token = {kite_token(each): each for each in instruments}

    def named(self, exchange: str, symbol: str) -> SimInstrument | None:
        return self._by_name.get((exchange, symbol))

    def asked(self, words: str) -> SimInstrument | None:
        """Find what a quote asks for: NSE:INFY, or Kite's number."""
        exchange, _, symbol = words.partition(":")
        if not symbol and exchange.isdecimal():
            return self._by_token.get(int(exchange))
        return self.named(exchange, symbol)

    def numbered(self, token: int) -> SimInstrument | None:
        return self._by_token.get(token)

    def master(self, exchange: str | None = None) -> str:
        """Return the instruments file, of one exchange or of all."""
        return written(
            each for each in self._broker.instruments() if exchange in (None, each.exchange)
        )


def written(instruments: Iterable[SimInstrument]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(each) for each in instruments)
    return text.getvalue()


def _row(instrument: SimInstrument) -> tuple[object, ...]:
    is_index = _is_index(instrument)
    kind = "EQ" if is_index else str(instrument.kind)
    segment = "INDICES" if is_index else instrument.exchange
    if instrument.expiry is not None:
        part = "FUT" if instrument.kind is InstrumentType.FUT else "OPT"
        segment = f"{instrument.exchange}-{part}"
    return (
        kite_token(instrument), exchange_token(instrument), kite_symbol(instrument),
        instrument.name, "0.0", instrument.expiry or "", instrument.strike or "0.0",
        "0.0" if is_index else instrument.tick, instrument.lot, kind, segment,
        instrument.exchange,
    )  # fmt: skip
