"""What trades on the simulated exchange: well-known names at invented prices."""

from dataclasses import dataclass
from decimal import Decimal

EXCHANGE = "SIM"
INDEX_SYMBOL = "NIFTY 50"


@dataclass(frozen=True, slots=True)
class SimulatedShare:
    """``beta`` is its part of the market's moves, ``liveliness`` scales its own moves;
    ``volume`` is what trades in an average second."""

    symbol: str
    name: str
    price: Decimal
    tick: Decimal
    beta: float
    liveliness: float
    volume: int
    weight: float

    @property
    def key(self) -> str:
        return f"{EXCHANGE}:{self.symbol}"


def _share(row: tuple[str, str, str, str, float, float, int, float]) -> SimulatedShare:
    symbol, name, price, tick, beta, liveliness, volume, weight = row
    return SimulatedShare(
        symbol, name, Decimal(price), Decimal(tick), beta, liveliness, volume, weight
    )


INDEX_PRICE = Decimal("25120.00")
INDEX_TICK = Decimal("0.05")
INDEX_KEY = f"{EXCHANGE}:{INDEX_SYMBOL}"
SHARES = tuple(
    map(
        _share,
        (
            ("RELIANCE", "Reliance Industries", "1412.00", "0.10", 1.0, 1.0, 420, 0.12),
            ("TCS", "Tata Consultancy Services", "3105.00", "0.10", 0.7, 0.9, 90, 0.06),
            ("HDFCBANK", "HDFC Bank", "978.00", "0.05", 1.0, 0.8, 640, 0.16),
            ("INFY", "Infosys", "1542.00", "0.10", 0.8, 1.0, 260, 0.08),
            ("ICICIBANK", "ICICI Bank", "1384.00", "0.10", 1.1, 0.9, 430, 0.12),
            ("SBIN", "State Bank of India", "862.00", "0.05", 1.2, 1.0, 520, 0.06),
            ("BHARTIARTL", "Bharti Airtel", "1958.00", "0.10", 0.8, 0.9, 210, 0.07),
            ("ITC", "ITC", "411.00", "0.05", 0.6, 0.8, 700, 0.05),
            ("LT", "Larsen & Toubro", "3712.00", "0.10", 1.1, 1.0, 80, 0.06),
            ("AXISBANK", "Axis Bank", "1176.00", "0.10", 1.2, 1.1, 330, 0.05),
            ("KOTAKBANK", "Kotak Mahindra Bank", "2118.00", "0.10", 0.9, 0.9, 120, 0.04),
            ("HINDUNILVR", "Hindustan Unilever", "2395.00", "0.10", 0.5, 0.8, 70, 0.03),
            ("MARUTI", "Maruti Suzuki", "15280.00", "1.00", 0.9, 1.0, 20, 0.03),
            ("SUNPHARMA", "Sun Pharmaceutical", "1684.00", "0.10", 0.6, 1.0, 110, 0.03),
            ("TATASTEEL", "Tata Steel", "172.00", "0.01", 1.3, 1.3, 1900, 0.04),
        ),
    )
)
