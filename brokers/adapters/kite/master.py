"""Where Kite's instrument list is: one CSV of every exchange, made anew each morning by 08:30."""

from collections.abc import Mapping
from datetime import time

from brokers.adapters.kite.places import BROKER_NAME, REST
from brokers.endpoints import root_of

KIND = "kite_master"
EXCHANGE = "NSE"
READY_AT = time(8, 30)
NEEDS_SESSION = False


def address(secrets: Mapping[str, str]) -> str:
    """Return the list of every exchange, the same for everybody."""
    return f"{root_of(BROKER_NAME, real=REST)}/instruments"


def headers(secrets: Mapping[str, str]) -> dict[str, str]:
    """Return what may be sent along; the list is given without a session too."""
    version = {"X-Kite-Version": "3"}
    if not secrets.get("access_token"):
        return version
    pair = f"{secrets.get('api_key', '')}:{secrets['access_token']}"
    return {**version, "Authorization": f"token {pair}"}
