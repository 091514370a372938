"""Kite's instruments file: one CSV of everything, with the exchange's own symbols."""

from datetime import date
from decimal import Decimal

from brokers.terms import InstrumentType, Segment
from market.importing.reading import Source
from market.importing.rows import Listed, RowRefused, Rows
from market.importing.symbols import INDEX_SYMBOLS, contract_symbol
from market.importing.values import count_of, day_of, decimal_of, name_of

BROKER = "kite"
COLUMNS = (
    "instrument_token",
    "exchange_token",
    "tradingsymbol",
    "name",
    "expiry",
    "strike",
    "tick_size",
    "lot_size",
    "instrument_type",
    "segment",
    "exchange",
)
_SEGMENTS = {
    "NSE": Segment.NSE_EQ,
    "BSE": Segment.BSE_EQ,
    "NFO": Segment.NSE_FNO,
    "BFO": Segment.BSE_FNO,
}
_NOT_OFFERED = {"MCX": Segment.MCX_COMM, "CDS": Segment.CDS_FUT}
_TYPES = {str(kind) for kind in InstrumentType} - {"INDEX"}


def kite_rows(source: Source) -> Rows[Listed]:
    """:raises FileRefused: when it is not Kite's file."""
    return Rows(source.records(*COLUMNS), _listed)


def _listed(row: dict[str, str]) -> Listed:
    exchange, kind = row["exchange"], row["instrument_type"]
    if exchange in _NOT_OFFERED:
        raise RowRefused(f"{_NOT_OFFERED[exchange].label} is not offered here yet")
    if exchange not in _SEGMENTS:
        raise RowRefused(f"The exchange {exchange[:20]} is not traded here")
    if kind not in _TYPES:
        raise RowRefused(f"The instrument type '{kind[:20]}' is unknown")
    listed_as = name_of(row["tradingsymbol"], "The symbol", at_most=100)
    is_index = row["segment"] == "INDICES"
    expiry, strike = _contract(row) if kind != "EQ" else (None, None)
    if expiry is None:
        symbol, name = listed_as, name_of(row["name"] or listed_as, "The name", at_most=200)
    else:
        name = name_of(row["name"], "The underlying", at_most=60)
        symbol = contract_symbol(name, expiry, kind=InstrumentType(kind), strike=strike)
    return Listed(
        key=f"{exchange}:{symbol}",
        trading_symbol=symbol,
        name=name,
        exchange=exchange,
        segment=Segment.IDX if is_index else _SEGMENTS[exchange],
        instrument_type=InstrumentType.INDEX if is_index else kind,
        lot_size=count_of(row["lot_size"], "The lot size") or 1,
        tick_size=_tick(row["tick_size"], is_index=is_index),
        expiry=expiry,
        strike=strike,
        option_type=kind if kind in ("CE", "PE") else "",
        underlying=INDEX_SYMBOLS.get(symbol, "") if is_index else name if expiry else "",
        token_exchange=exchange,
        token=str(count_of(row["instrument_token"], "The token")),
        broker_symbol=listed_as,
    )


def _contract(row: dict[str, str]) -> tuple[date, Decimal | None]:
    strike = decimal_of(row["strike"], "The strike")
    if row["instrument_type"] == "FUT":
        return day_of(row["expiry"], "The expiry"), None
    if strike <= 0:
        raise RowRefused("An option needs a strike above zero")
    return day_of(row["expiry"], "The expiry"), strike


def _tick(text: str, *, is_index: bool) -> Decimal:
    tick = decimal_of(text, "The tick size")
    if tick > 0:
        return tick
    if is_index:  # An index is not traded; its tick says nothing.
        return Decimal("0.05")
    raise RowRefused("The tick size is zero")
