"""Dhan's own numbers, segments and symbols for what the simulated exchange trades."""

from collections.abc import Iterator
from dataclasses import dataclass

from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.instruments import BANKNIFTY_TOKEN, NIFTY_TOKEN, SimInstrument
from brokers.terms import InstrumentType, Segment

SEGMENT_CODES = {
    "IDX_I": 0,
    "NSE_EQ": 1,
    "NSE_FNO": 2,
    "NSE_CURRENCY": 3,
    "BSE_EQ": 4,
    "MCX_COMM": 5,
    "BSE_CURRENCY": 7,
    "BSE_FNO": 8,
}
_SEGMENTS = {Segment.IDX: "IDX_I", Segment.CDS_FUT: "NSE_CURRENCY"}
_INDEX_NUMBERS = {NIFTY_TOKEN: "13", BANKNIFTY_TOKEN: "25"}
_HEADER = (
    "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_EXPIRY_CODE,"
    "SEM_TRADING_SYMBOL,SEM_LOT_UNITS,SEM_CUSTOM_SYMBOL,SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,"
    "SEM_OPTION_TYPE,SEM_TICK_SIZE,SEM_EXPIRY_FLAG,SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,"
    "SM_SYMBOL_NAME"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One instrument under Dhan's names."""

    instrument: SimInstrument
    segment: str
    number: str

    @property
    def symbol(self) -> str:
        """NIFTY-Dec2026-25000-CE for an option, NIFTY-Nov2026-FUT for a future, else bare."""
        each = self.instrument
        if each.expiry is None:
            return each.symbol
        stem = f"{each.name}-{each.expiry:%b%Y}"
        return f"{stem}-{each.strike:f}-{each.kind}" if each.kind.is_option else f"{stem}-FUT"

    @property
    def drv_option_type(self) -> str | None:
        if self.instrument.kind is InstrumentType.CE:
            return "CALL"
        return "PUT" if self.instrument.kind is InstrumentType.PE else None

    def units(self, told: int) -> int:
        """Return units: on MCX an order's quantity is told in lots."""
        return told * self.instrument.lot if self.segment == "MCX_COMM" else told

    def told(self, units: int) -> int:
        return units // self.instrument.lot if self.segment == "MCX_COMM" else units


class Listing:
    """All instruments by segment and number; numbers are unique within a segment alone."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self._all = [_listed(each) for each in broker.instruments()]
        self._by_name = {(each.segment, each.number): each for each in self._all}
        self._by_token = {each.instrument.token: each for each in self._all}

    def find(self, segment: str, number: str) -> Listed | None:
        return self._by_name.get((segment, number))

    def of(self, instrument: SimInstrument) -> Listed:
        return self._by_token[instrument.token]

    def options_of(self, underlying: Listed) -> list[Listed]:
        token = underlying.instrument.token
        return [
            each
            for each in self._all
            if each.instrument.underlying == token and each.instrument.kind.is_option
        ]

    def master(self) -> Iterator[str]:
        """Return the compact scrip master's lines."""
        yield _HEADER + "\r\n"
        for each in self._all:
            yield ",".join(_columns(each)) + "\r\n"


def _listed(instrument: SimInstrument) -> Listed:
    segment = _SEGMENTS.get(instrument.segment, str(instrument.segment))
    number = _INDEX_NUMBERS.get(instrument.token, instrument.token)
    return Listed(instrument, segment, number)


def _columns(listed: Listed) -> list[str]:
    each = listed.instrument
    exchange = {"NFO": "NSE", "BFO": "BSE"}.get(each.exchange, each.exchange)
    is_index = each.kind is InstrumentType.INDEX
    tick = each.tick if is_index else each.tick * 100
    return [
        exchange,
        _segment_letter(each),
        listed.number,
        _instrument_name(each),
        "0",
        listed.symbol,
        f"{each.lot}.0",
        each.name,
        f"{each.expiry:%Y-%m-%d} 14:30:00" if each.expiry else "",
        f"{each.strike:.5f}" if each.strike is not None else "",
        str(each.kind) if each.kind.is_option else "XX",
        f"{tick:.4f}",
        "W" if each.kind.is_option else "M" if each.expiry else "NA",
        "ES" if each.kind is InstrumentType.EQ else _instrument_name(each),
        "EQ" if each.kind is InstrumentType.EQ and exchange == "NSE" else "",
        each.name,
    ]


def _segment_letter(each: SimInstrument) -> str:
    if each.kind is InstrumentType.INDEX:
        return "I"
    if each.exchange == "MCX":
        return "M"
    return "D" if each.kind.is_derivative else "E"


def _instrument_name(each: SimInstrument) -> str:
    if not each.kind.is_derivative:
        return "INDEX" if each.kind is InstrumentType.INDEX else "EQUITY"
    if each.exchange == "MCX":
        return "FUTCOM" if each.kind is InstrumentType.FUT else "OPTFUT"
    return "FUTIDX" if each.kind is InstrumentType.FUT else "OPTIDX"
