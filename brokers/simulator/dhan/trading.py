"""Placing, slicing, changing and cancelling at the simulated Dhan."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TypeVar

from starlette.responses import JSONResponse

from brokers.simulator.dhan import rows
from brokers.simulator.dhan.calls import Call, Wrong
from brokers.simulator.dhan.listing import Listed
from brokers.simulator.exchange import (
    OrderState,
    Refusal,
    SimChanges,
    SimOrder,
    SimOrderRequest,
)
from brokers.terms import OrderType, Side, Validity

_MOST_CHANGES = 25
_MOST_SLICES = 10
_PROTECTION = Decimal("0.02")
_Word = TypeVar("_Word")
_ORDER_TYPES = {word: ours for ours, word in rows.ORDER_TYPES.items()}
_PRODUCTS = {word: ours for ours, word in rows.PRODUCTS.items()}
_VALIDITIES = {"DAY": Validity.DAY, "IOC": Validity.IOC}
_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}


def place(call: Call) -> object:
    return answer_of(take(call, read_order(call)))


def place_sliced(call: Call) -> object:
    """Cut the order at the freeze quantity, in whole lots; each slice is an order of its own.

    Once a first slice is taken, one that is refused shows in the list alone.
    """
    asked, instrument = read_order(call), call.listed().instrument
    most = (instrument.freeze or asked.quantity) // instrument.lot * instrument.lot
    sizes = [most] * (asked.quantity // most)
    if asked.quantity % most:
        sizes.append(asked.quantity % most)
    if len(sizes) > _MOST_SLICES:
        raise Wrong("DH-906", f"More than {_MOST_SLICES} slices")
    told = [answer_of(take(call, replace(asked, quantity=sizes[0])))]
    for size in sizes[1:]:
        try:
            told.append(answer_of(take(call, replace(asked, quantity=size))))
        except Wrong as wrong:
            told.append(json.loads(bytes(wrong.response.body)))
    return told


def modify(call: Call) -> object:
    order = _own(call)
    house = call.house
    if house.changes.get(order.order_id, 0) >= _MOST_CHANGES:
        raise Wrong("DH-906", f"Maximum {_MOST_CHANGES} modifications per order reached")
    house.changes[order.order_id] = house.changes.get(order.order_id, 0) + 1
    order_type = _word(_ORDER_TYPES, call.text("orderType"), "orderType")
    changes = SimChanges(
        quantity=house.listing.of(order.instrument).units(call.count("quantity")) or None,
        order_type=order_type,
        validity=_word(_VALIDITIES, call.text("validity"), "validity"),
        price=call.price("price") if order_type.needs_price else None,
        trigger_price=call.price("triggerPrice") if order_type.needs_trigger else None,
    )
    changed = call.broker.modify(call.client, order.order_id, changes)
    if isinstance(changed, Refusal):
        raise Wrong("DH-906", changed.words)
    return answer_of(changed)


def cancel(call: Call) -> object:
    order = _own(call)
    cancelled = call.broker.cancel(call.client, order.order_id)
    if isinstance(cancelled, Refusal):
        raise Wrong("DH-906", cancelled.words)
    told = {"orderId": order.order_id, "orderStatus": "CANCELLED"}
    return JSONResponse(told, 202)


def read_order(call: Call) -> SimOrderRequest:
    """Read the body of an order.

    :raises Wrong: when a field is missing or is not one of Dhan's words.
    """
    if str(call.body.get("dhanClientId")) != call.client:
        raise Wrong("DH-905", "dhanClientId is required")
    listed = call.listed()
    order_type = _word(_ORDER_TYPES, call.text("orderType"), "orderType")
    quantity = listed.units(call.count("quantity"))
    if quantity <= 0:
        raise Wrong("DH-905", "Quantity must be greater than 0")
    side = _word(_SIDES, call.text("transactionType"), "transactionType")
    asked = SimOrderRequest(
        tag=str(call.body.get("correlationId") or ""),
        instrument_token=listed.instrument.token,
        side=side,
        quantity=quantity,
        order_type=order_type,
        product=_word(_PRODUCTS, call.text("productType"), "productType"),
        validity=_word(_VALIDITIES, str(call.body.get("validity") or "DAY"), "validity"),
        price=call.price("price"),
        trigger_price=call.price("triggerPrice"),
        disclosed=listed.units(call.count("disclosedQuantity")),
        is_amo=bool(call.body.get("afterMarketOrder")),
    )
    return protected(call, asked, listed) if order_type is OrderType.MARKET else asked


def protected(call: Call, asked: SimOrderRequest, listed: Listed) -> SimOrderRequest:
    """Make a limit order at a protected price of a market order, as Dhan does without a word."""
    quote = call.broker.quote(listed.instrument.token)
    tick = listed.instrument.tick
    if asked.side is Side.BUY:
        bound = min(quote.last_price * (1 + _PROTECTION), quote.upper_circuit)
        price = (bound / tick).to_integral_value(ROUND_FLOOR) * tick
    else:
        bound = max(quote.last_price * (1 - _PROTECTION), quote.lower_circuit)
        price = (bound / tick).to_integral_value(ROUND_CEILING) * tick
    return replace(asked, order_type=OrderType.LIMIT, price=price)


def take(call: Call, asked: SimOrderRequest) -> SimOrder:
    """Give the order to the exchange. What risk management holds against it shows in the book
    alone; whatever else is wrong is answered at once.

    :raises Wrong: when the order is refused at once.
    """
    taken = call.broker.place(call.client, asked)
    if isinstance(taken, Refusal) and taken.code.startswith("RMS:"):
        taken = call.broker.place(call.client, asked, reject_in_book=True)
    if isinstance(taken, Refusal):
        raise Wrong("DH-906", taken.words)
    return taken


def answer_of(order: SimOrder) -> rows.Row:
    """Return what a write is answered with; a refusal of the risk desk comes after it."""
    status = rows.status_of(order)
    is_refused = order.state is OrderState.REJECTED
    return {"orderId": order.order_id, "orderStatus": "TRANSIT" if is_refused else status}


def _own(call: Call) -> SimOrder:
    order = call.broker.order(call.client, call.request.path_params["order_id"])
    if order is None:
        raise Wrong("DH-906", "Incorrect request for order and cannot be processed")
    return order


def _word(known: Mapping[str, _Word], word: str, name: str) -> _Word:
    if word not in known:
        raise Wrong("DH-905", f"Invalid {name}")
    return known[word]
