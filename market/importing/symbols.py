"""One name for a contract or an index, whoever lists it.

A contract's name carries its day of expiry, so that no two contracts share one: a weekly and a
monthly of one month differ by nothing else. Brokers' own names stand beside it, in their lists.
"""

from datetime import date
from decimal import Decimal

from brokers.terms import InstrumentType

# Masters call an index by the symbol of its contracts; the house calls it by its own name.
INDEX_NAMES = {
    "NIFTY": "NIFTY 50",
    "NIFTY50": "NIFTY 50",
    "BANKNIFTY": "NIFTY BANK",
    "FINNIFTY": "NIFTY FIN SERVICE",
    "MIDCPNIFTY": "NIFTY MID SELECT",
    "NIFTYNXT50": "NIFTY NEXT 50",
    "INDIAVIX": "INDIA VIX",
}
INDEX_SYMBOLS = {name: symbol for symbol, name in reversed(INDEX_NAMES.items())}


def index_key(exchange: str, symbol: str) -> str:
    """Return the key of an index, for example NSE:NIFTY 50 for NIFTY."""
    upper = " ".join(symbol.upper().split())
    return f"{exchange}:{INDEX_NAMES.get(upper.replace(' ', ''), upper)}"


def contract_symbol(
    underlying: str, expiry: date, *, kind: InstrumentType, strike: Decimal | None = None
) -> str:
    """Name a contract: BANKNIFTY24APR24FUT, BANKNIFTY24APR2448000CE."""
    at = "" if strike is None else plain(strike)
    return f"{underlying}{expiry:%d%b%y}{at}{kind}".upper()


def plain(number: Decimal) -> str:
    """Write a strike without trailing zeros: 24350, 7.5."""
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"
