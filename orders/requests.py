"""What somebody wants to trade, before anybody has looked at it."""

import uuid
from dataclasses import dataclass
from decimal import Decimal

from brokers.gateway import PlaceRequest
from brokers.models import TradingAccount
from brokers.terms import OrderType, Product, Side, Validity
from market.models import Instrument
from orders.models import OrderSource


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order as asked for. ``user_strategy_id`` names the running strategy that asks, if any;
    ``reduce_only`` refuses what would do more than close the position it is meant for."""

    account: TradingAccount
    instrument: Instrument
    side: Side
    quantity: int
    order_type: OrderType = OrderType.MARKET
    product: Product = Product.MIS
    validity: Validity = Validity.DAY
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    disclosed_quantity: int = 0
    is_amo: bool = False
    tp_price: Decimal | None = None
    sl_price: Decimal | None = None
    user_strategy_id: uuid.UUID | None = None
    source: OrderSource = OrderSource.MANUAL
    reduce_only: bool = False

    def to_place(self, *, tag: str) -> PlaceRequest:
        """Return the order as a broker would be asked for it."""
        return PlaceRequest(
            tag=tag,
            instrument=self.instrument.ref(),
            side=self.side,
            quantity=self.quantity,
            order_type=self.order_type,
            product=self.product,
            validity=self.validity,
            price=self.price,
            trigger_price=self.trigger_price,
            disclosed_quantity=self.disclosed_quantity,
            is_amo=self.is_amo,
        )
