"""The simulated exchange's records as Dhan's rows, with the types Dhan mixes."""

from datetime import datetime
from decimal import Decimal

from brokers.simulator.dhan.listing import Listed, Listing
from brokers.simulator.exchange import OrderState, SimHolding, SimOrder, SimPosition, SimTrade
from brokers.terms import OrderType, Product, Validity
from brokers.venue import IST

Row = dict[str, object]

ORDER_TYPES = {
    OrderType.LIMIT: "LIMIT",
    OrderType.MARKET: "MARKET",
    OrderType.SL: "STOP_LOSS",
    OrderType.SL_M: "STOP_LOSS_MARKET",
}
PRODUCTS = {
    Product.CNC: "CNC",
    Product.MIS: "INTRADAY",
    Product.NRML: "MARGIN",
    Product.MTF: "MTF",
}
VALIDITIES = {Validity.DAY: "DAY", Validity.IOC: "IOC"}
STATUSES = {
    OrderState.RECEIVED: "TRANSIT",
    OrderState.VALIDATING: "TRANSIT",
    OrderState.OPEN_PENDING: "TRANSIT",
    OrderState.OPEN: "PENDING",
    OrderState.TRIGGER_PENDING: "PENDING",
    OrderState.AMO_RECEIVED: "PENDING",
    OrderState.MODIFY_PENDING: "PENDING",
    OrderState.CANCEL_PENDING: "PENDING",
    OrderState.PARTIAL: "PART_TRADED",
    OrderState.COMPLETE: "TRADED",
    OrderState.CANCELLED: "CANCELLED",
    OrderState.REJECTED: "REJECTED",
    OrderState.EXPIRED: "EXPIRED",
}


def order_row(order: SimOrder, listing: Listing) -> Row:
    listed = listing.of(order.instrument)
    status = status_of(order)
    is_refused = status == "REJECTED"
    return {
        "dhanClientId": order.client,
        "orderId": order.order_id,
        "exchangeOrderId": exchange_order_id(order),
        "correlationId": order.tag,
        "orderStatus": status,
        "transactionType": order.side.value,
        "exchangeSegment": listed.segment,
        "productType": PRODUCTS[order.product],
        "orderType": ORDER_TYPES[order.order_type],
        "validity": VALIDITIES[order.validity],
        "tradingSymbol": listed.symbol,
        "securityId": listed.number,
        "quantity": listed.told(order.quantity),
        "disclosedQuantity": listed.told(order.disclosed),
        "price": money(order.price),
        "triggerPrice": money(order.trigger_price),
        "afterMarketOrder": order.is_amo,
        "boProfitValue": 0.0,
        "boStopLossValue": 0.0,
        "legName": None,
        "createTime": wall_clock(order.placed_at),
        "updateTime": wall_clock(order.updated_at),
        "exchangeTime": wall_clock(order.updated_at),
        **_derivative(listed),
        "omsErrorCode": "RMS" if is_refused else "0",
        "omsErrorDescription": order.message if is_refused else "CONFIRMED",
        "algoId": "0",
        "remainingQuantity": listed.told(order.pending_quantity),
        "averageTradedPrice": money(order.average_price),
        "filledQty": listed.told(order.filled_quantity),
    }


def trade_row(trade: SimTrade, listing: Listing) -> Row:
    listed = listing.of(trade.instrument)
    return {
        "dhanClientId": trade.client,
        "orderId": trade.order_id,
        "exchangeOrderId": trade.exchange_order_id,
        "exchangeTradeId": trade.exchange_trade_id,
        "transactionType": trade.side.value,
        "exchangeSegment": listed.segment,
        "productType": PRODUCTS[trade.product],
        "orderType": "LIMIT",
        "tradingSymbol": listed.symbol,
        "customSymbol": listed.instrument.name,
        "securityId": listed.number,
        "tradedQuantity": listed.told(trade.quantity),
        "tradedPrice": money(trade.price),
        "createTime": wall_clock(trade.traded_at),
        "updateTime": wall_clock(trade.traded_at),
        "exchangeTime": wall_clock(trade.traded_at),
        **_derivative(listed),
    }


def position_row(client: str, position: SimPosition, listing: Listing) -> Row:
    listed = listing.of(position.instrument)
    net = position.quantity
    carried = position.carried_quantity
    return {
        "dhanClientId": client,
        "tradingSymbol": listed.symbol,
        "securityId": listed.number,
        "positionType": "LONG" if net > 0 else "SHORT" if net < 0 else "CLOSED",
        "exchangeSegment": listed.segment,
        "productType": PRODUCTS[position.product],
        "buyAvg": _average(position.buy_value, position.buy_quantity, position, side=1),
        "costPrice": money(position.average_price),
        "buyQty": listed.told(position.buy_quantity + max(carried, 0)),
        "sellAvg": _average(position.sell_value, position.sell_quantity, position, side=-1),
        "sellQty": listed.told(position.sell_quantity + max(-carried, 0)),
        "netQty": listed.told(net) if net >= 0 else -listed.told(-net),
        "realizedProfit": money(position.realized),
        "unrealizedProfit": money(position.unrealized),
        "rbiReferenceRate": 1.0,
        "multiplier": 1,
        "carryForwardBuyQty": listed.told(max(carried, 0)),
        "carryForwardSellQty": listed.told(max(-carried, 0)),
        "carryForwardBuyValue": 0.0,
        "carryForwardSellValue": 0.0,
        "dayBuyQty": listed.told(position.buy_quantity),
        "daySellQty": listed.told(position.sell_quantity),
        "dayBuyValue": money(position.buy_value),
        "daySellValue": money(position.sell_value),
        **_derivative(listed),
        "crossCurrency": False,
    }


def holding_row(holding: SimHolding, listing: Listing) -> Row:
    listed = listing.of(holding.instrument)
    total = holding.quantity + holding.t1_quantity
    return {
        "exchange": "ALL" if listed.segment == "NSE_EQ" else "BSE",
        "tradingSymbol": listed.symbol,
        "securityId": listed.number,
        "isin": holding.instrument.isin,
        "totalQty": total,
        "dpQty": holding.quantity,
        "t1Qty": holding.t1_quantity,
        "availableQty": total,
        "collateralQty": 0,
        "avgCostPrice": money(holding.average_price),
        "lastTradedPrice": money(holding.last_price),
    }


def status_of(order: SimOrder) -> str:
    """A change or a cancel under way shows nothing of itself at Dhan."""
    status = STATUSES[order.state]
    return "PART_TRADED" if status == "PENDING" and order.filled_quantity else status


def exchange_order_id(order: SimOrder) -> str:
    """The exchange names an order when it gets it; until then Dhan writes 0."""
    waiting = (OrderState.RECEIVED, OrderState.VALIDATING, OrderState.OPEN_PENDING)
    is_there = order.state not in (*waiting, OrderState.AMO_RECEIVED, OrderState.REJECTED)
    return order.exchange_order_id if is_there else "0"


def money(value: Decimal | None) -> float:
    return float(value or 0)


def wall_clock(at: datetime) -> str:
    return f"{at.astimezone(IST):%Y-%m-%d %H:%M:%S}"


def _average(value: Decimal, quantity: int, position: SimPosition, *, side: int) -> float:
    """Average today's trades; of a position carried over only its own price is known."""
    if position.carried_quantity * side > 0:
        return money(position.average_price)
    return money((value / quantity).quantize(Decimal("0.0001"))) if quantity else 0.0


def _derivative(listed: Listed) -> Row:
    each = listed.instrument
    return {
        "drvExpiryDate": f"{each.expiry:%Y-%m-%d}" if each.expiry else None,
        "drvOptionType": listed.drv_option_type,
        "drvStrikePrice": money(each.strike),
    }
