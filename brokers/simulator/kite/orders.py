"""Kite's order endpoints: placing in every variety, changing, cancelling, the books."""

from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

from starlette.routing import Route

from brokers.simulator.exchange import OrderEvent, Refusal, SimEvent
from brokers.simulator.kite.answers import KiteError, bad_order
from brokers.simulator.kite.desk import Asked, KiteDesk, endpoint, refused
from brokers.simulator.kite.intake import changes_of, order_of
from brokers.simulator.kite.rows import history_rows, order_row, trade_row
from brokers.simulator.records import OrderState, SimOrder, SimOrderRequest
from brokers.terms import OrderType, Validity

MOST_SLICES = 10
_UNKNOWN_ORDER = "Couldn't find that `order_id`."


def order_routes(desk: KiteDesk) -> list[Route]:
    return [
        Route("/orders", endpoint(desk, _orders), methods=["GET"]),
        Route("/trades", endpoint(desk, _trades), methods=["GET"]),
        Route("/orders/{order_id}/trades", endpoint(desk, _order_trades), methods=["GET"]),
        Route("/orders/{order_id}", endpoint(desk, _history), methods=["GET"]),
        Route("/orders/{variety}", endpoint(desk, _place), methods=["POST"]),
        Route("/orders/{variety}/{order_id}", endpoint(desk, _modify), methods=["PUT"]),
        Route("/orders/{variety}/{order_id}", endpoint(desk, _cancel), methods=["DELETE"]),
    ]


def watch_covers(desk: KiteDesk) -> None:
    """Send the stop-loss of a cover order once its entry has filled."""

    def hear(event: SimEvent) -> None:
        if isinstance(event, OrderEvent) and _is_filled_entry(event.order):
            _send_stop(desk, event.order)

    desk.broker.subscribe(hear)


def _orders(desk: KiteDesk, asked: Asked) -> object:
    is_empty_by_error = desk.is_empty_by_error("orders")
    rows = [order_row(each) for each in desk.broker.orders(asked.client)]
    return None if is_empty_by_error else rows


def _trades(desk: KiteDesk, asked: Asked) -> object:
    is_empty_by_error = desk.is_empty_by_error("trades")
    rows = [trade_row(each) for each in desk.broker.trades(asked.client)]
    return None if is_empty_by_error else rows


def _order_trades(desk: KiteDesk, asked: Asked) -> object:
    trades = desk.broker.trades(asked.client, asked.part("order_id"))
    return [trade_row(each) for each in trades]


def _history(desk: KiteDesk, asked: Asked) -> object:
    history = desk.broker.history(asked.client, asked.part("order_id"))
    if not history:
        raise bad_order(_UNKNOWN_ORDER)
    return history_rows(history)


def _place(desk: KiteDesk, asked: Asked) -> object:
    request = order_of(desk, asked, asked.part("variety"))
    if request.variety == "co":
        request = _cover_entry(request, asked)
    instrument = desk.broker.instrument(request.instrument_token)
    most = instrument.freeze or 0
    if asked.form.get("autoslice") == "true" and most and request.quantity > most:
        return _slices(desk, asked, request, most // instrument.lot * instrument.lot)
    return {"order_id": _taken(desk.broker.place(asked.client, request)).order_id}


def _slices(desk: KiteDesk, asked: Asked, request: SimOrderRequest, most: int) -> object:
    """Place an order in parts; each is taken or refused on its own."""
    sizes = [most] * (request.quantity // most)
    sizes += [request.quantity % most] if request.quantity % most else []
    if len(sizes) > MOST_SLICES:
        raise bad_order(f"The order would need more than {MOST_SLICES} slices.")
    parent = str(uuid4().int)[:19]
    marks = " ".join([request.extra.get("marks", ""), "autoslice", f"autoslice:{parent}"])
    told: list[object] = []
    for size in sizes:
        part = replace(request, quantity=size, extra={**request.extra, "marks": marks})
        try:
            told.append({"order_id": _taken(desk.broker.place(asked.client, part)).order_id})
        except KiteError as error:
            words = {"code": error.status, "error_type": error.kind, "message": error.words}
            told.append({"error": {**words, "data": None}})
    return {"order_id": parent, "children": told}


def _modify(desk: KiteDesk, asked: Asked) -> object:
    order = _own(desk, asked)
    return {
        "order_id": _taken(
            desk.broker.modify(asked.client, order.order_id, changes_of(asked))
        ).order_id
    }


def _cancel(desk: KiteDesk, asked: Asked) -> object:
    order = _own(desk, asked)
    if order.variety == "co" and order.extra.get("parent_order_id"):
        return _exit_cover(desk, asked, order)
    return {"order_id": _taken(desk.broker.cancel(asked.client, order.order_id)).order_id}


def _own(desk: KiteDesk, asked: Asked) -> SimOrder:
    """Return the client's order; it must be named with its own variety."""
    order = desk.broker.order(asked.client, asked.part("order_id"))
    if order is None:
        raise bad_order(_UNKNOWN_ORDER)
    if (order.variety or "regular") != asked.part("variety"):
        raise bad_order(f"The order is not of the variety {asked.part('variety')}.")
    return order


def _taken(outcome: SimOrder | Refusal) -> SimOrder:
    if isinstance(outcome, Refusal):
        raise refused(outcome)
    return outcome


def _cover_entry(request: SimOrderRequest, asked: Asked) -> SimOrderRequest:
    stop = asked.needed("trigger_price")
    return replace(request, extra={**request.extra, "stop": stop})


def _is_filled_entry(order: SimOrder) -> bool:
    is_entry = order.variety == "co" and "stop" in order.extra
    return is_entry and order.state is OrderState.COMPLETE


def _send_stop(desk: KiteDesk, entry: SimOrder) -> None:
    stop = _exit_of(entry, entry.order_id)
    trigger = Decimal(entry.extra["stop"])
    desk.broker.place(entry.client, replace(stop, order_type=OrderType.SL_M, trigger_price=trigger))


def _exit_cover(desk: KiteDesk, asked: Asked, stop: SimOrder) -> object:
    """Leave a cover order: its stop goes, and the market takes its place."""
    parent = stop.extra["parent_order_id"]
    if asked.request.query_params.get("parent_order_id") != parent:
        raise bad_order("The `parent_order_id` of the cover order is missing.")
    _taken(desk.broker.cancel(asked.client, stop.order_id))
    request = replace(_exit_of(stop, parent), side=stop.side)
    return {"order_id": _taken(desk.broker.place(asked.client, request)).order_id}


def _exit_of(order: SimOrder, parent: str) -> SimOrderRequest:
    return SimOrderRequest(
        tag=order.tag,
        instrument_token=order.instrument.token,
        side=order.side.opposite,
        quantity=order.quantity,
        order_type=OrderType.MARKET,
        product=order.product,
        validity=Validity.DAY,
        variety="co",
        extra={"parent_order_id": parent},
    )
