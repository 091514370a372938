"""The SDK's own price socket at an address: prints the first packet it reads as JSON."""

import json
import os
import sys
from importlib import import_module
from typing import Any

import requests

URL, JWT, API_KEY, CLIENT, FEED, TOKEN = sys.argv[1:]


def refuse(url: str, **_: object) -> requests.Response:
    raise OSError("no network here")


requests.get = refuse  # type: ignore[assignment]
SmartWebSocketV2: Any = import_module("SmartApi.smartWebSocketV2").SmartWebSocketV2

SmartWebSocketV2.ROOT_URI = URL
stream = SmartWebSocketV2(JWT, API_KEY, CLIENT, FEED)


def subscribe(_: object) -> None:
    stream.subscribe("abcde12345", 3, [{"exchangeType": 1, "tokens": [TOKEN]}])


def show(_: object, told: dict[str, object]) -> None:
    print("RESULT " + json.dumps(told), flush=True)
    os._exit(0)  # closing makes the SDK sleep ten seconds and connect again


stream.on_open = subscribe
stream.on_data = show
stream.connect()
