"""What the paper broker can do on each segment."""

from brokers.capabilities import NOT_OFFERED, Capabilities
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
    """Return None for what cannot be traded from here, such as an index."""
    return None if segment in NOT_OFFERED else taken_on(segment)


def taken_on(segment: Segment) -> Capabilities | None:
    """Return what the simulated exchange itself takes: brokers' stand-ins trade on it too."""
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
