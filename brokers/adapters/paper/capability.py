"""What the paper broker can do on each segment."""

from brokers.capabilities import Capabilities
from brokers.terms import OrderType, Product, Segment, Validity

_DELIVERY = frozenset({Product.CNC, Product.MIS})
_CARRIED = frozenset({Product.NRML, Product.MIS})
_PRODUCTS = {
    Segment.NSE_EQ: _DELIVERY,
    Segment.BSE_EQ: _DELIVERY,
    Segment.NSE_FNO: _CARRIED,
    Segment.BSE_FNO: _CARRIED,
    Segment.MCX_COMM: _CARRIED,
    Segment.CDS_FUT: _CARRIED,
    Segment.US_EQ: frozenset({Product.CNC}),
}


def capabilities_on(segment: Segment) -> Capabilities | None:
    """Return None for what cannot be traded at all, such as an index."""
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
    )
