"""Where Angel One's instrument list is: one JSON array, made anew each morning, without a login."""

from collections.abc import Mapping
from datetime import time

from brokers.endpoints import root_of

KIND = "angel_master"
EXCHANGE = "NSE"
READY_AT = time(8, 0)
NEEDS_SESSION = False
FILES = "https://margincalculator.angelbroking.com"
PATH = "/OpenAPI_File/files/OpenAPIScripMaster.json"


def address(secrets: Mapping[str, str]) -> str:
    """Return the list's address, the same for everybody."""
    return root_of("angel", real=FILES) + PATH


def headers(secrets: Mapping[str, str]) -> dict[str, str]:
    """Return nothing: anybody may fetch it."""
    return {}
