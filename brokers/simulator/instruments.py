"""What the simulated exchanges trade: a small seeded market, and a large master for load."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from brokers.gateway import InstrumentRef
from brokers.terms import InstrumentType, Segment

_TUESDAY = 1
_PAISE_5 = Decimal("0.05")
_SEGMENTS = {
    "NSE": Segment.NSE_EQ,
    "BSE": Segment.BSE_EQ,
    "NFO": Segment.NSE_FNO,
    "BFO": Segment.BSE_FNO,
    "MCX": Segment.MCX_COMM,
    "CDS": Segment.CDS_FUT,
    "NASDAQ": Segment.US_EQ,
    "NYSE": Segment.US_EQ,
}


@dataclass(frozen=True, slots=True)
class SimInstrument:
    """One instrument. ``token`` is the exchange's own number and unique within the simulator.

    ``symbol`` is bare (RELIANCE, NIFTY): a wire app spells trading symbols its broker's way, for
    derivatives from ``name``, ``expiry``, ``strike`` and ``kind``. ``underlying`` is a token.
    """

    token: str
    exchange: str
    symbol: str
    name: str
    kind: InstrumentType
    start_price: Decimal
    isin: str = ""
    lot: int = 1
    tick: Decimal = _PAISE_5
    expiry: date | None = None
    strike: Decimal | None = None
    underlying: str = ""
    freeze: int | None = None

    @property
    def segment(self) -> Segment:
        return Segment.IDX if self.kind is InstrumentType.INDEX else _SEGMENTS[self.exchange]

    @property
    def currency(self) -> str:
        return "USD" if self.segment is Segment.US_EQ else "INR"

    @property
    def ref(self) -> InstrumentRef:
        return InstrumentRef(
            key=f"{self.exchange}:{self.symbol}",
            exchange=self.exchange,
            segment=self.segment,
            trading_symbol=self.symbol,
            instrument_type=self.kind,
            lot_size=self.lot,
            tick_size=self.tick,
            token=self.token,
            freeze_quantity=self.freeze,
            expiry=self.expiry,
            currency=self.currency,
            strike=self.strike,
        )


# Real exchange tokens and ISINs, so that what Pinnacle knows of these shares fits.
_SHARES = (
    ("2885", "NSE", "RELIANCE", "RELIANCE INDUSTRIES", "INE002A01018", "1400.00"),
    ("11536", "NSE", "TCS", "TATA CONSULTANCY SERVICES", "INE467B01029", "3050.00"),
    ("1333", "NSE", "HDFCBANK", "HDFC BANK", "INE040A01034", "985.00"),
    ("4963", "NSE", "ICICIBANK", "ICICI BANK", "INE090A01021", "1370.00"),
    ("1594", "NSE", "INFY", "INFOSYS", "INE009A01021", "1490.00"),
    ("3045", "NSE", "SBIN", "STATE BANK OF INDIA", "INE062A01020", "880.00"),
    ("1660", "NSE", "ITC", "ITC", "INE154A01025", "405.00"),
    ("11483", "NSE", "LT", "LARSEN & TOUBRO", "INE018A01030", "3900.00"),
    ("5900", "NSE", "AXISBANK", "AXIS BANK", "INE238A01034", "1230.00"),
    ("10604", "NSE", "BHARTIARTL", "BHARTI AIRTEL", "INE397D01024", "2050.00"),
    ("500325", "BSE", "RELIANCE", "RELIANCE INDUSTRIES", "INE002A01018", "1400.05"),
    ("500112", "BSE", "SBIN", "STATE BANK OF INDIA", "INE062A01020", "880.05"),
)
_US_SHARES = (
    ("US1", "NASDAQ", "AAPL", "Apple Inc.", "US0378331005", "270.00"),
    ("US2", "NASDAQ", "MSFT", "Microsoft Corporation", "US5949181045", "510.00"),
    ("US3", "NASDAQ", "NVDA", "NVIDIA Corporation", "US67066G1040", "190.00"),
    ("US4", "NASDAQ", "TSLA", "Tesla, Inc.", "US88160R1014", "430.00"),
    ("US5", "NYSE", "F", "Ford Motor Company", "US3453708600", "13.00"),
    ("US6", "NYSE", "KO", "The Coca-Cola Company", "US1912161007", "70.00"),
)
NIFTY_TOKEN = "99926000"  # noqa: S105 - the number of an index
BANKNIFTY_TOKEN = "99926009"  # noqa: S105
_FUTURE_NUMBER = "40000"
_NIFTY = Decimal("25000.00")
_NIFTY_LOT, _NIFTY_FREEZE = 65, 1800
_STRIKES_EACH_SIDE = 2
_STRIKE_STEP = 100


def indian_market(today: date) -> tuple[SimInstrument, ...]:
    """Return twelve shares, two indices, a NIFTY future and twenty NIFTY options."""
    near, following = expiries(today)
    return (
        *(_share(row, _PAISE_5) for row in _SHARES),
        SimInstrument(NIFTY_TOKEN, "NSE", "NIFTY", "NIFTY", InstrumentType.INDEX, _NIFTY),
        SimInstrument(
            BANKNIFTY_TOKEN, "NSE", "BANKNIFTY", "BANKNIFTY", InstrumentType.INDEX, Decimal(56000)
        ),
        _future(monthly_expiry(today)),
        *_options(near, first_token=40001, today=today),
        *_options(following, first_token=40101, today=today),
    )


def us_market() -> tuple[SimInstrument, ...]:
    return tuple(_share(row, Decimal("0.01")) for row in _US_SHARES)


def expiries(today: date) -> tuple[date, date]:
    """Return the next two weekly expiries of NIFTY, Tuesdays; today counts."""
    near = today + timedelta(days=(_TUESDAY - today.weekday()) % 7)
    return near, near + timedelta(days=7)


def monthly_expiry(today: date) -> date:
    """Return the last Tuesday of the month, of the next month when it is past."""
    last = _last_tuesday(today.year, today.month)
    if last >= today:
        return last
    following = today.replace(day=28) + timedelta(days=7)
    return _last_tuesday(following.year, following.month)


def grown(count: int) -> Iterator[SimInstrument]:
    """Make a synthetic master of so many rows, one after the other, as large as a real one.

    The rows are for loading only: nobody trades them, and their tokens start at one million.
    """
    for number in range(count):
        price = Decimal(50 + number % 3000)
        symbol = f"LOAD{number:06d}"
        yield SimInstrument(
            str(1_000_000 + number), "NSE", symbol, symbol, InstrumentType.EQ, price
        )


def by_token(instruments: Sequence[SimInstrument]) -> dict[str, SimInstrument]:
    return {instrument.token: instrument for instrument in instruments}


def option_value(*, spot: Decimal, strike: Decimal, is_call: bool, days: int) -> Decimal:
    """Return what a NIFTY option is worth here: intrinsic value and a hump of time value.

    Not a model of volatility; it only has a chain's shape and never falls below intrinsic value.
    """
    intrinsic = max((spot - strike) if is_call else (strike - spot), Decimal(0))
    width = spot * Decimal("0.04")
    nearness = max(1 - abs(spot - strike) / width, Decimal("0.02"))
    return intrinsic + spot * Decimal("0.002") * (1 + days) * nearness * nearness / 4


def _last_tuesday(year: int, month: int) -> date:
    day = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return day - timedelta(days=(day.weekday() - _TUESDAY) % 7)


def _share(row: tuple[str, str, str, str, str, str], tick: Decimal) -> SimInstrument:
    token, exchange, symbol, name, isin, price = row
    return SimInstrument(
        token, exchange, symbol, name, InstrumentType.EQ, Decimal(price), isin=isin, tick=tick
    )


def _future(expiry: date) -> SimInstrument:
    return SimInstrument(
        _FUTURE_NUMBER,
        exchange="NFO",
        symbol=f"NIFTY{expiry:%d%b%y}FUT".upper(),
        name="NIFTY",
        kind=InstrumentType.FUT,
        start_price=_NIFTY + 50,
        lot=_NIFTY_LOT,
        expiry=expiry,
        underlying=NIFTY_TOKEN,
        freeze=_NIFTY_FREEZE,
    )


def _options(expiry: date, *, first_token: int, today: date) -> Iterator[SimInstrument]:
    token = first_token
    steps = range(-_STRIKES_EACH_SIDE, _STRIKES_EACH_SIDE + 1)
    for strike in (_NIFTY + _STRIKE_STEP * step for step in steps):
        for kind in (InstrumentType.CE, InstrumentType.PE):
            worth = option_value(
                spot=_NIFTY,
                strike=strike,
                is_call=kind is InstrumentType.CE,
                days=(expiry - today).days,
            )
            yield SimInstrument(
                token=str(token),
                exchange="NFO",
                symbol=f"NIFTY{expiry:%d%b%y}{strike:.0f}{kind}".upper(),
                name="NIFTY",
                kind=kind,
                start_price=worth // _PAISE_5 * _PAISE_5,
                lot=_NIFTY_LOT,
                expiry=expiry,
                strike=strike,
                underlying=NIFTY_TOKEN,
                freeze=_NIFTY_FREEZE,
            )
            token += 1
