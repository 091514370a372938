"""How Angel One spells what the simulated exchange trades."""

from decimal import Decimal

from brokers.simulator.angel.answers import Refuse
from brokers.simulator.exchange import SimulatedBroker, UnknownInstrument
from brokers.simulator.instruments import SimInstrument
from brokers.terms import InstrumentType

_INDICES = {"NIFTY": "Nifty 50", "BANKNIFTY": "Nifty Bank"}
_HUNDRED = Decimal(100)
EXCHANGE_TYPES = {"NSE": 1, "NFO": 2, "BSE": 3, "BFO": 4, "MCX": 5, "CDS": 13}


def symbol_of(instrument: SimInstrument) -> str:
    if instrument.kind is InstrumentType.INDEX:
        return _INDICES.get(instrument.symbol, instrument.symbol)
    is_share = instrument.kind is InstrumentType.EQ
    return (
        f"{instrument.symbol}-EQ"
        if is_share and instrument.exchange == "NSE"
        else instrument.symbol
    )


def instrument_type(instrument: SimInstrument) -> str:
    if instrument.kind is InstrumentType.EQ:
        return ""
    if instrument.kind is InstrumentType.INDEX:
        return "AMXIDX"
    return "FUTIDX" if instrument.kind is InstrumentType.FUT else "OPTIDX"


def expiry_of(instrument: SimInstrument) -> str:
    return f"{instrument.expiry:%d%b%Y}".upper() if instrument.expiry else ""


def master_row(instrument: SimInstrument) -> dict[str, str]:
    """Return the scrip master's row: every value a text, ticks in paise, strikes x 100."""
    is_option = instrument.strike is not None
    strike = (instrument.strike or 0) * _HUNDRED if is_option else Decimal(-1)
    return {
        "token": instrument.token,
        "symbol": symbol_of(instrument),
        "name": instrument.symbol if not instrument.expiry else instrument.name,
        "expiry": expiry_of(instrument),
        "strike": f"{strike:.6f}",
        "lotsize": str(instrument.lot),
        "instrumenttype": instrument_type(instrument),
        "exch_seg": instrument.exchange,
        "tick_size": f"{instrument.tick * _HUNDRED:.6f}",
    }


def found(broker: SimulatedBroker, *, exchange: str, token: str) -> SimInstrument:
    """:raises Refuse: as SmartAPI does for a symbol it does not know."""
    try:
        instrument = broker.instrument(token)
    except UnknownInstrument:
        raise Refuse("AB1009", "Symbol Not Found") from None
    if instrument.exchange != exchange:
        raise Refuse("AB1009", "Symbol Not Found")
    return instrument
