"""dhanhq over our transport: its routes and payloads, none of its manners.

The SDK turns whatever happens into ``{'status': 'failure'}``: a timeout, a broken connection and
a refusal look alike there, the HTTP status is lost, an empty 202 is a failure, and the words of a
data error are dropped. Here every call returns an :class:`Answer` or raises what the transport
raises. Its context object, which swallows its own exceptions, is not used at all.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import quote

from dhanhq import DhanHTTP, dhanhq

from brokers.adapters.dhan.answers import Answer, read_answer
from brokers.endpoints import root_of
from brokers.transport import NoAnswer, Transport

API = "https://api.dhan.co"
AUTH = "https://auth.dhan.co"
VERSION = "/v2"


class DhanWay(DhanHTTP):  # type: ignore[misc]
    """The SDK's HTTP class with one method replaced: the one that calls."""

    def __init__(self, client_id: str, access_token: str, *, transport: Transport) -> None:
        super().__init__(client_id, access_token)
        self.session: Transport = transport
        self.base_url = root_of("dhan", real=API) + VERSION

    def _send_request(
        self,
        method: DhanHTTP.HttpMethods,
        endpoint: str,
        payload: Mapping[str, object] | None = None,
    ) -> Answer:
        """Call once, and leave the caller's payload as it was.

        :raises TransportError: when no answer came.
        """
        body = None
        if payload:
            # The SDK sends nulls for what an order does not have; a field left out says it plainly.
            told = {name: value for name, value in payload.items() if value is not None}
            body = json.dumps({**told, "dhanClientId": self.client_id}, default=_number)
        self.session.request(method.value, self.base_url + endpoint, data=body, headers=self.header)
        if self.session.last is None:
            raise NoAnswer("The call left no trace")
        return read_answer(self.session.last)


class DhanClient(dhanhq):  # type: ignore[misc]
    """One session at Dhan. Every call returns an :class:`Answer`, refusals too.

    :raises NotSent: when the call never left.
    :raises NoAnswer: when it may have arrived and no answer came.
    """

    def __init__(self, client_id: str, access_token: str, *, transport: Transport) -> None:
        self.way = DhanWay(client_id, access_token, transport=transport)
        self.client_id = client_id
        self.access_token = access_token
        super().__init__(self)

    def get_dhan_http(self) -> DhanWay:
        """Stand in for the SDK's context, of which its parts want nothing but this."""
        return self.way

    def profile(self) -> Answer:
        answer: Answer = self.way.get("/profile")
        return answer

    def forever_orders(self) -> Answer:
        """List forever orders; the SDK's route is not the one that Dhan's pages name."""
        answer: Answer = self.way.get("/forever/orders")
        if answer.exchange.status in (404, 405):
            answer = self.way.get("/forever/all")
        return answer

    def place_super(self, payload: Mapping[str, object]) -> Answer:
        """Place a super order; the SDK's own method insists on a price for a market entry."""
        answer: Answer = self.way.post("/super/orders", payload)
        return answer

    def generate_tpin(self) -> Answer:
        """Have the depository send its TPIN; the SDK's own method fails on the empty answer."""
        answer: Answer = self.way.get("/edis/tpin")
        return answer

    def edis_form(self, *, isin: str, quantity: int, exchange: str) -> Answer:
        """Ask for the depository's form; the SDK writes it into a file and opens a browser."""
        asked = {
            "isin": isin,
            "qty": quantity,
            "exchange": exchange,
            "segment": "EQ",
            "bulk": False,
        }
        answer: Answer = self.way.post("/edis/form", asked)
        return answer


def in_path(name: str) -> str:
    """Write an id so that it stays one part of a path, whatever is in it."""
    return quote(name, safe="")


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot be sent")
