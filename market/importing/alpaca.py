"""Alpaca's assets: one JSON array of American shares, numbered by their symbols.

Fills at Alpaca name nothing but the symbol, so that is an asset's number here; its own long
number is in no fill and would find nothing.
"""

from decimal import Decimal
from typing import Any

from brokers.terms import InstrumentType, Segment
from market.importing.objects import json_objects, text_of
from market.importing.reading import Source
from market.importing.rows import Listed, RowRefused, Rows
from market.importing.values import name_of

BROKER = "alpaca"
FIELDS = ("id", "class", "exchange", "symbol", "status", "tradable", "fractionable")
# The exchange by which Alpaca's adapter asks for an instrument: symbols are unique in the country.
TOKEN_EXCHANGE = "US"  # noqa: S105
# The New York exchange's two others, for funds and small companies, keep its days and hours.
_EXCHANGES = {
    "NASDAQ": "NASDAQ",
    "NYSE": "NYSE",
    "ARCA": "NYSE",
    "NYSEARCA": "NYSE",
    "AMEX": "NYSE",
}
_CENT = Decimal("0.01")


def alpaca_rows(source: Source) -> Rows[Listed]:
    """:raises FileRefused: when it is not a JSON array of objects."""
    return Rows(json_objects(source), _listed)


def _listed(raw: dict[str, Any]) -> Listed | None:
    """Return a share; what is delisted or is none (crypto, options) is no row at all."""
    if raw.get("class") != "us_equity" or raw.get("status") != "active":
        return None
    told = text_of(raw, "exchange")
    if told not in _EXCHANGES:
        raise RowRefused(f"The exchange '{told[:20]}' is not traded here")
    if raw.get("tradable") is not True:
        raise RowRefused("Alpaca does not trade it")
    symbol = name_of(text_of(raw, "symbol"), "The symbol", at_most=50)
    exchange = _EXCHANGES[told]
    return Listed(
        key=f"{exchange}:{symbol}",
        trading_symbol=symbol,
        name=name_of((text_of(raw, "name") or symbol)[:200], "The name", at_most=200),
        exchange=exchange,
        segment=Segment.US_EQ,
        instrument_type=InstrumentType.EQ,
        lot_size=1,
        # A share above a dollar is quoted in cents; none is sent finer from here.
        tick_size=_CENT,
        expiry=None,
        strike=None,
        option_type="",
        underlying="",
        token_exchange=TOKEN_EXCHANGE,
        token=symbol,
        broker_symbol=symbol,
        asset_id=name_of(str(raw.get("id", "")), "The id", at_most=40),
    )
