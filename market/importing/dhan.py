"""Dhan's compact scrip master. Ticks are in paise, except those of indices, which are in rupees."""

from decimal import Decimal

from brokers.terms import InstrumentType, Segment
from market.importing import dhan_detailed
from market.importing.reading import Source
from market.importing.rows import Listed, RowRefused, Rows
from market.importing.symbols import contract_symbol, index_key
from market.importing.values import count_of, day_of, decimal_of, name_of

BROKER = "dhan"
COLUMNS = (
    "SEM_EXM_EXCH_ID",
    "SEM_SEGMENT",
    "SEM_SMST_SECURITY_ID",
    "SEM_INSTRUMENT_NAME",
    "SEM_TRADING_SYMBOL",
    "SEM_LOT_UNITS",
    "SEM_EXPIRY_DATE",
    "SEM_STRIKE_PRICE",
    "SEM_OPTION_TYPE",
    "SEM_TICK_SIZE",
    "SEM_SERIES",
    "SM_SYMBOL_NAME",
)
_SHARES = {"NSE": Segment.NSE_EQ, "BSE": Segment.BSE_EQ}
# By exchange: the house's exchange, its segment, and what Dhan calls the two together.
_CONTRACTS = {
    "NSE": ("NFO", Segment.NSE_FNO, "NSE_FNO"),
    "BSE": ("BFO", Segment.BSE_FNO, "BSE_FNO"),
    "MCX": ("MCX", Segment.MCX_COMM, "MCX_COMM"),
}
# Dhan counts commodities in lots and lists each with a lot of one.
_COUNTED_IN_LOTS = 0
_PAISE = Decimal(100)
_INDEX_TICK = Decimal("0.05")
_INDEX_EXCHANGE = "IDX_I"


def dhan_rows(source: Source) -> Rows[Listed]:
    """Read the compact list or the detailed one.

    :raises FileRefused: when it is neither.
    """
    if dhan_detailed.is_detailed(source):
        records = source.records(*dhan_detailed.COLUMNS)
        return Rows(records, lambda record: _listed(dhan_detailed.compact(record)))
    return Rows(source.records(*COLUMNS), _listed)


def _listed(row: dict[str, str]) -> Listed:
    exchange, segment = row["SEM_EXM_EXCH_ID"], row["SEM_SEGMENT"]
    if (exchange, segment) == ("MCX", "M"):
        return _contract(row, exchange)
    if exchange not in _SHARES:
        raise RowRefused(f"The exchange {exchange[:20]} is not traded here")
    if segment == "E":
        return _share(row, exchange)
    if segment == "I":
        return _index(row, exchange)
    if segment == "D":
        return _contract(row, exchange)
    raise RowRefused(f"The segment '{segment[:20]}' of {exchange} is not traded here")


def _share(row: dict[str, str], exchange: str) -> Listed:
    listed_as = name_of(row["SEM_TRADING_SYMBOL"], "The symbol", at_most=90)
    series = row["SEM_SERIES"].strip()
    plain_series = exchange == "BSE" or series in ("EQ", "")
    symbol = listed_as if plain_series else f"{listed_as}-{series}"
    return Listed(
        key=f"{exchange}:{symbol}",
        trading_symbol=symbol,
        name=name_of(row["SM_SYMBOL_NAME"] or symbol, "The name", at_most=200),
        exchange=exchange,
        segment=_SHARES[exchange],
        instrument_type=InstrumentType.EQ,
        lot_size=_lot(row),
        tick_size=_tick_in_paise(row),
        expiry=None,
        strike=None,
        option_type="",
        underlying="",
        token_exchange=f"{exchange}_EQ",
        token=_token(row),
        broker_symbol=listed_as,
    )


def _index(row: dict[str, str], exchange: str) -> Listed:
    listed_as = name_of(row["SEM_TRADING_SYMBOL"], "The symbol", at_most=100)
    key = index_key(exchange, listed_as)
    return Listed(
        key=key,
        trading_symbol=key.partition(":")[2],
        name=name_of(row["SM_SYMBOL_NAME"] or listed_as, "The name", at_most=200),
        exchange=exchange,
        segment=Segment.IDX,
        instrument_type=InstrumentType.INDEX,
        lot_size=1,
        tick_size=decimal_of(row["SEM_TICK_SIZE"], "The tick size") or _INDEX_TICK,
        expiry=None,
        strike=None,
        option_type="",
        underlying=listed_as,
        token_exchange=_INDEX_EXCHANGE,
        token=_token(row),
        broker_symbol=listed_as,
    )


def _contract(row: dict[str, str], exchange: str) -> Listed:
    board, segment, token_exchange = _CONTRACTS[exchange]
    listed_as = name_of(row["SEM_TRADING_SYMBOL"], "The symbol", at_most=100)
    underlying = name_of(_underlying(row, listed_as), "The underlying", at_most=60)
    expiry = day_of(row["SEM_EXPIRY_DATE"].partition(" ")[0], "The expiry")
    kind, strike = _terms(row)
    symbol = contract_symbol(underlying, expiry, kind=kind, strike=strike)
    return Listed(
        key=f"{board}:{symbol}",
        trading_symbol=symbol,
        name=underlying,
        exchange=board,
        segment=segment,
        instrument_type=kind,
        lot_size=_COUNTED_IN_LOTS if segment is Segment.MCX_COMM else _lot(row),
        tick_size=_tick_in_paise(row),
        expiry=expiry,
        strike=strike,
        option_type=kind if kind.is_option else "",
        underlying=underlying,
        token_exchange=token_exchange,
        token=_token(row),
        broker_symbol=listed_as,
    )


def _underlying(row: dict[str, str], listed_as: str) -> str:
    """Read BAJAJ-AUTO out of BAJAJ-AUTO-Aug2026-FUT and of BAJAJ-AUTO-Aug2026-9000-CE."""
    parts = 2 if row["SEM_INSTRUMENT_NAME"].startswith("FUT") else 3
    return listed_as.rsplit("-", parts)[0]


def _terms(row: dict[str, str]) -> tuple[InstrumentType, Decimal | None]:
    if row["SEM_INSTRUMENT_NAME"].startswith("FUT"):
        return InstrumentType.FUT, None
    option_type = row["SEM_OPTION_TYPE"]
    if option_type not in ("CE", "PE"):
        raise RowRefused(f"The option type '{option_type[:20]}' is neither CE nor PE")
    return InstrumentType(option_type), decimal_of(row["SEM_STRIKE_PRICE"], "The strike")


def _lot(row: dict[str, str]) -> int:
    return count_of(row["SEM_LOT_UNITS"].removesuffix(".0"), "The lot size") or 1


def _token(row: dict[str, str]) -> str:
    return str(count_of(row["SEM_SMST_SECURITY_ID"], "The security id"))


def _tick_in_paise(row: dict[str, str]) -> Decimal:
    tick = decimal_of(row["SEM_TICK_SIZE"], "The tick size") / _PAISE
    if tick <= 0:
        raise RowRefused("The tick size is zero")
    return tick
