"""An instrument master in the form of Kite's derivatives file, with its size and mix."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

ROWS = 39_941
UNDERLYINGS = 218
MONTHLY = (date(2026, 8, 25), date(2026, 9, 29), date(2026, 10, 27))
WEEKS = 12
_COLUMNS = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,"
    "lot_size,instrument_type,segment,exchange"
)


def write_master_file(path: Path) -> Path:
    """Write a future a month of each underlying, and options for the rest of the rows."""
    with path.open("w") as file:
        file.write(f"{_COLUMNS}\n")
        for number, row in zip(range(ROWS), _contracts(), strict=False):
            file.write(f"{14_000_000 + 256 * number},{54_687 + number},{row}\n")
    return path


def _contracts() -> Iterator[str]:
    yield from _futures()
    yield from _options()


def _futures() -> Iterator[str]:
    for underlying in range(UNDERLYINGS):
        name = f"SHARE{underlying:03}"
        for expiry in MONTHLY:
            symbol = f"{name}{expiry:%y%b}FUT".upper()
            yield f"{symbol},{name},0.0,{expiry},0.0,0.1,{_lot(underlying)},FUT,NFO-FUT,NFO"


def _options() -> Iterator[str]:
    """Give strike by strike; one underlying in ten is of the second exchange."""
    for strike in range(1000, 100_000, 50):
        for underlying in range(UNDERLYINGS):
            exchange = "BFO" if underlying % 10 == 0 else "NFO"
            name = f"SHARE{underlying:03}"
            expiry = MONTHLY[0] + timedelta(weeks=strike // 50 % WEEKS)
            for kind in ("CE", "PE"):
                symbol = f"{name}{expiry:%y%m%d}{strike}{kind}"
                terms = f"{expiry},{strike}.0,0.05,{_lot(underlying)},{kind}"
                yield f"{symbol},{name},0.0,{terms},{exchange}-OPT,{exchange}"


def _lot(underlying: int) -> int:
    return 25 * (1 + underlying % 60)
