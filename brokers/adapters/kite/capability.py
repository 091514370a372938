"""What Kite takes on each segment, as of the exchanges' rules for algorithms of April 2026."""

from brokers.capabilities import Capabilities, MarketHandling, TriggerKind
from brokers.terms import OrderType, Product, Segment, Validity

MODIFY_LIMIT = 25
_DELIVERY = frozenset({Product.CNC, Product.MIS, Product.MTF})
_CARRIED = frozenset({Product.NRML, Product.MIS})
_PRODUCTS = {
    Segment.NSE_EQ: _DELIVERY,
    Segment.BSE_EQ: _DELIVERY,
    Segment.NSE_FNO: _CARRIED,
    Segment.BSE_FNO: _CARRIED,
}
_COVERED = frozenset({Segment.NSE_EQ, Segment.NSE_FNO})


def capabilities_on(segment: Segment) -> Capabilities | None:
    """Return None for what cannot be traded at Kite, such as an index."""
    products = _PRODUCTS.get(segment)
    if products is None:
        return None
    return Capabilities(
        order_types=frozenset(OrderType),
        products=products,
        validities=frozenset(Validity),
        amo=True,
        modifies=True,
        disclosed_quantity=True,
        market=MarketHandling.PROTECTED,
        triggers=frozenset(TriggerKind),
        brackets=frozenset({Product.CO}) if segment in _COVERED else frozenset(),
        slices=True,
        modify_limit=MODIFY_LIMIT,
    )
