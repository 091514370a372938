"""What every endpoint of the simulated Alpaca needs, and how an endpoint is made of a function."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from brokers.simulator.alpaca.answers import AlpacaError, bad_form, unauthorized
from brokers.simulator.alpaca.chains import Chains
from brokers.simulator.exchange import SimulatedBroker
from brokers.simulator.faults import Faults
from brokers.simulator.instruments import SimInstrument

API_KEY = "PKDEMO0000000000SIM1"
API_SECRET = "alpaca-demo-secret"  # noqa: S105 - fixed, and worth nothing
CLIENT = "PA3SIM000001"


@dataclass(slots=True)
class AlpacaDesk:
    """The simulated Alpaca. Its keys are good until somebody deletes them."""

    broker: SimulatedBroker
    faults: Faults
    chains: Chains
    is_keyed: bool = True
    by_symbol: dict[str, SimInstrument] = field(default_factory=dict)

    def client_at(self, key: str, secret: str) -> str:
        """:raises AlpacaError: when the keys are not those of the demo, or were deleted."""
        if not self.is_keyed or (key, secret) != (API_KEY, API_SECRET):
            raise unauthorized()
        return CLIENT

    def client_of(self, request: Request) -> str:
        headers = request.headers
        return self.client_at(
            headers.get("apca-api-key-id", ""), headers.get("apca-api-secret-key", "")
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of somebody whose keys are good."""

    client: str
    request: Request
    body: bytes

    def part(self, name: str) -> str:
        return str(self.request.path_params[name])

    def query(self, name: str, default: str = "") -> str:
        return str(self.request.query_params.get(name, default))

    def json(self) -> Mapping[str, object]:
        """:raises AlpacaError: when the body is not a JSON object."""
        try:
            told = json.loads(self.body)
        except ValueError:
            raise bad_form("request body format is invalid") from None
        if not isinstance(told, dict):
            raise bad_form("request body format is invalid")
        return told


Answer = Callable[[AlpacaDesk, Asked], object]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(desk: AlpacaDesk, answer: Answer) -> Endpoint:
    """Make an endpoint for who has keys: what it returns is the body."""

    async def serve(request: Request) -> Response:
        try:
            client = desk.client_of(request)
            told = answer(desk, Asked(client, request, await request.body()))
        except AlpacaError as error:
            return error.response()
        return told if isinstance(told, Response) else JSONResponse(told)

    return serve
