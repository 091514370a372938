"""How every call at the simulated Dhan begins and ends: whose it is, its body, its errors."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from brokers.simulator.dhan.listing import Listed
from brokers.simulator.exchange import SimulatedBroker

if TYPE_CHECKING:
    from brokers.simulator.dhan.house import House

_TYPES = {
    "DH-901": "Invalid_Authentication",
    "DH-904": "Rate_Limit",
    "DH-905": "Input_Exception",
    "DH-906": "Order_Error",
    "DH-907": "Data_Error",
    "DH-1111": "HOLDING_ERROR",
}
_DATA_PATHS = ("/v2/marketfeed/", "/v2/optionchain")
_NO_LOGIN = "Client ID or user generated access token is invalid or expired."


class Wrong(Exception):
    """A call that is answered with one of Dhan's errors."""

    def __init__(self, code: str, words: str, *, status: int = 400) -> None:
        super().__init__(words)
        self.response = failure(code, words, status=status)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of somebody who is logged in; ``body`` is {} where none was sent."""

    request: Request
    client: str
    body: dict[str, object]

    @property
    def house(self) -> "House":
        house: House = self.request.app.state.dhan
        return house

    @property
    def broker(self) -> SimulatedBroker:
        return self.house.broker

    def text(self, name: str) -> str:
        """:raises Wrong: when the field is missing."""
        value = self.body.get(name)
        if value is None or value == "":
            raise Wrong("DH-905", f"{name} is required")
        return str(value)

    def count(self, name: str) -> int:
        value = self.body.get(name) or 0
        if not isinstance(value, int):
            raise Wrong("DH-905", f"Invalid {name}")
        return value

    def price(self, name: str) -> Decimal | None:
        """Return a price, None for 0 or none."""
        try:
            return Decimal(str(self.body.get(name) or 0)) or None
        except InvalidOperation:
            raise Wrong("DH-905", f"Invalid {name}") from None

    def listed(self) -> Listed:
        """:raises Wrong: when Dhan has no such instrument there."""
        found = self.house.listing.find(self.text("exchangeSegment"), self.text("securityId"))
        if found is None:
            raise Wrong("DH-905", "Invalid SecurityId")
        return found


def route(answer: Callable[[Call], object]) -> Callable[[Request], Awaitable[Response]]:
    """Make an endpoint of a function that returns what is sent as JSON, or a response."""

    async def endpoint(request: Request) -> Response:
        session = request.app.state.dhan.tokens.session(request.headers.get("access-token", ""))
        if session is None:
            return no_login(request)
        if session.client in request.app.state.dhan.without_data and is_data(request):
            return data_failure(806, "Data APIs not Subscribed", status=403)
        try:
            call = Call(request, session.client, _body(await request.body()))
            told = answer(call)
        except Wrong as wrong:
            return wrong.response
        return told if isinstance(told, Response) else JSONResponse(told)

    return endpoint


def failure(code: str, words: str, *, status: int = 400) -> Response:
    """Word an error of the trading API."""
    told = {"errorType": _TYPES[code], "errorCode": code, "errorMessage": words}
    return JSONResponse(told, status)


def data_failure(code: int, words: str, *, status: int = 400) -> Response:
    """Word an error of the data API, which has another shape."""
    return JSONResponse({"data": {str(code): words}, "status": "failed"}, status)


def is_data(request: Request) -> bool:
    """Tell whether the call is the data API's, which words its errors otherwise."""
    return request.url.path.startswith(_DATA_PATHS)


def no_login(request: Request) -> Response:
    if is_data(request):
        return data_failure(807, "Access token is expired", status=401)
    return failure("DH-901", _NO_LOGIN, status=401)


def rate_limited(request: Request) -> Response:
    if is_data(request):
        return data_failure(805, "Too many requests", status=429)
    return failure("DH-904", "Too many requests on server from single user", status=429)


def wrong_ip(_: Request) -> Response:
    return failure("DH-905", "Invalid IP")


def nothing(status: int = 202) -> Response:
    """Answer with no body at all, as some of Dhan's writes do."""
    return Response(status_code=status)


def _body(raw: bytes) -> dict[str, object]:
    if not raw:
        return {}
    try:
        told = json.loads(raw)
    except ValueError:
        raise Wrong("DH-905", "Malformed request body") from None
    if not isinstance(told, dict):
        raise Wrong("DH-905", "Malformed request body")
    return told
