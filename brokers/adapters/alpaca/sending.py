"""The house's requests as Alpaca's fields, and what is said against them before anything leaves."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from brokers.adapters.alpaca import words
from brokers.adapters.alpaca.chains import replacement_name
from brokers.adapters.alpaca.client import Fields
from brokers.adapters.alpaca.reports import PRODUCT
from brokers.gateway import InstrumentRef, ModifyRequest, PlaceRequest
from brokers.terms import OrderType, Segment, Side
from brokers.values import Row, number

LONGEST_TAG = 128


def objection(request: PlaceRequest) -> str | None:
    """Return why an order cannot be sent to Alpaca as it is, None where nothing is against it."""
    if not request.tag.isascii() or not 0 < len(request.tag) <= LONGEST_TAG:
        return "Without a tag of its own an order is never sent to Alpaca"
    if request.instrument.segment is not Segment.US_EQ:
        return f"Alpaca trades American shares here, not {request.instrument.key}"
    if request.product is not PRODUCT:
        return f"Alpaca holds everything as delivery ({PRODUCT}): it knows no {request.product}"
    if request.disclosed_quantity:
        return "Alpaca shows every order whole"
    return fraction_objection(request.quantity)


def fraction_objection(quantity: int | Decimal) -> str | None:
    if quantity != int(quantity):
        return f"{quantity} is not a number of whole shares: fractions are not sent from here"
    return None


def id_objection(broker_order_id: str) -> str | None:
    """Return why an id cannot be Alpaca's; the SDK would not send it either."""
    try:
        UUID(broker_order_id)
    except ValueError:
        return f"There is no order {broker_order_id[:40]} at Alpaca"
    return None


def change_objection(request: ModifyRequest, chain: Sequence[Row]) -> str | None:
    """Return why an order cannot be changed.

    A part that has filled stays with the old order, and Alpaca gives the new one the whole
    quantity again (github.com/alpacahq/Alpaca-API/issues/165): too much would be bought.
    """
    if any(number(row.get("filled_qty"), "filled_qty") for row in chain):
        return "A part of it has filled: cancel the rest and send a new order for it"
    if words.order_type_of(chain[-1]) is not request.order_type:
        return "Alpaca changes prices and quantities, not an order's type: cancel it and send anew"
    return fraction_objection(request.quantity)


def order_fields(request: PlaceRequest) -> Fields:
    """Return the fields of a new order; a sale may only close, so that nothing is sold short."""
    fields: dict[str, object] = {
        "symbol": symbol_of(request.instrument),
        "qty": str(request.quantity),
        "side": words.SIDE_WORDS[request.side],
        "type": words.TYPE_WORDS[request.order_type],
        "time_in_force": words.VALIDITY_WORDS[request.validity],
        "client_order_id": request.tag,
        **_prices(request.order_type, request.price, request.trigger_price),
    }
    if request.side is Side.SELL:
        fields["position_intent"] = "sell_to_close"
    return Fields(fields)


def change_fields(request: ModifyRequest, *, root: str, number: int) -> Fields:
    """Return the whole order anew; its name says whose change it is, and cannot be used twice."""
    return Fields(
        {
            "qty": str(request.quantity),
            "time_in_force": words.VALIDITY_WORDS[request.validity],
            "client_order_id": replacement_name(root, number),
            **_prices(request.order_type, request.price, request.trigger_price),
        }
    )


def symbol_of(instrument: InstrumentRef) -> str:
    return instrument.broker_symbol or instrument.trading_symbol


def _prices(
    order_type: OrderType, price: Decimal | None, trigger: Decimal | None
) -> dict[str, object]:
    """Send a price only where the type has one, in exact words."""
    fields: dict[str, object] = {}
    if order_type.needs_price and price is not None:
        fields["limit_price"] = f"{price:f}"
    if order_type.needs_trigger and trigger is not None:
        fields["stop_price"] = f"{trigger:f}"
    return fields
