"""The simulated Kite: REST, login pages and ticker on one port."""

import re
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.kite.answers import KiteError, no_route, no_token, too_many, wrong_address
from brokers.simulator.kite.desk import KiteDesk
from brokers.simulator.kite.gtt import Triggers
from brokers.simulator.kite.listing import Listing
from brokers.simulator.kite.login import LoginPages
from brokers.simulator.kite.orders import order_routes, watch_covers
from brokers.simulator.kite.portfolio import portfolio_routes
from brokers.simulator.kite.quotes import quote_routes
from brokers.simulator.kite.sessions import API_KEY, API_SECRET, CLIENT, Sessions
from brokers.simulator.kite.ticker import Ticker
from brokers.simulator.wire import Dialect, Limit, Window, build_app
from brokers.venue import IST

DEMO_CREDENTIALS = {"API key": API_KEY, "API secret": API_SECRET, "Client ID": CLIENT}
_OPEN = re.compile(r"/connect/login|/session/token|/instruments(/[A-Z]+)?")
_PLACE = (
    Limit("place", Window.SECOND, 10),
    Limit("place", Window.MINUTE, 200),
    Limit("place", Window.DAY, 3000),
)
_CHANGE = (Limit("change", Window.SECOND, 10),)
_QUOTE = (Limit("quote", Window.SECOND, 1),)
_HISTORICAL = (Limit("historical", Window.SECOND, 3),)
_OTHER = (Limit("other", Window.SECOND, 10),)


def make_app(broker: SimulatedBroker, faults: Faults) -> Starlette:
    """Return the wire app; ``app.state.kite`` is the desk, for tests that look inside."""
    desk = KiteDesk(broker, faults, Listing(broker), Sessions(broker.clock))
    broker.use_order_ids(lambda number: f"{broker.clock().astimezone(IST):%y%m%d}{number:09d}")
    watch_covers(desk)
    ticker, triggers, pages = Ticker(desk), Triggers(desk), LoginPages(desk)

    app = build_app(
        routes=[
            *pages.routes(),
            *order_routes(desk),
            *portfolio_routes(desk),
            *quote_routes(desk),
            *triggers.routes(),
            ticker.route(),
            Route("/{path:path}", _nowhere, methods=["GET", "POST", "PUT", "DELETE"]),
        ],
        broker=broker,
        faults=faults,
        dialect=_dialect(desk, ticker),
    )
    app.state.kite = desk
    return app


def _dialect(desk: KiteDesk, ticker: Ticker) -> Dialect:
    def expire_tokens(client: str | None) -> None:
        desk.sessions.expire(client)
        ticker.hub.close_all(1008, "Token expired", client=client)

    return Dialect(
        rate_limited=lambda _: too_many().response(),
        expired_token=lambda _: no_token().response(),
        wrong_ip=lambda _: wrong_address().response(),
        limits=_limits,
        client_of=lambda request: _client_of(desk, request),
        is_order_write=_is_order_write,
        is_authenticated=lambda _method, path: _OPEN.fullmatch(path) is None,
        expire_tokens=expire_tokens,
        forget=desk.forget,
    )


async def _nowhere(request: Request) -> Response:
    return no_route().response()


def _client_of(desk: KiteDesk, request: Request) -> str:
    try:
        return desk.sessions.client_of(request.headers.get("authorization", ""))
    except KiteError:
        return ""


def _is_order_write(method: str, path: str) -> bool:
    """Tell what must come from a registered address: placing, changing and cancelling orders."""
    return method in ("POST", "PUT", "DELETE") and path.startswith("/orders/")


def _limits(method: str, path: str) -> Sequence[Limit]:
    if _is_order_write(method, path):
        return _PLACE if method == "POST" else _CHANGE
    if path.startswith("/quote"):
        return _QUOTE
    if path.startswith("/instruments/historical"):
        return _HISTORICAL
    return () if path.startswith("/connect/") else _OTHER
