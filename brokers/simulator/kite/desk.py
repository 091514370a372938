"""What every endpoint of the simulated Kite needs, and how an endpoint is made of a function."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from brokers.simulator.exchange import Refusal, SimulatedBroker
from brokers.simulator.faults import FaultName, Faults
from brokers.simulator.kite.answers import KiteError, bad_input, bad_order, success
from brokers.simulator.kite.listing import Listing
from brokers.simulator.kite.sessions import Sessions

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Conversion:
    """Part of a position that was moved from one product to another."""

    client: str
    token: str
    old: str
    new: str
    quantity: int


@dataclass(slots=True)
class KiteDesk:
    """The simulated Kite: the broker behind it and what is Kite's own."""

    broker: SimulatedBroker
    faults: Faults
    listing: Listing
    sessions: Sessions
    conversions: list[Conversion] = field(default_factory=list)
    forgetting: list[Callable[[], None]] = field(default_factory=list)

    def forget(self) -> None:
        """Begin again: nobody is logged in, nothing was converted, no trigger waits."""
        self.sessions.forget()
        self.conversions.clear()
        for forget in self.forgetting:
            forget()

    def is_empty_by_error(self, book: str) -> bool:
        """Tell whether a book answers null although there are rows; asked before reading it."""
        return self.faults.is_on(FaultName.EMPTY_BOOK, book)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of somebody who is logged in."""

    client: str
    request: Request
    body: bytes

    @property
    def form(self) -> Fields:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def part(self, name: str) -> str:
        return str(self.request.path_params[name])

    def needed(self, name: str) -> str:
        """:raises KiteError: when the form leaves the field out."""
        value = self.form.get(name, "")
        if not value:
            raise bad_input(f"Missing or empty field `{name}`")
        return value


Answer = Callable[[KiteDesk, Asked], object]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(desk: KiteDesk, answer: Answer) -> Endpoint:
    """Make an endpoint for the logged in: what it returns is the answer's data."""

    async def serve(request: Request) -> Response:
        try:
            client = desk.sessions.client_of(request.headers.get("authorization", ""))
            told = answer(desk, Asked(client, request, await request.body()))
        except KiteError as error:
            return error.response()
        return told if isinstance(told, Response) else success(told)

    return serve


def refused(refusal: Refusal) -> KiteError:
    """Word the broker's refusal as Kite does."""
    if refusal.needed is not None and refusal.available is not None:
        words = (
            f"Insufficient funds. Required margin is {refusal.needed:.2f} but available margin is"
            f" {refusal.available:.2f}. Check the orderbook for open orders."
        )
        return KiteError(400, "MarginException", words)
    if refusal.code == "RMS:HOLDINGS":
        return KiteError(400, "HoldingException", refusal.words)
    if refusal.code in ("OMS:NO_ORDER", "OMS:NOT_WORKING"):
        return bad_order(refusal.words)
    return bad_input(refusal.words)
