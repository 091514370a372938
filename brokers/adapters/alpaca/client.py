"""The official Alpaca client over our transport: its routes and its headers, our manners.

Left to itself the SDK waits for ever, and sends a POST again when a gateway answers 504 or 429,
although the order may have been taken. Its models refuse whole answers for one word that is new
to them, and write prices as floats: here rows stay as Alpaca wrote them.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from brokers.adapters.alpaca.endpoints import (
    DataFeed,
    Environment,
    data_root,
    environment_in,
    feed_in,
    trading_root,
)
from brokers.transport import STUMBLES, ExactTransport, Exchange, Manners

with warnings.catch_warnings():
    # Importing the SDK's client imports its stream too, which stands on a deprecated library and
    # says so. Our own sockets do not use it.
    warnings.simplefilter("ignore", DeprecationWarning)
    _trading = import_module("alpaca.trading.client")
    _exceptions = import_module("alpaca.common.exceptions")

TradingClient: Any = _trading.TradingClient
APIError: Any = _exceptions.APIError

# What a call or the reading of its answer can end in.
FAILURES = (*STUMBLES, APIError)


@dataclass(frozen=True, slots=True)
class Keys:
    """What a session of the house holds for Alpaca."""

    key: str
    secret: str
    environment: Environment
    feed: DataFeed

    def __repr__(self) -> str:
        return f"Keys({self.environment})"


def keys_in(fields: Mapping[str, str]) -> Keys:
    """:raises ValueError: when a key is missing, or the environment or the feed is unknown."""
    key, secret = fields.get("api_key", ""), fields.get("api_secret", "")
    if not key or not secret:
        raise ValueError("The keys for Alpaca are incomplete")
    return Keys(key, secret, environment_in(fields), feed_in(fields))


@dataclass(frozen=True, slots=True)
class Fields:
    """What the SDK takes for one of its request models: our fields, in exact words."""

    values: Mapping[str, object]

    def to_request_fields(self) -> dict[str, object]:
        return dict(self.values)


class AlpacaClient(TradingClient):  # type: ignore[misc]
    """One pair of keys at Alpaca. ``last`` is the newest exchange: outcomes are judged by it."""

    def __init__(self, keys: Keys, *, manners: Manners | None = None) -> None:
        super().__init__(
            api_key=keys.key,
            secret_key=keys.secret,
            raw_data=True,
            url_override=trading_root(keys.environment),
        )
        self.keys = keys
        self._session: Any = ExactTransport(manners)
        self._retry = 0
        self._retry_codes: list[int] = []

    @property
    def last(self) -> Exchange | None:
        last: Exchange | None = self._session.last
        return last

    def forget_last(self) -> None:
        """Make sure that ``last`` can only belong to the call that follows."""
        self._session.last = None

    def close(self) -> None:
        self._session.close()

    def market_data(self, path: str, asked: Mapping[str, object]) -> Any:
        """Ask the market-data service, which takes the same keys at another address."""
        return self._request("GET", path, dict(asked), base_url=data_root())
