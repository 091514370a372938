"""The control API under ``/_sim/``: what a test or a person does to the simulator from outside.

JSON in, JSON out, no authentication: it exists on the simulator alone.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from brokers.simulator.exchange import (
    Refusal,
    Session,
    SimOrderRequest,
    SimulatedBroker,
    UnknownInstrument,
)
from brokers.simulator.faults import Faults, UnknownFault
from brokers.simulator.market import DEFAULT_VOLUME, TickDetails
from brokers.terms import OrderType, Product, Side, Validity

_Body = Mapping[str, object]
_Answer = Callable[[Request, _Body], object]


def control_routes() -> list[Mount]:
    """Return the routes; they find the broker and the faults in ``app.state``."""
    return [
        Mount(
            "/_sim",
            routes=[
                Route("/faults", _route(_faults), methods=["GET"]),
                Route("/faults", _route(_arm), methods=["POST"]),
                Route("/faults", _route(_clear), methods=["DELETE"]),
                Route("/tick", _route(_tick), methods=["POST"]),
                Route("/advance", _route(_advance), methods=["POST"]),
                Route("/orders", _route(_external_order), methods=["POST"]),
                Route("/holdings", _route(_holding), methods=["POST"]),
                Route("/cash", _route(_cash), methods=["POST"]),
                Route("/expire_tokens", _route(_expire_tokens), methods=["POST"]),
                Route("/limits", _route(_limits), methods=["POST"]),
                Route("/session", _route(_session), methods=["POST"]),
                Route("/next_day", _route(_next_day), methods=["POST"]),
                Route("/reset", _route(_reset), methods=["POST"]),
                Route("/state", _route(_state), methods=["GET"]),
                Route("/requests", _route(_requests), methods=["GET"]),
            ],
        )
    ]


def _route(answer: _Answer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            body = await request.body()
            return JSONResponse(_plain(answer(request, json.loads(body or b"{}"))))
        except KeyError as error:
            return _bad(f"{error.args[0]} is missing")
        except (UnknownFault, UnknownInstrument, ValueError, InvalidOperation) as error:
            return _bad(str(error))

    return endpoint


def _bad(words: str) -> Response:
    return JSONResponse({"error": words}, 400)


def _broker(request: Request) -> SimulatedBroker:
    broker: SimulatedBroker = request.app.state.broker
    return broker


def _armed(request: Request) -> Faults:
    faults: Faults = request.app.state.faults
    return faults


def _faults(request: Request, _: _Body) -> object:
    return _armed(request).armed()


def _arm(request: Request, body: _Body) -> object:
    seconds, times, amount = body.get("seconds"), body.get("times"), body.get("amount")
    return _armed(request).arm(
        str(body["name"]),
        times=None if times is None else int(str(times)),
        match=str(body.get("match", "*")),
        seconds=None if seconds is None else float(str(seconds)),
        amount=None if amount is None else int(str(amount)),
    )


def _clear(request: Request, body: _Body) -> object:
    name = body.get("name")
    _armed(request).clear(None if name is None else str(name))
    return _armed(request).armed()


def _tick(request: Request, body: _Body) -> object:
    broker, token = _broker(request), str(body["token"])
    details = TickDetails(
        volume=int(str(body.get("volume", DEFAULT_VOLUME))),
        bid=_decimal(body.get("bid")),
        ask=_decimal(body.get("ask")),
        bid_quantity=int(str(body.get("bid_quantity", 0))),
        ask_quantity=int(str(body.get("ask_quantity", 0))),
    )
    broker.tick(token, Decimal(str(body["price"])), **details)
    return broker.quote(token)


def _advance(request: Request, _: _Body) -> object:
    _broker(request).advance()
    return {}


def _external_order(request: Request, body: _Body) -> object:
    order = SimOrderRequest(
        tag="",
        instrument_token=str(body["token"]),
        side=Side(str(body["side"])),
        quantity=int(str(body["quantity"])),
        order_type=OrderType(str(body.get("order_type", "MARKET"))),
        product=Product(str(body["product"])),
        validity=Validity(str(body.get("validity", "DAY"))),
        price=_decimal(body.get("price")),
        trigger_price=_decimal(body.get("trigger_price")),
    )
    return _broker(request).place_external(str(body["client"]), order)


def _holding(request: Request, body: _Body) -> object:
    client = str(body["client"])
    average = Decimal(str(body["average"]))
    broker = _broker(request)
    broker.give_holding(client, str(body["token"]), int(str(body["quantity"])), average)
    return broker.holdings(client)


def _cash(request: Request, body: _Body) -> object:
    client = str(body["client"])
    _broker(request).give_cash(client, Decimal(str(body["amount"])))
    return _broker(request).funds(client)


def _expire_tokens(request: Request, body: _Body) -> object:
    client = body.get("client")
    request.app.state.dialect.expire_tokens(None if client is None else str(client))
    return {}


def _limits(request: Request, body: _Body) -> object:
    request.app.state.counter.is_enforced = bool(body["enforced"])
    return {"enforced": bool(body["enforced"])}


def _session(request: Request, body: _Body) -> object:
    _broker(request).set_session(Session(str(body["session"])))
    return {"session": str(_broker(request).session)}


def _next_day(request: Request, _: _Body) -> object:
    _broker(request).next_day()
    return {}


def begin_again(app: Starlette) -> None:
    """Forget every account, price, login, standing order, fault and request, and hang up."""
    app.state.faults.clear()
    app.state.broker.reset()
    app.state.dialect.forget()
    app.state.requests.clear()
    app.state.counter.reset()


def _reset(request: Request, _: _Body) -> object:
    begin_again(request.app)
    return {}


def _state(request: Request, _: _Body) -> object:
    broker = _broker(request)
    clients = {client: broker.snapshot(client) for client in broker.clients()}
    return {"session": str(broker.session), "clients": clients}


def _requests(request: Request, _: _Body) -> object:
    return request.app.state.requests.all(request.query_params.get("match", "*"))


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _plain(value: object) -> object:
    """Turn frozen records into what JSON can say: decimals and times become text."""
    if isinstance(value, Refusal):
        return {"refused": value.words, "code": value.code}
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, date | datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)
