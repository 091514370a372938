"""The house's requests in Angel One's words. Pure; numbers go as text, as SmartAPI wants them."""

from dataclasses import dataclass
from decimal import Decimal

from brokers.abilities import BracketRequest, ConvertRequest, TriggerRequest
from brokers.adapters.angel.capability import capabilities_on
from brokers.adapters.angel.words import ORDER_TYPES, PRODUCTS
from brokers.answers import not_sent
from brokers.capabilities import TriggerKind
from brokers.gateway import CancelRequest, InstrumentRef, ModifyRequest, PlaceRequest, Refused
from brokers.terms import OrderType, Product, Segment, Validity

Params = dict[str, object]
LONGEST_TAG = 20
BRACKET = "ROBO"
_CASH = (Segment.NSE_EQ, Segment.BSE_EQ)


@dataclass(frozen=True, slots=True)
class Sendable:
    """How an order's kind and prices leave; a market order has become a protected limit."""

    order_type: OrderType
    price: Decimal | None
    trigger_price: Decimal | None


def objection(request: PlaceRequest) -> Refused | None:
    """Return why an order is not sent at all, None when it may be."""
    return _refused(
        _unnumbered(request.instrument)
        or _untakeable(request.instrument, request.order_type, request.validity)
        or _unbought(request)
        or _unshaped(request)
    )


def change_objection(request: ModifyRequest) -> Refused | None:
    return _refused(
        _unnumbered(request.instrument)
        or _untakeable(request.instrument, request.order_type, request.validity)
        or (None if request.quantity > 0 else "The quantity must be above zero")
    )


def place_params(request: PlaceRequest, sendable: Sendable) -> Params:
    instrument = request.instrument
    params: Params = {
        "variety": variety_of(request.order_type, is_amo=request.is_amo),
        "tradingsymbol": instrument.broker_symbol,
        "symboltoken": instrument.token,
        "transactiontype": str(request.side),
        "exchange": exchange_of(instrument),
        "ordertype": ORDER_TYPES[sendable.order_type],
        "producttype": PRODUCTS[request.product],
        "duration": str(request.validity),
        "price": text_of(sendable.price),
        "triggerprice": text_of(sendable.trigger_price),
        "squareoff": "0",
        "stoploss": "0",
        "quantity": str(request.quantity),
        "disclosedquantity": str(request.disclosed_quantity),
        "ordertag": request.tag,
    }
    if instrument.segment in _CASH:
        # Without it an order in a share under surveillance waits for a consent nobody gives.
        params["scripconsent"] = "yes"
    return params


def bracket_params(request: BracketRequest) -> Params:
    """:raises ValueError: without a target or a limit, which ROBO wants."""
    entry = request.entry
    if request.target is None or entry.price is None:
        raise ValueError("Angel One's bracket order wants a limit price, a stop and a target")
    params = place_params(entry, Sendable(OrderType.LIMIT, entry.price, None))
    return params | {
        "variety": BRACKET,
        "producttype": PRODUCTS[Product.BO],
        "squareoff": text_of(abs(request.target - entry.price)),
        "stoploss": text_of(abs(entry.price - request.stop_loss)),
        "trailingStopLoss": text_of(request.trailing),
    }


def modify_params(request: ModifyRequest, sendable: Sendable, *, product: str) -> Params:
    """``product`` is Angel's word, as the order book tells it of this order."""
    instrument = request.instrument
    return {
        "variety": variety_of(request.order_type, is_amo=request.is_amo),
        "orderid": request.broker_order_id,
        "ordertype": ORDER_TYPES[sendable.order_type],
        "producttype": product,
        "duration": str(request.validity),
        "price": text_of(sendable.price),
        "triggerprice": text_of(sendable.trigger_price),
        "quantity": str(request.quantity),
        "tradingsymbol": instrument.broker_symbol,
        "symboltoken": instrument.token,
        "exchange": exchange_of(instrument),
    }


def cancel_variety(request: CancelRequest) -> str:
    return variety_of(request.order_type, is_amo=request.is_amo)


def margin_params(request: PlaceRequest, price: Decimal | None) -> Params:
    instrument = request.instrument
    position = {
        "exchange": exchange_of(instrument),
        "qty": request.quantity,
        # A float on the wire alone: its shortest form has the decimal's own digits.
        "price": float(price or 0),
        "productType": PRODUCTS[request.product],
        "token": instrument.token,
        "tradeType": str(request.side),
        "orderType": ORDER_TYPES[request.order_type],
    }
    return {"positions": [position]}


def convert_params(request: ConvertRequest, row: dict[str, object]) -> Params:
    """``row`` is the position as Angel tells it: most of it is wanted back."""
    echoed = {name: row.get(name, "") for name in _ECHOED}
    return echoed | {
        "exchange": exchange_of(request.instrument),
        "symboltoken": request.instrument.token,
        "oldproducttype": PRODUCTS[request.old_product],
        "newproducttype": PRODUCTS[request.new_product],
        "tradingsymbol": request.instrument.broker_symbol,
        "transactiontype": str(request.side),
        "quantity": request.quantity,
        "type": "DAY",
    }


def rule_objection(request: TriggerRequest) -> Refused | None:
    able = capabilities_on(request.instrument.segment)
    words = _unnumbered(request.instrument)
    if able is None or not able.triggers:
        words = "Angel One keeps triggers (GTT) for shares on NSE and BSE alone"
    elif request.kind is not TriggerKind.SINGLE or len(request.legs) != 1:
        words = "Angel One keeps triggers with one leg alone, no OCO"
    elif request.product not in (Product.CNC, Product.MTF):
        words = "Angel One keeps triggers for delivery (CNC) and margin (MTF) alone"
    return _refused(words)


def rule_params(request: TriggerRequest) -> Params:
    leg, instrument = request.legs[0], request.instrument
    return {
        "tradingsymbol": instrument.broker_symbol,
        "symboltoken": instrument.token,
        "exchange": exchange_of(instrument),
        "transactiontype": str(request.side),
        "producttype": PRODUCTS[request.product],
        "price": text_of(leg.price),
        "qty": str(leg.quantity),
        "triggerprice": text_of(leg.trigger_price),
        "disclosedqty": "0",
    }


def variety_of(order_type: OrderType, *, is_amo: bool) -> str:
    if is_amo:
        return "AMO"
    return "STOPLOSS" if order_type.needs_trigger else "NORMAL"


def exchange_of(instrument: InstrumentRef) -> str:
    return instrument.broker_exchange or instrument.exchange


def text_of(price: Decimal | None) -> str:
    return "0" if price is None else f"{price:f}"


def _unnumbered(instrument: InstrumentRef) -> str | None:
    if instrument.token and instrument.broker_symbol:
        return None
    return (
        f"Angel One's number of {instrument.trading_symbol} is not known: import its scrip master"
    )


def _untakeable(instrument: InstrumentRef, order_type: OrderType, validity: Validity) -> str | None:
    able = capabilities_on(instrument.segment)
    if able is None:
        return f"{instrument.trading_symbol} cannot be traded at Angel One"
    if order_type not in able.order_types:
        return f"{order_type.label} orders are not taken from algorithms by Angel One: use SL"
    if validity not in able.validities:
        return f"{validity.label} is not taken from algorithms by Angel One: use Day"
    return None


def _unbought(request: PlaceRequest) -> str | None:
    able = capabilities_on(request.instrument.segment)
    if able is not None and request.product not in able.products | able.brackets:
        return f"{request.product} is not a product of Angel One on {request.instrument.segment}"
    return None


def _unshaped(request: PlaceRequest) -> str | None:
    if request.quantity <= 0:
        return "The quantity must be above zero"
    if len(request.tag) > LONGEST_TAG:
        return f"A tag of more than {LONGEST_TAG} characters is refused by Angel One"
    return None


def _refused(words: str | None) -> Refused | None:
    return None if words is None else not_sent(words)


_ECHOED = (
    "symbolname",
    "instrumenttype",
    "priceden",
    "pricenum",
    "genden",
    "gennum",
    "precision",
    "multiplier",
    "boardlotsize",
    "buyqty",
    "sellqty",
    "buyamount",
    "sellamount",
)
