"""What Dhan can do on each segment, as its pages tell."""

from brokers.adapters.dhan.limits import MODIFIES_PER_ORDER
from brokers.capabilities import Capabilities, MarketHandling, TriggerKind
from brokers.terms import OrderType, Product, Segment, Validity

_SHARES = frozenset({Product.CNC, Product.MIS, Product.MTF})
_CONTRACTS = frozenset({Product.NRML, Product.MIS})
_PRODUCTS = {
    Segment.NSE_EQ: _SHARES,
    Segment.BSE_EQ: _SHARES,
    Segment.NSE_FNO: _CONTRACTS,
    Segment.BSE_FNO: _CONTRACTS,
}


def capabilities_on(segment: Segment) -> Capabilities | None:
    """Return None for what cannot be traded at Dhan from here."""
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
        brackets=frozenset({Product.CO, Product.BO}),
        slices=True,
        modify_limit=MODIFIES_PER_ORDER,
    )
