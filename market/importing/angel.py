"""Angel One's scrip master: one JSON array of strings; ticks in paise, strikes times a hundred."""

from decimal import Decimal
from typing import Any

from brokers.terms import InstrumentType, Segment
from market.importing.objects import json_objects, text_of
from market.importing.reading import Source
from market.importing.rows import Listed, RowRefused, Rows
from market.importing.symbols import contract_symbol, index_key
from market.importing.values import count_of, day_of, decimal_of, name_of

BROKER = "angel"
FIELDS = ("token", "symbol", "name", "lotsize", "instrumenttype", "exch_seg", "tick_size")
_SHARES = {"NSE": Segment.NSE_EQ, "BSE": Segment.BSE_EQ}
_CONTRACTS = {"NFO": Segment.NSE_FNO, "BFO": Segment.BSE_FNO, "MCX": Segment.MCX_COMM}
_HUNDREDTHS = Decimal(100)
_INDEX_TICK = Decimal("0.05")


def angel_rows(source: Source) -> Rows[Listed]:
    """:raises FileRefused: when it is not a JSON array of objects."""
    return Rows(json_objects(source), _listed)


def _listed(raw: dict[str, Any]) -> Listed:
    row = {field: text_of(raw, field) for field in (*FIELDS, "expiry", "strike")}
    exchange = row["exch_seg"].upper()
    if row["instrumenttype"] == "AMXIDX" and exchange in _SHARES:
        return _index(row, exchange)
    if exchange in _SHARES:
        return _share(row, exchange)
    if exchange in _CONTRACTS:
        return _contract(row, exchange)
    raise RowRefused(f"The exchange '{exchange[:20]}' is not traded here")


def _share(row: dict[str, str], exchange: str) -> Listed:
    listed_as = name_of(row["symbol"], "The symbol", at_most=100)
    symbol = listed_as.removesuffix("-EQ")
    return Listed(
        key=f"{exchange}:{symbol}",
        trading_symbol=symbol,
        name=name_of(row["name"] or symbol, "The name", at_most=200),
        exchange=exchange,
        segment=_SHARES[exchange],
        instrument_type=InstrumentType.EQ,
        lot_size=count_of(row["lotsize"], "The lot size") or 1,
        tick_size=_tick(row),
        expiry=None,
        strike=None,
        option_type="",
        underlying="",
        token_exchange=exchange,
        token=_token(row),
        broker_symbol=listed_as,
    )


def _index(row: dict[str, str], exchange: str) -> Listed:
    listed_as = name_of(row["symbol"], "The symbol", at_most=100)
    key = index_key(exchange, listed_as)
    return Listed(
        key=key,
        trading_symbol=key.partition(":")[2],
        name=name_of(row["name"] or listed_as, "The name", at_most=200),
        exchange=exchange,
        segment=Segment.IDX,
        instrument_type=InstrumentType.INDEX,
        lot_size=1,
        tick_size=_INDEX_TICK,
        expiry=None,
        strike=None,
        option_type="",
        underlying=row["name"].strip(),
        token_exchange=exchange,
        token=_token(row),
        broker_symbol=listed_as,
    )


def _contract(row: dict[str, str], exchange: str) -> Listed:
    underlying = name_of(row["name"], "The underlying", at_most=60)
    expiry = day_of(row["expiry"], "The expiry")
    listed_as = name_of(row["symbol"], "The symbol", at_most=100)
    kind, strike = _terms(row)
    symbol = contract_symbol(underlying, expiry, kind=kind, strike=strike)
    return Listed(
        key=f"{exchange}:{symbol}",
        trading_symbol=symbol,
        name=underlying,
        exchange=exchange,
        segment=_CONTRACTS[exchange],
        instrument_type=kind,
        lot_size=count_of(row["lotsize"], "The lot size") or 1,
        tick_size=_tick(row),
        expiry=expiry,
        strike=strike,
        option_type=kind if kind.is_option else "",
        underlying=underlying,
        token_exchange=exchange,
        token=_token(row),
        broker_symbol=listed_as,
    )


def _terms(row: dict[str, str]) -> tuple[InstrumentType, Decimal | None]:
    if row["instrumenttype"].startswith("FUT"):
        return InstrumentType.FUT, None
    ending = row["symbol"].strip()[-2:]
    if ending not in ("CE", "PE"):
        raise RowRefused("The symbol ends with neither CE nor PE")
    return InstrumentType(ending), decimal_of(row["strike"], "The strike") / _HUNDREDTHS


def _token(row: dict[str, str]) -> str:
    return name_of(row["token"], "The token", at_most=50)


def _tick(row: dict[str, str]) -> Decimal:
    tick = decimal_of(row["tick_size"], "The tick size") / _HUNDREDTHS
    if tick <= 0:
        raise RowRefused("The tick size is zero")
    return tick
