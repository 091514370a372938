"""The paper broker's rows as the gateway's messages."""

from decimal import Decimal

from brokers.gateway import BrokerStatus, OrderReport, TradeReport
from brokers.models import PaperOrder, PaperTrade
from brokers.terms import OrderType, Product, Side, Validity


def order_report(order: PaperOrder) -> OrderReport:
    return OrderReport(
        broker_order_id=order.broker_order_id,
        tag=order.tag,
        instrument_key=order.contract.key,
        side=Side(order.side),
        order_type=OrderType(order.order_type),
        product=Product(order.product),
        validity=Validity(order.validity),
        status=BrokerStatus(order.status),
        quantity=order.quantity,
        filled_quantity=order.filled_quantity,
        updated_at=order.updated_at,
        average_price=_average_price(order),
        price=order.price,
        trigger_price=order.trigger_price,
        message=order.message,
        exchange_order_id=f"X{order.broker_order_id}",
        sequence=order.sequence,
        placed_at=order.placed_at,
    )


def trade_report(trade: PaperTrade) -> TradeReport:
    order = trade.order
    return TradeReport(
        trade_id=trade.trade_id,
        broker_order_id=order.broker_order_id,
        instrument_key=order.contract.key,
        side=Side(order.side),
        product=Product(order.product),
        quantity=trade.quantity,
        price=trade.price,
        traded_at=trade.traded_at,
        exchange_trade_id=f"X{trade.trade_id}",
    )


def _average_price(order: PaperOrder) -> Decimal | None:
    if not order.filled_quantity:
        return None
    return (order.turnover / order.filled_quantity).quantize(Decimal("0.0001"))
