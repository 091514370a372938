"""Where Alpaca is. Its paper trading is another server with keys of its own, over the network."""

from collections.abc import Mapping
from enum import StrEnum

from brokers.endpoints import root_of, socket_root_of

BROKER_NAME = "alpaca"
DATA = "https://data.alpaca.markets"
DATA_STREAM = "wss://stream.data.alpaca.markets"


class Environment(StrEnum):
    """Whose money it is: pretended, at Alpaca's own paper trading, or real."""

    PAPER = "paper"
    LIVE = "live"


class DataFeed(StrEnum):
    """Whose prices: one exchange's, which cost nothing, or all exchanges'."""

    IEX = "iex"
    SIP = "sip"


_TRADING = {
    Environment.PAPER: "https://paper-api.alpaca.markets",
    Environment.LIVE: "https://api.alpaca.markets",
}


def environment_in(fields: Mapping[str, str]) -> Environment:
    """:raises ValueError: when it is neither paper nor live; real money is never assumed."""
    return Environment(fields.get("environment", "").strip().lower() or Environment.PAPER)


def feed_in(fields: Mapping[str, str]) -> DataFeed:
    """:raises ValueError: when there is no such feed."""
    return DataFeed(fields.get("feed", "").strip().lower() or DataFeed.IEX)


def trading_root(environment: Environment) -> str:
    return root_of(BROKER_NAME, real=_TRADING[environment])


def trading_socket(environment: Environment) -> str:
    real = _TRADING[environment].replace("https", "wss", 1)
    return f"{socket_root_of(BROKER_NAME, real=real)}/stream"


def data_root() -> str:
    return root_of(BROKER_NAME, real=DATA)


def data_socket(feed: DataFeed) -> str:
    return f"{socket_root_of(BROKER_NAME, real=DATA_STREAM)}/v2/{feed}"
