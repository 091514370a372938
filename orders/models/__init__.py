from orders.models.forever import ForeverKind, ForeverOrder, ForeverStatus, TriggerCondition
from orders.models.history import (
    EventSource,
    ModificationType,
    OrderEvent,
    OrderModification,
    ParkedReport,
)
from orders.models.legs import BracketLeg, LegType
from orders.models.missing import MissingOrder
from orders.models.orders import Order, OrderQuerySet, OrderSource
from orders.models.trades import Trade, TradePart

__all__ = [
    "BracketLeg",
    "EventSource",
    "ForeverKind",
    "ForeverOrder",
    "ForeverStatus",
    "LegType",
    "MissingOrder",
    "ModificationType",
    "Order",
    "OrderEvent",
    "OrderModification",
    "OrderQuerySet",
    "OrderSource",
    "ParkedReport",
    "Trade",
    "TradePart",
    "TriggerCondition",
]
