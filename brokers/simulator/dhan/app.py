"""The simulated Dhan as one app: REST under /v2, logins, sockets and the scrip master."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from brokers.simulator.dhan import books, calls, prices, standing, tokens, trading
from brokers.simulator.dhan.calls import route
from brokers.simulator.dhan.house import House
from brokers.simulator.dhan.tokens import DEMO_CREDENTIALS
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.wire import Dialect, Limit, Window, build_app

__all__ = ["DEMO_CREDENTIALS", "make_app"]

_ORDERS = ("/v2/orders", "/v2/super/orders", "/v2/forever/orders")
_ORDER_LIMITS = (
    Limit("orders", Window.SECOND, 10),
    Limit("orders", Window.MINUTE, 250),
    Limit("orders", Window.HOUR, 1_000),
    Limit("orders", Window.DAY, 7_000),
)
_DATA_LIMITS = {
    "/v2/marketfeed/": (Limit("quote", Window.SECOND, 1),),
    "/v2/optionchain": (Limit("option_chain", Window.SECOND, 1),),
    "/v2/charts/": (Limit("data", Window.SECOND, 5), Limit("data", Window.DAY, 100_000)),
}
_OTHER_LIMITS = (Limit("non_trading", Window.SECOND, 20),)


def make_app(broker: SimulatedBroker, faults: Faults) -> Starlette:
    """Return the app. Order ids, tokens and standing orders live as long as it does."""
    house = House(broker, faults)
    dialect = Dialect(
        rate_limited=calls.rate_limited,
        expired_token=calls.no_login,
        wrong_ip=calls.wrong_ip,
        limits=_limits,
        client_of=lambda request: _client_of(request, house),
        is_order_write=_is_order_write,
        is_authenticated=lambda _method, path: path.startswith("/v2/"),
        expire_tokens=house.expire,
        forget=house.begin,
    )
    app = build_app(
        routes=[*_order_routes(), *_book_routes(), *_data_routes(), *_other_routes()],
        broker=broker,
        faults=faults,
        dialect=dialect,
    )
    app.state.dhan = house
    return app


def _order_routes() -> list[BaseRoute]:
    """Fixed names stand before the pattern that would take them for an order's id."""
    one = "/v2/orders/{order_id}"
    forever, super_order = "/v2/forever/orders", "/v2/super/orders"
    return [
        Route("/v2/orders", route(trading.place), methods=["POST"]),
        Route("/v2/orders", route(books.orders), methods=["GET"]),
        Route("/v2/orders/slicing", route(trading.place_sliced), methods=["POST"]),
        Route("/v2/orders/external/{tag}", route(books.order_by_tag), methods=["GET"]),
        Route(one, route(books.order), methods=["GET"]),
        Route(one, route(trading.modify), methods=["PUT"]),
        Route(one, route(trading.cancel), methods=["DELETE"]),
        Route(forever, route(standing.place_forever), methods=["POST"]),
        Route(forever, route(standing.forever_orders), methods=["GET"]),
        Route("/v2/forever/all", route(standing.forever_orders), methods=["GET"]),
        Route(forever + "/{order_id}", route(standing.modify_forever), methods=["PUT"]),
        Route(forever + "/{order_id}", route(standing.cancel_forever), methods=["DELETE"]),
        Route(super_order, route(standing.place_super), methods=["POST"]),
        Route(super_order, route(standing.super_orders), methods=["GET"]),
        Route(super_order + "/{order_id}", route(standing.modify_super), methods=["PUT"]),
        Route(super_order + "/{order_id}/{leg}", route(standing.cancel_super), methods=["DELETE"]),
    ]


def _book_routes() -> list[BaseRoute]:
    return [
        Route("/v2/trades", route(books.trades), methods=["GET"]),
        Route("/v2/trades/", route(books.trades), methods=["GET"]),
        Route("/v2/trades/{order_id}", route(books.trades), methods=["GET"]),
        Route("/v2/trades/{first}/{last}/{page}", route(books.nothing_listed), methods=["GET"]),
        Route("/v2/ledger", route(books.nothing_listed), methods=["GET"]),
        Route("/v2/positions", route(books.positions), methods=["GET"]),
        Route("/v2/positions", route(books.exit_all), methods=["DELETE"]),
        Route("/v2/positions/convert", route(books.convert), methods=["POST"]),
        Route("/v2/holdings", route(books.holdings), methods=["GET"]),
        Route("/v2/fundlimit", route(books.funds), methods=["GET"]),
        Route("/v2/margincalculator", route(books.margin), methods=["POST"]),
        Route("/v2/profile", route(books.profile), methods=["GET"]),
        Route("/v2/RenewToken", route(books.renew_token), methods=["GET"]),
        Route("/v2/killswitch", route(books.kill_switch), methods=["GET", "POST"]),
        Route("/v2/ip/getIP", route(books.addresses), methods=["GET"]),
        Route("/v2/ip/setIP", route(books.addresses), methods=["POST"]),
        Route("/v2/ip/modifyIP", route(books.addresses), methods=["PUT"]),
        Route("/v2/edis/tpin", route(books.tpin), methods=["GET"]),
        Route("/v2/edis/form", route(books.edis_form), methods=["POST"]),
        Route("/v2/edis/inquire/{isin}", route(books.edis_inquiry), methods=["GET"]),
    ]


def _data_routes() -> list[BaseRoute]:
    return [
        Route("/v2/marketfeed/{kind}", route(prices.quote), methods=["POST"]),
        Route("/v2/charts/historical", route(prices.daily), methods=["POST"]),
        Route("/v2/charts/intraday", route(prices.intraday), methods=["POST"]),
        Route("/v2/optionchain", route(prices.option_chain), methods=["POST"]),
        Route("/v2/optionchain/expirylist", route(prices.expiries), methods=["POST"]),
    ]


def _other_routes() -> list[BaseRoute]:
    everything = ["GET", "POST", "PUT", "DELETE"]
    return [
        Route("/app/generateAccessToken", tokens.generate_access_token, methods=["POST"]),
        Route("/app/generate-consent", tokens.generate_consent, methods=["POST"]),
        Route("/login/consentApp-login", tokens.sign_in, methods=["GET"]),
        Route("/app/consumeApp-consent", tokens.consume_consent, methods=["GET", "POST"]),
        Route("/api-data/api-scrip-master.csv", _master, methods=["GET"]),
        WebSocketRoute("/", _socket),
        Route("/{path:path}", _unknown, methods=everything),
    ]


async def _master(request: Request) -> Response:
    return StreamingResponse(request.app.state.dhan.listing.master(), media_type="text/csv")


async def _socket(socket: WebSocket) -> None:
    await socket.app.state.dhan.feeds.serve(socket)


async def _unknown(request: Request) -> Response:
    """Answer what Dhan's gateway answers where there is nothing: not its error shape."""
    told = {"status": 404, "error": "Not Found", "path": request.url.path}
    return JSONResponse(told, 404)


def _limits(method: str, path: str) -> tuple[Limit, ...]:
    if _is_order_write(method, path):
        return _ORDER_LIMITS
    for start, limits in _DATA_LIMITS.items():
        if path.startswith(start):
            return limits
    return _OTHER_LIMITS if path.startswith("/v2/") else ()


def _is_order_write(method: str, path: str) -> bool:
    return method != "GET" and path.startswith(_ORDERS)


def _client_of(request: Request, house: House) -> str:
    session = house.tokens.session(request.headers.get("access-token", ""))
    return session.client if session else ""
