"""An option chain out of what Angel One tells in three places. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from brokers.abilities import OptionRow, QuoteReport
from brokers.gateway import InstrumentRef
from brokers.greeks import greeks_of
from brokers.terms import InstrumentType, Segment
from brokers.values import Row, number, price

# Contracts are named by these, not by the index's own name.
_INDEX_NAMES = {
    "NIFTY 50": "NIFTY",
    "NIFTY BANK": "BANKNIFTY",
    "NIFTY FIN SERVICE": "FINNIFTY",
    "NIFTY MID SELECT": "MIDCPNIFTY",
    "NIFTY NEXT 50": "NIFTYNXT50",
}
_ENDING = re.compile(r"(\d+(?:\.\d+)?)(CE|PE)")
Greeks = Mapping[tuple[Decimal, str], Row]


@dataclass(frozen=True, slots=True)
class Contract:
    ref: InstrumentRef
    strike: Decimal
    kind: str


def option_name(underlying: InstrumentRef) -> str:
    return _INDEX_NAMES.get(underlying.trading_symbol, underlying.trading_symbol)


def contracts(rows: Sequence[Row], prefix: str) -> list[Contract]:
    """Return the options among what the search found, by strike, calls first."""
    found = []
    for row in rows:
        symbol, token = str(row.get("tradingsymbol", "")), str(row.get("symboltoken", ""))
        match = _ENDING.fullmatch(symbol.removeprefix(prefix))
        if symbol.startswith(prefix) and match and token:
            strike, kind = Decimal(match[1]), match[2]
            found.append(Contract(_ref(symbol, token, strike, kind), strike, kind))
    return sorted(found, key=lambda each: (each.strike, each.kind))


def greeks(rows: Sequence[Row]) -> Greeks:
    """:raises Unreadable: when a strike cannot be read."""
    return {
        (number(row.get("strikePrice"), "strikePrice").normalize(), str(row.get("optionType"))): row
        for row in rows
    }


def option_row(contract: Contract, quotes: Mapping[str, QuoteReport], told: Greeks) -> OptionRow:
    quote = quotes.get(contract.ref.key)
    row = told.get((contract.strike.normalize(), contract.kind))
    iv = None if row is None else price(row.get("impliedVolatility"), "impliedVolatility")
    return OptionRow(
        token=contract.ref.token,
        strike=contract.strike,
        is_call=contract.kind == "CE",
        ltp=None if quote is None else quote.ltp,
        open_interest=None if quote is None else quote.open_interest,
        volume=None if quote is None else quote.volume,
        iv=iv,
        greeks=greeks_of(row or {}, iv=iv),
    )


def _ref(symbol: str, token: str, strike: Decimal, kind: str) -> InstrumentRef:
    return InstrumentRef(
        key=f"NFO#{token}",
        exchange="NFO",
        segment=Segment.NSE_FNO,
        trading_symbol=symbol,
        instrument_type=InstrumentType(kind),
        lot_size=1,
        tick_size=Decimal("0.05"),
        token=token,
        strike=strike,
        broker_symbol=symbol,
        broker_exchange="NFO",
    )
