"""What smartapi-python does by itself. Run apart, in a directory to spoil: prints JSON."""

import contextlib
import glob
import json
import sys
import warnings
from importlib import import_module
from typing import Any

import requests

ROOT = sys.argv[1]
ASKED: list[str] = []
REAL = requests.get


def spy(url: str, **_: object) -> requests.Response:
    ASKED.append(url)
    raise OSError("no network here")


def tried(call: object) -> str:
    """Return what came of a call: its value, or the name of what it raised."""
    try:
        return repr(call())  # type: ignore[operator]
    except Exception as error:
        return f"{type(error).__name__} {getattr(error, 'code', '')}".strip()


requests.get = spy  # type: ignore[assignment]
SmartConnect: Any = import_module("SmartApi.smartConnect").SmartConnect
SmartWebSocketV2: Any = import_module("SmartApi.smartWebSocketV2").SmartWebSocketV2

requests.get = REAL
filters_before = len(warnings.filters)
api = SmartConnect("KEY-SECRET", root=ROOT)
found = {
    "asked_at_import": ASKED,
    "filters_added": len(warnings.filters) - filters_before,
    "public_ip": api.requestHeaders()["X-ClientPublicIP"],
    "login": tried(lambda: api.generateSession("CODE", "9876", "112233")),
    "refused_order": tried(lambda: api.placeOrder({"tradingsymbol": "X"})),
    "odd_answer": tried(lambda: api.placeOrderFullResponse({"variety": "ODD"})),
    "rule": tried(lambda: api.gttCreateRule({"qty": "0"})),
    "redirected": tried(lambda: api.cancelOrder("1", "NORMAL")),
    "rate_limited": tried(api.orderBook),
}
SmartConnect._rootUrl = ROOT + "/elsewhere/"
found["details"] = tried(lambda: api.individual_order_details("U1"))
first = SmartWebSocketV2("a", "b", "c", "d")
with contextlib.suppress(Exception):
    first.subscribe("id", 1, [{"exchangeType": 1, "tokens": ["3045"]}])
second = SmartWebSocketV2("a", "b", "c", "d")
found["inherited"] = {str(key): value for key, value in second.input_request_dict.items()}


class Nowhere:
    """A connection that takes every frame."""

    def send(self, frame: str) -> None:
        return None


PRICES = [{"exchangeType": 1, "tokens": ["3045"]}]
heard: list[str] = []
third = SmartWebSocketV2("a", "b", "c", "d")
third.input_request_dict, third.wsapp = {}, Nowhere()
third.on_data = third.on_message = third.on_error = lambda *told: heard.append(str(told))
third._on_data(None, '{"errorCode": "E1002", "errorMessage": "Limit Exceeded"}', 1, True)
found["complaints_heard"] = heard
found["closed"] = tried(lambda: third._on_close(None, 1000, "bye"))
third.subscribe("id", 1, PRICES)
third.unsubscribe("id", 1, PRICES)
found["resubscribed"] = tried(third.resubscribe)
params = {"variety": "NORMAL", "squareoff": None}
api.placeOrder(params)
found["params_after"] = params
api.access_token = "the old one"
found["renewed"] = api.renewAccessToken()
found["token_after"] = api.access_token
found["logs"] = glob.glob("logs/*/app.log")
logged = ""
for path in found["logs"]:
    with open(path) as file:
        logged += file.read()
found["logged"] = logged
print("RESULT " + json.dumps(found))
