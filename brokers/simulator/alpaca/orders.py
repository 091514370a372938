"""Alpaca's order endpoints: placing, finding, replacing, cancelling one or all."""

from collections.abc import Iterator
from datetime import datetime

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from brokers.simulator.alpaca.answers import bad_form, no_order, refused, unprocessable
from brokers.simulator.alpaca.chains import CURRENT, Link
from brokers.simulator.alpaca.desk import AlpacaDesk, Asked, endpoint
from brokers.simulator.alpaca.intake import change_of, name_in, order_of
from brokers.simulator.alpaca.rows import OPEN_STATUSES, Row, order_row
from brokers.simulator.records import OrderState, Refusal, SimOrder

MOST, USUAL = 500, 50
_UNREPLACEABLE = (
    OrderState.RECEIVED,
    OrderState.VALIDATING,
    OrderState.OPEN_PENDING,
    OrderState.AMO_RECEIVED,
    OrderState.MODIFY_PENDING,
    OrderState.CANCEL_PENDING,
)


def order_routes(desk: AlpacaDesk) -> list[Route]:
    return [
        Route("/v2/orders", endpoint(desk, _place), methods=["POST"]),
        Route("/v2/orders", endpoint(desk, _list), methods=["GET"]),
        Route("/v2/orders", endpoint(desk, _cancel_all), methods=["DELETE"]),
        Route("/v2/orders:by_client_order_id", endpoint(desk, _by_name), methods=["GET"]),
        Route("/v2/orders/{order_id}", endpoint(desk, _one), methods=["GET"]),
        Route("/v2/orders/{order_id}", endpoint(desk, _replace), methods=["PATCH"]),
        Route("/v2/orders/{order_id}", endpoint(desk, _cancel), methods=["DELETE"]),
    ]


def _place(desk: AlpacaDesk, asked: Asked) -> Row:
    request = order_of(desk, asked.json())
    order = _taken(desk.broker.place(asked.client, request, unique_tags=True))
    return order_row(order, desk.chains.current(order))


def _list(desk: AlpacaDesk, asked: Asked) -> list[Row]:
    wanted = asked.query("status", "open")
    limit = int(asked.query("limit") or USUAL)
    if wanted not in ("open", "closed", "all") or not 1 <= limit <= MOST:
        raise unprocessable("invalid status or limit")
    rows = list(_rows(desk, asked, wanted))
    rows.sort(key=lambda row: str(row["submitted_at"]), reverse=asked.query("direction") != "asc")
    return rows[:limit]


def _rows(desk: AlpacaDesk, asked: Asked, wanted: str) -> Iterator[Row]:
    after, until = _moment(asked, "after"), _moment(asked, "until")
    symbols = [each for each in asked.query("symbols").split(",") if each]
    for order in desk.broker.orders(asked.client):
        for link in desk.chains.links(order):
            row = order_row(order, link)
            is_open = row["status"] in OPEN_STATUSES
            if wanted != "all" and is_open != (wanted == "open"):
                continue
            if (after and link.created_at <= after) or (until and link.created_at >= until):
                continue
            if not symbols or order.instrument.symbol in symbols:
                yield row


def _moment(asked: Asked, name: str) -> datetime | None:
    value = asked.query(name)
    try:
        return datetime.fromisoformat(value) if value else None
    except ValueError:
        raise unprocessable(f"invalid {name}") from None


def _one(desk: AlpacaDesk, asked: Asked) -> Row:
    link, order = _own(desk, asked)
    return order_row(order, link)


def _by_name(desk: AlpacaDesk, asked: Asked) -> Row:
    """Find an order by its client order id: of a replaced one, the original."""
    name = asked.query("client_order_id")
    link = desk.chains.named(name)
    order = desk.broker.order(asked.client, link.core_id) if link else None
    if link is None or order is None:
        raise no_order(name)
    return order_row(order, link)


def _replace(desk: AlpacaDesk, asked: Asked) -> Row:
    body = asked.json()
    link, order = _own(desk, asked)
    _check_working(link, order)
    if order.state in _UNREPLACEABLE:
        raise unprocessable(f"cannot replace order in {order_row(order, link)['status']} status")
    name = name_in(body)
    if name and desk.chains.named(name) is not None:
        raise bad_form("client_order_id must be unique")
    changes, terms = change_of(body, order, link)
    changed = _taken(desk.broker.modify(asked.client, order.order_id, changes))
    new = desk.chains.begin_change(link, terms, name, at=desk.broker.clock())
    newest = desk.broker.order(asked.client, order.order_id) or changed
    desk.chains.settle(order.order_id, newest)
    return order_row(newest, new)


def _cancel(desk: AlpacaDesk, asked: Asked) -> Response:
    link, order = _own(desk, asked)
    _check_working(link, order)
    _taken(desk.broker.cancel(asked.client, order.order_id))
    return Response(status_code=204)


def _cancel_all(desk: AlpacaDesk, asked: Asked) -> Response:
    """Ask for the cancel of everything; each order has a status of its own in the answer."""
    told: list[Row] = []
    for order in desk.broker.orders(asked.client):
        if not order.state.is_final:
            outcome = desk.broker.cancel(asked.client, order.order_id)
            status = 422 if isinstance(outcome, Refusal) else 200
            link = desk.chains.current(order)
            told.append({"id": link.wire_id, "status": status, "body": order_row(order, link)})
    return JSONResponse(told, 207)


def _own(desk: AlpacaDesk, asked: Asked) -> tuple[Link, SimOrder]:
    order_id = asked.part("order_id")
    link = desk.chains.find(order_id)
    order = desk.broker.order(asked.client, link.core_id) if link else None
    if link is None or order is None:
        raise no_order(order_id)
    return link, order


def _check_working(link: Link, order: SimOrder) -> None:
    status = str(order_row(order, link)["status"])
    if link.state != CURRENT or order.state.is_final:
        raise unprocessable(f'order is already in "{status}" state')


def _taken(outcome: SimOrder | Refusal) -> SimOrder:
    if isinstance(outcome, Refusal):
        raise refused(outcome)
    return outcome
