"""The SDK's own calls and sockets. Run apart, in a directory to spoil: prints JSON.

Given the addresses of a server of calls, of one that refuses, of a door and of a stranger's door.
"""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import requests

CALLS, REFUSING, DOOR, STRANGE = sys.argv[1:]
LOGIN = ("Bearer jwt-secret", "key-secret", "CODE", "feed-secret")
REAL = requests.get


def refuse(url: str, **_: object) -> requests.Response:
    raise OSError("no network here")


def tried(call: Callable[[], object]) -> str:
    """Return what came of a call: its value, or the name of what it raised."""
    try:
        return repr(call())
    except Exception as error:
        return type(error).__name__


requests.get = refuse  # type: ignore[assignment]
SmartConnect: Any = import_module("SmartApi.smartConnect").SmartConnect
Prices: Any = import_module("SmartApi.smartWebSocketV2").SmartWebSocketV2
Orders: Any = import_module("SmartApi.smartWebSocketOrderUpdate").SmartWebSocketOrderUpdate
requests.get = REAL

api = SmartConnect("key-secret", root=CALLS)
for read in (api.orderBook, api.tradeBook, api.position, api.holding, api.rmsLimit):
    read()
found: dict[str, object] = {
    "user": tried(api.getUserId),
    "searched": tried(lambda: api.searchScrip("NFO", "NIFTY")),
}
api.root = REFUSING
found["refused_search"] = tried(lambda: api.searchScrip("NFO", "NIFTY"))

let_in: list[str] = []
given_up: list[str] = []


def leave(name: str) -> Callable[[Any], None]:
    def left(app: Any) -> None:
        let_in.append(name)
        app.close()

    return left


# The pauses between two attempts are ten seconds long otherwise.
Orders.RETRY_DELAY_SECONDS = 0
for root, attempts in ((STRANGE, 0), (DOOR, 1)):
    Prices.ROOT_URI, Orders.WEBSOCKET_URI = f"{root}/prices", f"{root}/orders"
    prices = Prices(*LOGIN, max_retry_attempt=attempts, retry_delay=0)
    prices.on_error = lambda *told: given_up.append(str(told[0]))
    orders = Orders(*LOGIN)
    if root == STRANGE:
        prices.on_open, orders.on_open = leave("prices"), leave("orders")
        orders.MAX_CONNECTION_RETRY_ATTEMPTS = 0
    prices.connect()
    orders.connect()
print("RESULT " + json.dumps({**found, "let_in": let_in, "given_up": given_up}))
