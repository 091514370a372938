"""Angel One's scrip master: one JSON array of strings; ticks in paise, strikes times a hundred."""

import codecs
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from brokers.terms import InstrumentType, Segment
from market.importing.reading import Source
from market.importing.rows import FileRefused, Listed, RowRefused, Skipped, each_row
from market.importing.symbols import future_symbol, index_key, option_symbol
from market.importing.values import count_of, day_of, decimal_of, name_of

BROKER = "angel"
FIELDS = ("token", "symbol", "name", "lotsize", "instrumenttype", "exch_seg", "tick_size")
_SHARES = {"NSE": Segment.NSE_EQ, "BSE": Segment.BSE_EQ}
_CONTRACTS = {"NFO": Segment.NSE_FNO, "BFO": Segment.BSE_FNO}
_HUNDREDTHS = Decimal(100)
_INDEX_TICK = Decimal("0.05")
_CHUNK = 64 * 1024
# One instrument has some 250 characters: a longer one means that this is another file.
_LONGEST_ENTRY = 16 * 1024


def angel_rows(source: Source) -> Iterator[Listed | Skipped]:
    """:raises FileRefused: when it is not a JSON array of objects."""
    return each_row(_entries(source), _listed)


def _entries(source: Source) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give each object of the array with its place in it, holding little of the file in memory."""
    decoder = json.JSONDecoder()
    buffer, place, number = "", 0, 0
    for chunk in _chunks(source):
        buffer, place = buffer[place:] + chunk, 0
        while (place := _skip_separators(buffer, place)) < len(buffer):
            if buffer[place] == "]":
                return
            try:
                entry, place = decoder.raw_decode(buffer, place)
            except (json.JSONDecodeError, RecursionError) as error:
                if len(buffer) - place > _LONGEST_ENTRY:
                    raise FileRefused(f"Entry {number + 1} is not JSON") from error
                break  # The rest of this entry is in the next chunk.
            number += 1
            if not isinstance(entry, dict):
                raise FileRefused(f"Entry {number} is not an object with the instrument's fields")
            yield number, entry
    raise FileRefused(f"The file breaks off after {number} entries: download it again")


def _chunks(source: Source) -> Iterator[str]:
    if not source.head.lstrip().startswith("["):
        raise FileRefused("The file is not a JSON array of instruments")
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    started = False
    while chunk := source.file.read(_CHUNK):
        source.bytes_read += len(chunk)
        text = decoder.decode(chunk)
        yield text if started else text.removeprefix("\ufeff").lstrip()[1:]
        started = True


def _skip_separators(buffer: str, place: int) -> int:
    while place < len(buffer) and buffer[place] in " \t\r\n,":
        place += 1
    return place


def _listed(raw: dict[str, Any]) -> Listed:
    row = {field: str(raw.get(field, "")) for field in (*FIELDS, "expiry", "strike")}
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
    kind, strike, symbol = _terms(row, exchange, underlying, expiry)
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


def _terms(
    row: dict[str, str], exchange: str, underlying: str, expiry: date
) -> tuple[InstrumentType, Decimal | None, str]:
    if row["instrumenttype"].startswith("FUT"):
        return InstrumentType.FUT, None, future_symbol(underlying, expiry)
    ending = row["symbol"].strip()[-2:]
    if ending not in ("CE", "PE"):
        raise RowRefused("The symbol ends with neither CE nor PE")
    kind = InstrumentType(ending)
    strike = decimal_of(row["strike"], "The strike") / _HUNDREDTHS
    symbol = option_symbol(exchange, underlying, expiry=expiry, strike=strike, kind=kind)
    return kind, strike, symbol


def _token(row: dict[str, str]) -> str:
    return name_of(row["token"], "The token", at_most=50)


def _tick(row: dict[str, str]) -> Decimal:
    tick = decimal_of(row["tick_size"], "The tick size") / _HUNDREDTHS
    if tick <= 0:
        raise RowRefused("The tick size is zero")
    return tick
