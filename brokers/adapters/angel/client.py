"""smartapi-python over our transport: its routes and parameters, none of its manners.

The SDK's class is used without its constructor, which opens a log file in the current directory
(where a failed login leaves the PIN and the code), and without its way of calling, which follows
redirects on writes, loses the HTTP status and logs every header of a call that failed.
"""

import json
import logging
from importlib import import_module
from typing import Any
from urllib.parse import quote, urljoin

import requests

from brokers.adapters.angel.envelope import EnvelopeUnreadable, read_object
from brokers.endpoints import root_of
from brokers.transport import Transport

ROOT = "https://apiconnect.angelone.in"
_ADDRESS_LOOKUP = "https://api.ipify.org"
_WRITES = frozenset({"POST", "PUT"})


def _import_sdk() -> Any:
    """Import the SDK without its two habits: a call to the outside, and lines on standard error."""
    # Its logger would print and file headers, PIN and codes: it never says anything again. By its
    # level: a logger that is merely disabled is enabled by whoever configures logging later.
    import_module("logzero").logger.setLevel(logging.CRITICAL + 1)
    real = requests.get

    def get_offline(url: str, **asked: Any) -> requests.Response:
        if url == _ADDRESS_LOOKUP:
            raise OSError("the SDK asks for its address at import; nobody uses the answer")
        return real(url, **asked)

    requests.get = get_offline  # type: ignore[assignment]
    try:
        return import_module("SmartApi.smartConnect").SmartConnect
    finally:
        requests.get = real


_SmartConnect = _import_sdk()


class AngelClient(_SmartConnect):  # type: ignore[misc,valid-type]
    """One session at SmartAPI; ``transport.last`` is the exchange of the call just made.

    Every call returns the answer as it came, refusals too.

    :raises NotSent: when the call never left.
    :raises NoAnswer: when it may have arrived and no answer came.
    :raises EnvelopeUnreadable: when the answer is not a JSON object.
    """

    def __init__(
        self, api_key: str, *, transport: Transport, jwt: str = "", public_ip: str = ""
    ) -> None:
        self.transport = transport
        self.root = root_of("angel", real=ROOT)
        self.api_key = self.privateKey = api_key
        self.access_token = jwt or None
        self.refresh_token = ""
        self.feed_token = self.userId = None
        self.debug = self.disable_ssl = False
        # The SDK sends the address of somebody else's machine.
        self.clientPublicIp = public_ip or "127.0.0.1"

    def log_in(self, client_code: str, *, pin: str, code: str) -> dict[str, Any]:
        """Make the login's one call; the SDK's own reads the profile too and hides refusals."""
        return self._request(
            "api.login", "POST", {"clientcode": client_code, "password": pin, "totp": code}
        )

    def place(self, params: dict[str, Any]) -> dict[str, Any]:
        """Place an order; the SDK's own ways return None, or trip over an answer's odd data."""
        return self._request("api.order.placefullresponse", "POST", params)

    def create_rule(self, params: dict[str, Any]) -> dict[str, Any]:
        """Create a GTT rule; the SDK's own raises TypeError when the broker refuses."""
        return self._request("api.gtt.create", "POST", params)

    def modify_rule(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._request("api.gtt.modify", "POST", params)

    def searchScrip(self, exchange: str, searchscrip: str) -> dict[str, Any]:
        """Search symbols; the SDK's own prints what it found and trips over a refused login."""
        asked = {"exchange": exchange, "searchscrip": searchscrip}
        return self._request("api.search.scrip", "POST", asked)

    def individual_order_details(self, qParam: str) -> dict[str, Any]:
        """Read one order; the SDK's own calls the real broker wherever it was told to call."""
        route = self._routes["api.individual.order.details"]
        return self._call("GET", route + quote(qParam, safe=""), {})

    def _request(
        self, route: str, method: str, parameters: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        return self._call(method, self._routes[route], parameters or {})

    def _call(self, method: str, path: str, parameters: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(parameters)
        headers = self.requestHeaders()
        if self.access_token:
            headers["Authorization"] = f"Bearer {self.access_token}"
        response = self.transport.request(
            method,
            urljoin(self.root, path),
            data=body if method in _WRITES else None,
            params=None if method in _WRITES else body,
            headers=headers,
        )
        return read_object(response.content)


__all__ = ["ROOT", "AngelClient", "EnvelopeUnreadable"]
