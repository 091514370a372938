"""Where Alpaca's list of assets is: one JSON array, which wants the account's keys."""

from collections.abc import Mapping
from datetime import time

from brokers.adapters.alpaca.endpoints import environment_in, trading_root

KIND = "alpaca_master"
EXCHANGE = "NYSE"
READY_AT = time(8, 0)
NEEDS_SESSION = True
PATH = "/v2/assets?status=active&asset_class=us_equity"


def address(secrets: Mapping[str, str]) -> str:
    """Return the list's address at the environment that the keys are for."""
    return f"{trading_root(environment_in(secrets))}{PATH}"


def headers(secrets: Mapping[str, str]) -> dict[str, str]:
    """Return what must be sent along: the keys of an open session."""
    return {
        "APCA-API-KEY-ID": secrets.get("api_key", ""),
        "APCA-API-SECRET-KEY": secrets.get("api_secret", ""),
    }
