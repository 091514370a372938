"""Where Dhan's instrument list is, and which importer reads it."""

from collections.abc import Mapping
from datetime import time

from brokers.endpoints import root_of

KIND = "dhan_master"
EXCHANGE = "NSE"
READY_AT = time(8, 0)
NEEDS_SESSION = False
FILES = "https://images.dhan.co"
PATH = "/api-data/api-scrip-master.csv"


def address(secrets: Mapping[str, str]) -> str:
    """Return the compact list: every exchange in one CSV file, without a login."""
    return root_of("dhan", real=FILES) + PATH


def headers(secrets: Mapping[str, str]) -> dict[str, str]:
    """Return nothing: anybody may fetch it."""
    return {}
