"""The simulated Alpaca: trading, market data and both websockets on one port."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brokers.simulator.alpaca.answers import (
    RATE_LIMIT,
    AlpacaError,
    no_route,
    too_many,
    unauthorized,
)
from brokers.simulator.alpaca.chains import Chains
from brokers.simulator.alpaca.desk import API_KEY, API_SECRET, CLIENT, AlpacaDesk
from brokers.simulator.alpaca.orders import order_routes
from brokers.simulator.alpaca.portfolio import portfolio_routes
from brokers.simulator.alpaca.prices import price_routes
from brokers.simulator.alpaca.sockets import OrderSocket, PriceSocket
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.wire import GOING_DOWN, Dialect, Limit, Window, build_app

DEMO_CREDENTIALS = {
    "API key ID": API_KEY,
    "Secret key": API_SECRET,
    "Environment": "paper",
    "Account": CLIENT,
}
_TRADING = (Limit("trading", Window.MINUTE, RATE_LIMIT),)
_DATA = (Limit("data", Window.MINUTE, RATE_LIMIT),)


def make_app(broker: SimulatedBroker, faults: Faults) -> Starlette:
    """Return the wire app; ``app.state.alpaca`` is the desk, for tests that look inside."""
    symbols = {each.symbol: each for each in broker.instruments()}
    desk = AlpacaDesk(broker, faults, Chains(broker), by_symbol=symbols)
    orders, prices = OrderSocket(desk), PriceSocket(desk)

    def expire_tokens(client: str | None) -> None:
        desk.is_keyed = False
        orders.hub.close_all(1008, "unauthorized")
        prices.hub.close_all(1008, "auth failed")

    def forget() -> None:
        desk.is_keyed = True
        desk.chains.forget()
        orders.hub.close_all(*GOING_DOWN)
        prices.hub.close_all(*GOING_DOWN)

    app = build_app(
        routes=[
            *order_routes(desk),
            *portfolio_routes(desk),
            *price_routes(desk),
            orders.route(),
            *prices.routes(),
            Route("/{path:path}", _nowhere, methods=["GET", "POST", "PATCH", "PUT", "DELETE"]),
        ],
        broker=broker,
        faults=faults,
        dialect=Dialect(
            rate_limited=lambda _: too_many(),
            expired_token=lambda _: unauthorized().response(),
            limits=_limits,
            client_of=lambda request: _client_of(desk, request),
            is_order_write=_is_order_write,
            expire_tokens=expire_tokens,
            forget=forget,
        ),
    )
    app.state.alpaca = desk
    return app


async def _nowhere(request: Request) -> Response:
    return no_route().response()


def _client_of(desk: AlpacaDesk, request: Request) -> str:
    try:
        return desk.client_of(request)
    except AlpacaError:
        return ""


def _is_order_write(method: str, path: str) -> bool:
    return method in ("POST", "PATCH", "DELETE") and path.startswith("/v2/orders")


def _limits(method: str, path: str) -> Sequence[Limit]:
    return _DATA if path.startswith("/v2/stocks") else _TRADING
