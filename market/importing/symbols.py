"""One name for a contract or an index, whoever lists it: the symbol that Kite writes."""

from calendar import monthrange
from datetime import date, timedelta
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

_MONTH_LETTERS = "123456789OND"
_TUESDAY, _THURSDAY = 1, 3
# NSE/FAOP/68747: from this day NSE contracts expire on Tuesday and BSE contracts on Thursday.
_EXPIRY_DAYS_SWAPPED = date(2025, 9, 1)


def index_key(exchange: str, symbol: str) -> str:
    """Return the key of an index, for example NSE:NIFTY 50 for NIFTY."""
    upper = " ".join(symbol.upper().split())
    return f"{exchange}:{INDEX_NAMES.get(upper.replace(' ', ''), upper)}"


def future_symbol(underlying: str, expiry: date) -> str:
    return f"{underlying}{expiry:%y%b}FUT".upper()


def option_symbol(
    exchange: str, underlying: str, *, expiry: date, strike: Decimal, kind: InstrumentType
) -> str:
    """Name an option: the month for the last expiry of a month, else year, month letter and day.

    Commodities have one expiry a month, whichever weekday it falls on.
    """
    if exchange == "MCX" or is_monthly(exchange, expiry):
        when = f"{expiry:%y%b}".upper()
    else:
        when = f"{expiry:%y}{_MONTH_LETTERS[expiry.month - 1]}{expiry:%d}"
    return f"{underlying}{when}{plain(strike)}{kind}"


def is_monthly(exchange: str, expiry: date) -> bool:
    """Tell whether an expiry is the last of its month, also when a holiday brought it forward."""
    last_day = expiry.replace(day=monthrange(expiry.year, expiry.month)[1])
    weekday = _expiry_weekday(exchange, expiry)
    last_expiry = last_day - timedelta(days=(last_day.weekday() - weekday) % 7)
    return expiry > last_expiry - timedelta(days=7)


def plain(number: Decimal) -> str:
    """Write a strike without trailing zeros: 24350, 7.5."""
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"


def _expiry_weekday(exchange: str, expiry: date) -> int:
    if expiry < _EXPIRY_DAYS_SWAPPED:
        return _TUESDAY if exchange == "BFO" else _THURSDAY
    return _THURSDAY if exchange == "BFO" else _TUESDAY
