"""The wire app: every SmartAPI endpoint that Pinnacle or the SDK calls, on one port."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute

from brokers.simulator.angel.accounts import AccountDesk
from brokers.simulator.angel.answers import (
    Body,
    Refuse,
    body_of,
    rate_limited,
    something_wrong,
    text,
    told,
)
from brokers.simulator.angel.limits import limits_of
from brokers.simulator.angel.orders import OrderDesk
from brokers.simulator.angel.prices import PriceDesk
from brokers.simulator.angel.rules import RuleDesk
from brokers.simulator.angel.sessions import API_KEY, PIN, TOTP_SECRET, Session, Sessions
from brokers.simulator.angel.sockets import MARKET, ORDERS, OrderStream, PriceStream
from brokers.simulator.angel.symbols import master_row
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.wire import Dialect, build_app

DEMO_CREDENTIALS = {
    "client_code": "D100 (any other makes another account)",
    "pin": PIN,
    "totp_secret": TOTP_SECRET,
    "api_key": API_KEY,
}
MASTER = "/OpenAPI_File/files/OpenAPIScripMaster.json"
_SECURE = "/rest/secure/angelbroking"
_USER = "/rest/auth/angelbroking/user/v1"
_GTT_WRITES = ("createRule", "modifyRule", "cancelRule")
_ORDER_WRITES = ("placeOrder", "modifyOrder", "cancelOrder")
_Act = Callable[[str, Body], object]
_Tell = Callable[[str], object]
_Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(broker: SimulatedBroker, faults: Faults, *, is_limited: bool = True) -> Starlette:
    """Return the app. Without ``is_limited`` nobody counts calls, for a clock that stands still."""
    sessions = Sessions(broker.clock)
    rules, accounts = RuleDesk(broker), AccountDesk(broker)
    prices = PriceStream(broker, sessions, faults)
    orders = OrderStream(sessions, faults)
    for listener in (prices.hear, orders.hear, rules.hear):
        broker.subscribe(listener)

    def expire(client: str | None) -> None:
        sessions.end(client)
        prices.close(client)
        orders.close(client)

    def forget() -> None:
        for each in (sessions, rules, accounts, prices, orders):
            each.forget()

    routes = [
        *_session_routes(sessions),
        *_order_routes(broker, sessions),
        *_account_routes(accounts, sessions),
        *_price_routes(broker, sessions),
        *_rule_routes(rules, sessions),
        Route(MASTER, _master(broker), methods=["GET"]),
        WebSocketRoute(f"/{MARKET}", prices.serve),
        WebSocketRoute(f"/{ORDERS}", orders.serve),
        Route("/{path:path}", _not_found, methods=["GET", "POST", "PUT", "DELETE"]),
    ]
    dialect = replace(_dialect(expire, sessions, is_limited=is_limited), forget=forget)
    app = build_app(routes=routes, broker=broker, faults=faults, dialect=dialect)
    app.state.rules = rules
    return app


def _dialect(
    expire: Callable[[str | None], None], sessions: Sessions, *, is_limited: bool
) -> Dialect:
    return Dialect(
        rate_limited=lambda _: rate_limited(),
        expired_token=lambda _: _refused("AG8002", "Token Expired"),
        wrong_ip=lambda _: _refused("AG7002", "Unregistered IP"),
        limits=limits_of if is_limited else lambda _method, _path: (),
        client_of=lambda request: _whose(request, sessions),
        is_order_write=lambda _, path: path.endswith(_ORDER_WRITES + _GTT_WRITES),
        is_authenticated=lambda _, path: "/rest/secure/" in path,
        expire_tokens=expire,
    )


def _whose(request: Request, sessions: Sessions) -> str:
    """Name whose limits a call counts against: its client's, and before a login its key's."""
    try:
        return sessions.of(request.headers).client
    except Refuse:
        return request.headers.get("x-privatekey", "")


def _session_routes(sessions: Sessions) -> list[BaseRoute]:
    async def log_in(request: Request) -> Response:
        return await _answered(request, lambda body: _tokens(sessions.log_in(body), body))

    async def renew(request: Request) -> Response:
        def renewed(body: Body) -> object:
            sessions.of(request.headers)
            return _tokens(sessions.renew(text(body, "refreshToken")), body)

        return await _answered(request, renewed)

    def log_out(client: str, _: Body) -> str:
        sessions.end(client)
        return ""

    return [
        Route(f"{_USER}/loginByPassword", log_in, methods=["POST"]),
        Route("/rest/auth/angelbroking/jwt/v1/generateTokens", renew, methods=["POST"]),
        _post(f"{_SECURE}/user/v1/logout", log_out, sessions),
    ]


def _order_routes(broker: SimulatedBroker, sessions: Sessions) -> list[BaseRoute]:
    desk, base = OrderDesk(broker), f"{_SECURE}/order/v1"

    async def details(request: Request) -> Response:
        unique = request.path_params["unique"]
        return await _answered(
            request, lambda _: desk.details(sessions.of(request.headers).client, unique)
        )

    return [
        _post(f"{base}/placeOrder", desk.place, sessions),
        _post(f"{base}/modifyOrder", desk.modify, sessions),
        _post(f"{base}/cancelOrder", desk.cancel, sessions),
        _get(f"{base}/getOrderBook", desk.book, sessions),
        _get(f"{base}/getTradeBook", desk.trades, sessions),
        Route(f"{base}/details/{{unique}}", details, methods=["GET"]),
    ]


def _account_routes(desk: AccountDesk, sessions: Sessions) -> list[BaseRoute]:
    return [
        _get(f"{_SECURE}/user/v1/getProfile", desk.profile, sessions),
        _get(f"{_SECURE}/user/v1/getRMS", desk.funds, sessions),
        _get(f"{_SECURE}/order/v1/getPosition", desk.positions, sessions),
        _get(f"{_SECURE}/portfolio/v1/getHolding", desk.holdings, sessions),
        _get(f"{_SECURE}/portfolio/v1/getAllHolding", desk.all_holdings, sessions),
        _post(f"{_SECURE}/order/v1/convertPosition", desk.convert, sessions),
        _post(f"{_SECURE}/margin/v1/batch", desk.margin, sessions),
        _post(f"{_SECURE}/edis/v1/verifyDis", desk.approve, sessions),
    ]


def _price_routes(broker: SimulatedBroker, sessions: Sessions) -> list[BaseRoute]:
    desk = PriceDesk(broker)
    return [
        _post(f"{_SECURE}/order/v1/getLtpData", desk.last_price, sessions),
        _post(f"{_SECURE}/order/v1/searchScrip", desk.search, sessions),
        _post(f"{_SECURE}/market/v1/quote", desk.quotes, sessions),
        _post(f"{_SECURE}/market/v1/quote/", desk.quotes, sessions),
        _post(f"{_SECURE}/historical/v1/getCandleData", desk.candles, sessions),
        _post(f"{_SECURE}/marketData/v1/optionGreek", desk.greeks, sessions),
    ]


def _rule_routes(rules: RuleDesk, sessions: Sessions) -> list[BaseRoute]:
    acts: dict[str, _Act] = {
        "createRule": rules.create,
        "modifyRule": rules.modify,
        "cancelRule": rules.cancel,
        "ruleDetails": rules.details,
        "ruleList": rules.listed,
    }
    # The SDK and the documentation disagree about the first part of the path: both work.
    return [
        _post(f"{before}{_SECURE}/gtt/v1/{name}", act, sessions)
        for before in ("", "/gtt-service")
        for name, act in acts.items()
    ]


def _post(path: str, act: _Act, sessions: Sessions) -> Route:
    async def endpoint(request: Request) -> Response:
        return await _answered(request, lambda body: act(sessions.of(request.headers).client, body))

    return Route(path, endpoint, methods=["POST"])


def _get(path: str, tell: _Tell, sessions: Sessions) -> Route:
    async def endpoint(request: Request) -> Response:
        # The SDK sends a JSON text as the query of every GET; nobody reads it.
        return await _answered(request, lambda _: tell(sessions.of(request.headers).client))

    return Route(path, endpoint, methods=["GET"])


async def _answered(request: Request, answer: Callable[[Body], object]) -> Response:
    raw = await request.body()

    def work() -> Response:
        try:
            return told(answer(body_of(raw)))
        except Refuse as refuse:
            return refuse.response()
        except (ValueError, ArithmeticError):
            return something_wrong().response()

    return await run_in_threadpool(work)


def _tokens(session: Session, body: Body) -> dict[str, str]:
    return {
        "jwtToken": session.jwt,
        "refreshToken": session.refresh,
        "feedToken": session.feed,
        "state": text(body, "state"),
    }


def _refused(code: str, words: str) -> Response:
    return Refuse(code, words, is_gateway=True).response()


def _master(broker: SimulatedBroker) -> _Endpoint:
    async def endpoint(_: Request) -> Response:
        async def written() -> AsyncIterator[str]:
            yield "["
            for number, instrument in enumerate(broker.instruments()):
                yield ("," if number else "") + json.dumps(master_row(instrument))
            yield "]"

        return StreamingResponse(written(), media_type="application/json")

    return endpoint


async def _not_found(request: Request) -> Response:
    return JSONResponse(
        {"status": 404, "error": "Not Found", "path": request.url.path}, status_code=404
    )


__all__: Sequence[str] = ["DEMO_CREDENTIALS", "make_app"]
