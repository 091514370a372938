"""The house's requests as Kite's fields, and what is said against them before anything leaves."""

from collections.abc import Mapping
from decimal import Decimal

from brokers.abilities import BracketRequest, ConvertRequest, TriggerRequest
from brokers.adapters.kite import words
from brokers.adapters.kite.sdk import KiteConnect
from brokers.capabilities import TriggerKind
from brokers.gateway import InstrumentRef, ModifyRequest, PlaceRequest
from brokers.terms import OrderType, Product, Validity

Fields = Mapping[str, object]

# Kite refuses market and stop-loss market orders without a protection; -1 lets it choose.
PROTECTION: int = KiteConnect.MARKET_PROTECTION_AUTO
LONGEST_TAG = 20
_OF_THEIR_OWN = (Product.CO, Product.BO)
_KINDS = {
    TriggerKind.SINGLE: KiteConnect.GTT_TYPE_SINGLE,
    TriggerKind.OCO: KiteConnect.GTT_TYPE_OCO,
}


def objection(request: PlaceRequest) -> str | None:
    """Return why an order cannot be sent to Kite as it is, None where nothing is against it."""
    tag = request.tag
    if not (tag.isascii() and tag.isalnum() and len(tag) <= LONGEST_TAG):
        return f"Kite takes tags of up to {LONGEST_TAG} letters and digits, not {tag!r}"
    if request.product in _OF_THEIR_OWN:
        return f"{request.product} is an order of its own kind at Kite, not a product"
    return unlisted(request.instrument)


def unlisted(instrument: InstrumentRef) -> str | None:
    if instrument.token:
        return None
    return f"Kite's instrument list does not have {instrument.trading_symbol}: refresh the list"


def bracket_objection(request: BracketRequest) -> str | None:
    if request.target is not None or request.trailing is not None:
        return "Kite has no bracket orders any more: a cover order has a stop-loss alone"
    if request.entry.order_type not in (OrderType.MARKET, OrderType.LIMIT):
        return "A cover order is entered at the market or at a limit"
    return objection(_entry(request))


def order_fields(request: PlaceRequest) -> Fields:
    """Return the fields of a new order, its variety among them."""
    return {
        "variety": variety_of(is_amo=request.is_amo),
        **_instrument(request.instrument),
        "transaction_type": str(request.side),
        "quantity": request.quantity,
        "product": str(request.product),
        "order_type": str(request.order_type),
        "validity": str(request.validity),
        "disclosed_quantity": request.disclosed_quantity or None,
        "tag": request.tag,
        **_prices(request.order_type, request.price, request.trigger_price),
    }


def bracket_fields(request: BracketRequest) -> Fields:
    """Return the fields of a cover order: an entry whose stop-loss Kite sends itself."""
    fields = order_fields(_entry(request))
    stop = {"trigger_price": _written(request.stop_loss), "product": str(Product.MIS)}
    return {**fields, "variety": words.COVER, **stop}


def change_fields(request: ModifyRequest) -> Fields:
    return {
        "quantity": request.quantity,
        "order_type": str(request.order_type),
        "validity": str(request.validity),
        **_prices(request.order_type, request.price, request.trigger_price),
    }


def convert_fields(request: ConvertRequest) -> Fields:
    return {
        **_instrument(request.instrument),
        "transaction_type": str(request.side),
        "position_type": "overnight" if request.is_overnight else "day",
        "quantity": request.quantity,
        "old_product": str(request.old_product),
        "new_product": str(request.new_product),
    }


def trigger_objection(request: TriggerRequest) -> str | None:
    wanted = 1 if request.kind is TriggerKind.SINGLE else 2
    if len(request.legs) != wanted:
        return f"A {request.kind} trigger has {wanted} prices, not {len(request.legs)}"
    if request.order_type is not OrderType.LIMIT:
        return "Kite's triggers send limit orders"
    return unlisted(request.instrument)


def trigger_fields(request: TriggerRequest) -> Fields:
    return {
        "trigger_type": _KINDS[request.kind],
        **_instrument(request.instrument),
        "trigger_values": [_bare(leg.trigger_price) for leg in request.legs],
        "last_price": _bare(request.last_price),
        "orders": [
            {
                "transaction_type": str(request.side),
                "quantity": leg.quantity,
                "order_type": str(request.order_type),
                "product": str(request.product),
                "price": _bare(leg.price),
            }
            for leg in request.legs
        ],
    }


def margin_fields(request: PlaceRequest) -> Fields:
    """Return the order as Kite's margin calculator wants it, in JSON."""
    return {
        **_instrument(request.instrument),
        "transaction_type": str(request.side),
        "variety": variety_of(is_amo=request.is_amo),
        "product": str(request.product),
        "order_type": str(request.order_type),
        "quantity": request.quantity,
        "price": _bare(request.price or Decimal(0)),
        "trigger_price": _bare(request.trigger_price or Decimal(0)),
    }


def variety_of(*, is_amo: bool) -> str:
    return words.AMO if is_amo else words.REGULAR


def _entry(request: BracketRequest) -> PlaceRequest:
    entry = request.entry
    return PlaceRequest(
        tag=entry.tag,
        instrument=entry.instrument,
        side=entry.side,
        quantity=entry.quantity,
        order_type=entry.order_type,
        product=Product.MIS,
        validity=Validity.DAY,
        price=entry.price,
    )


def _instrument(instrument: InstrumentRef) -> Fields:
    return {
        "exchange": instrument.broker_exchange or instrument.exchange,
        "tradingsymbol": instrument.broker_symbol or instrument.trading_symbol,
    }


def _prices(order_type: OrderType, price: Decimal | None, trigger: Decimal | None) -> Fields:
    """Send a price only where the type has one, and a protection only where it has none."""
    fields: dict[str, object] = {}
    if order_type.needs_price:
        fields["price"] = _written(price)
    else:
        fields["market_protection"] = PROTECTION
    if order_type.needs_trigger:
        fields["trigger_price"] = _written(trigger)
    return fields


def _written(price: Decimal | None) -> str | None:
    return None if price is None else f"{price:f}"


def _bare(price: Decimal) -> float:
    """Return a price as JSON writes one. Prices have few digits: they are written as they are."""
    return float(price)
