"""The rows of SmartAPI's books, with the mixed types that its real answers have."""

from datetime import datetime
from decimal import Decimal
from uuid import NAMESPACE_OID, uuid5

from brokers.simulator.angel.symbols import expiry_of, instrument_type, symbol_of
from brokers.simulator.instruments import SimInstrument
from brokers.simulator.records import (
    OrderState,
    SimFunds,
    SimHolding,
    SimOrder,
    SimPosition,
    SimTrade,
)
from brokers.terms import OrderType, Product
from brokers.venue import IST

Row = dict[str, object]
ORDER_TYPES = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.SL: "STOPLOSS_LIMIT",
    OrderType.SL_M: "STOPLOSS_MARKET",
}
PRODUCTS = {
    Product.CNC: "DELIVERY",
    Product.MIS: "INTRADAY",
    Product.NRML: "CARRYFORWARD",
    Product.MTF: "MARGIN",
}
STATUSES = {
    OrderState.RECEIVED: "put order req received",
    OrderState.VALIDATING: "validation pending",
    OrderState.OPEN_PENDING: "open pending",
    OrderState.OPEN: "open",
    OrderState.TRIGGER_PENDING: "trigger pending",
    OrderState.PARTIAL: "open",
    OrderState.COMPLETE: "complete",
    OrderState.CANCELLED: "cancelled",
    OrderState.REJECTED: "rejected",
    OrderState.EXPIRED: "expired",
    OrderState.AMO_RECEIVED: "amo req received",
    OrderState.MODIFY_PENDING: "modify pending",
    OrderState.CANCEL_PENDING: "cancel pending",
}
_NOT_YET = (OrderState.RECEIVED, OrderState.VALIDATING, OrderState.OPEN_PENDING)


def unique_id(order_id: str) -> str:
    return str(uuid5(NAMESPACE_OID, order_id))


def order_row(order: SimOrder, *, is_modified: bool = False) -> Row:
    """Return an order's row: prices are numbers, quantities texts, as recorded."""
    word = STATUSES[order.state]
    at = moment(order.updated_at)
    is_told = order.state not in _NOT_YET
    return {
        "variety": order.variety,
        "ordertype": ORDER_TYPES[order.order_type],
        "producttype": PRODUCTS.get(order.product, str(order.product)),
        "duration": str(order.validity),
        "price": number(order.price),
        "triggerprice": number(order.trigger_price),
        "quantity": str(order.quantity),
        "disclosedquantity": str(order.disclosed),
        "squareoff": 0.0,
        "stoploss": 0.0,
        "trailingstoploss": 0.0,
        **_instrument(order.instrument),
        "transactiontype": str(order.side),
        "exchange": order.instrument.exchange,
        "symboltoken": order.instrument.token,
        "ordertag": order.tag,
        "lotsize": str(order.instrument.lot),
        "cancelsize": str(order.cancelled_quantity),
        "averageprice": number(order.average_price),
        "filledshares": str(order.filled_quantity),
        "unfilledshares": str(order.pending_quantity),
        "orderid": order.order_id,
        "text": order.message,
        # A changed order says "modified" here, and where it stands in ``orderstatus``.
        "status": "modified" if is_modified and word in ("open", "trigger pending") else word,
        "orderstatus": word,
        "updatetime": at,
        "exchtime": at if is_told else "",
        "exchorderupdatetime": at if is_told else "",
        "fillid": "",
        "filltime": "",
        "parentorderid": "",
        "uniqueorderid": unique_id(order.order_id),
        "exchangeorderid": order.exchange_order_id,
    }


def trade_row(trade: SimTrade) -> Row:
    """Return a fill's row; it has no number of the instrument, and its time has no day."""
    return {
        "exchange": trade.instrument.exchange,
        "producttype": PRODUCTS.get(trade.product, str(trade.product)),
        **_instrument(trade.instrument),
        "symbolgroup": "EQ",
        "marketlot": str(trade.instrument.lot),
        "precision": "2",
        "multiplier": "-1",
        "tradevalue": f"{trade.price * trade.quantity:.2f}",
        "transactiontype": str(trade.side),
        "fillprice": f"{trade.price:.2f}",
        "fillsize": str(trade.quantity),
        "orderid": trade.order_id,
        "fillid": trade.exchange_trade_id,
        "filltime": f"{trade.traded_at.astimezone(IST):%H:%M:%S}",
    }


def position_row(position: SimPosition) -> Row:
    """Return a position's row: texts alone, a negative amount with a space after its sign."""
    buy_average = _per_share(position.buy_value, position.buy_quantity)
    sell_average = _per_share(position.sell_value, position.sell_quantity)
    carried = position.carried_quantity
    is_long, is_short = position.quantity > 0, position.quantity < 0
    net_value = position.sell_value - position.buy_value
    return {
        "exchange": position.instrument.exchange,
        "symboltoken": position.instrument.token,
        "producttype": PRODUCTS.get(position.product, str(position.product)),
        **_instrument(position.instrument),
        "symbolname": position.instrument.name,
        "priceden": "1",
        "pricenum": "1",
        "genden": "1",
        "gennum": "1",
        "precision": "2",
        "multiplier": "-1",
        "boardlotsize": str(position.instrument.lot),
        "buyqty": str(position.buy_quantity),
        "sellqty": str(position.sell_quantity),
        "buyamount": amount(position.buy_value),
        "sellamount": amount(position.sell_value),
        "symbolgroup": "EQ",
        "lotsize": str(position.instrument.lot),
        "cfbuyqty": str(max(carried, 0)),
        "cfsellqty": str(max(-carried, 0)),
        "cfbuyamount": "0.0",
        "cfsellamount": "0.0",
        "buyavgprice": amount(buy_average),
        "sellavgprice": amount(sell_average),
        "avgnetprice": amount(position.average_price),
        "netvalue": amount(net_value),
        "netqty": str(position.quantity),
        "totalbuyvalue": amount(position.buy_value),
        "totalsellvalue": amount(position.sell_value),
        "totalbuyavgprice": amount(position.average_price if is_long else buy_average),
        "totalsellavgprice": amount(position.average_price if is_short else sell_average),
        "netprice": amount(position.average_price),
        "ltp": amount(position.last_price),
        "pnl": amount(position.realized + position.unrealized),
        "realised": amount(position.realized),
        "unrealised": amount(position.unrealized),
    }


def holding_row(holding: SimHolding, *, authorised: int) -> Row:
    """Return a holding's row: numbers alone, and a null."""
    quantity = holding.quantity + holding.t1_quantity
    profit = (holding.last_price - holding.average_price) * quantity
    return {
        "tradingsymbol": symbol_of(holding.instrument),
        "exchange": holding.instrument.exchange,
        "isin": holding.instrument.isin,
        "t1quantity": holding.t1_quantity,
        "realisedquantity": holding.quantity,
        "quantity": quantity,
        "authorisedquantity": authorised,
        "product": "DELIVERY",
        "collateralquantity": None,
        "collateraltype": None,
        "haircut": 0.0,
        "averageprice": number(holding.average_price),
        "ltp": number(holding.last_price),
        "symboltoken": holding.instrument.token,
        "close": number(holding.close),
        "profitandloss": number(profit),
        "pnlpercentage": 0.0,
    }


def funds_row(funds: SimFunds) -> Row:
    """Return the RMS limits: texts with four places, and nulls."""
    return {
        "net": f"{funds.available:.4f}",
        "availablecash": f"{funds.cash:.4f}",
        "availableintradaypayin": "0.0000",
        "availablelimitmargin": "0.0000",
        "collateral": "0.0000",
        "m2munrealized": f"{funds.unrealized:.4f}",
        "m2mrealized": f"{funds.realized:.4f}",
        "utiliseddebits": f"{funds.used:.4f}",
        "utilisedspan": None,
        "utilisedoptionpremium": None,
        "utilisedholdingsales": None,
        "utilisedexposure": None,
        "utilisedturnover": None,
        "utilisedpayout": "0.0000",
    }


def moment(at: datetime) -> str:
    return f"{at.astimezone(IST):%d-%b-%Y %H:%M:%S}"


def number(value: Decimal | None) -> float:
    return float(value or 0)


def amount(value: Decimal) -> str:
    return f"- {-value:.2f}" if value < 0 else f"{value:.2f}"


def _instrument(instrument: SimInstrument) -> Row:
    return {
        "tradingsymbol": symbol_of(instrument),
        "instrumenttype": instrument_type(instrument),
        "strikeprice": -1.0 if instrument.strike is None else float(instrument.strike),
        "optiontype": str(instrument.kind) if instrument.kind.is_option else "",
        "expirydate": expiry_of(instrument),
    }


def _per_share(value: Decimal, quantity: int) -> Decimal:
    return value / quantity if quantity else Decimal(0)
