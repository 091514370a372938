"""What Alpaca takes on American shares.

Everything is held as delivery: Alpaca knows no products and squares nothing off, and borrowing or
selling short is not offered here. An order sent while the market is closed waits for the next day
by itself.
"""

from brokers.capabilities import Capabilities, MarketHandling
from brokers.terms import OrderType, Product, Segment, Validity

_SHARES = Capabilities(
    order_types=frozenset(OrderType),
    products=frozenset({Product.CNC}),
    validities=frozenset(Validity),
    amo=True,
    modifies=True,
    market=MarketHandling.RAW,
)


def capabilities_on(segment: Segment) -> Capabilities | None:
    """Return None for everything but American shares."""
    return _SHARES if segment is Segment.US_EQ else None
