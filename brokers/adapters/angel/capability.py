"""What Angel One takes on each segment.

SEBI's rules for algorithms, as Angel applies them, prohibit raw market orders and IOC. A market
order leaves as a limit at a protected price (see ``protection``); stop-loss market is not
offered, because its market order would be made by the exchange, where nobody protects it.
"""

from brokers.capabilities import Capabilities, MarketHandling, TriggerKind
from brokers.terms import OrderType, Product, Segment, Validity

_DELIVERY = frozenset({Product.CNC, Product.MIS, Product.MTF})
_CARRIED = frozenset({Product.NRML, Product.MIS})
_SINGLE = frozenset({TriggerKind.SINGLE})
_BRACKETS = frozenset({Product.BO})
_PRODUCTS = {
    Segment.NSE_EQ: _DELIVERY,
    Segment.BSE_EQ: _DELIVERY,
    Segment.NSE_FNO: _CARRIED,
    Segment.BSE_FNO: _CARRIED,
}
_WITH_RULES = frozenset({Segment.NSE_EQ, Segment.BSE_EQ})
_WITH_BRACKETS = frozenset({Segment.NSE_EQ, Segment.NSE_FNO})


def capabilities_on(segment: Segment) -> Capabilities | None:
    """Return None for what cannot be traded at Angel One, such as an index."""
    products = _PRODUCTS.get(segment)
    if products is None:
        return None
    return Capabilities(
        order_types=frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.SL}),
        products=products,
        validities=frozenset({Validity.DAY}),
        amo=True,
        modifies=True,
        disclosed_quantity=True,
        market=MarketHandling.PROTECTED,
        triggers=_SINGLE if segment in _WITH_RULES else frozenset(),
        brackets=_BRACKETS if segment in _WITH_BRACKETS else frozenset(),
    )
