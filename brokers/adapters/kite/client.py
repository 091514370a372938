"""The official Kite client over our transport: its routes and its parsing, our manners."""

from typing import Any

import requests

from brokers.adapters.kite.places import BROKER_NAME, REST, SITE
from brokers.adapters.kite.sdk import KiteConnect, KiteException
from brokers.endpoints import root_of
from brokers.transport import STUMBLES, ExactTransport, Exchange, Manners

# What a call or the reading of its answer can end in.
FAILURES = (*STUMBLES, KiteException)


class KiteClient(KiteConnect):  # type: ignore[misc]
    """One session at Kite. ``last`` is the newest exchange: outcomes are judged by that alone."""

    _routes = {
        **KiteConnect._routes,
        "portfolio.holdings.authorise": "/portfolio/holdings/authorise",
    }

    def __init__(
        self, *, api_key: str, access_token: str = "", manners: Manners | None = None
    ) -> None:
        # The SDK's constructor opens a session of its own and silences urllib3's warnings for
        # the whole process: what it sets is set here instead.
        self.api_key = api_key
        self.access_token = access_token
        self.root = root_of(BROKER_NAME, real=REST)
        self.reqsession = ExactTransport(manners)
        self.debug = False  # it would log the Authorization header
        self.session_expiry_hook = None
        self.disable_ssl = False
        self.proxies: dict[str, str] = {}
        self.timeout = self._default_timeout

    @property
    def last(self) -> Exchange | None:
        last: Exchange | None = self.reqsession.last
        return last

    def forget_last(self) -> None:
        """Make sure that ``last`` can only belong to the call that follows."""
        self.reqsession.last = None

    def login_page(self, parameters: str) -> str:
        """Return where a person signs in; ``parameters`` come back with the answer."""
        root = root_of(BROKER_NAME, real=SITE)
        query = requests.compat.urlencode(
            {"v": self.kite_header_version, "api_key": self.api_key, "redirect_params": parameters}
        )
        return f"{root}/connect/login?{query}"

    def authorise_sale(self, isin: str, quantity: int) -> Any:
        """Ask for the sale of shares to be approved (eDIS), which the SDK has no method for."""
        fields = {"isin": isin, "quantity": quantity}
        return self._post("portfolio.holdings.authorise", params=fields)

    def sale_page(self, request_id: str) -> str:
        root = root_of(BROKER_NAME, real=SITE)
        return f"{root}/connect/portfolio/authorise/holdings/{self.api_key}/{request_id}"

    def _format_response(self, data: Any) -> Any:
        """Leave times as they were written: the SDK drops their zone and stumbles over null."""
        return data

    def _format_historical(self, data: Any) -> Any:
        return data["candles"]
