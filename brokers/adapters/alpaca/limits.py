"""How many calls Alpaca takes, for each account."""

from datetime import date

from brokers.limits import EndpointRule, Limit
from brokers.limits import endpoint_of as find_endpoint

_DOCS = "alpaca.markets/support/usage-limit-api-calls: 200 a minute and account"
_DATA_DOCS = "alpaca.markets/data: 200 a minute with the free plan"
_SINCE = date(2021, 1, 1)

# Reads and orders share one figure, so all of trading is one class; reads fill a part of it only.
RULES = (
    EndpointRule("market-data", "GET", r"/v2/stocks/.*"),
    EndpointRule("orders", "*", r"/v2/.*"),
)
CANCELS = (EndpointRule("orders", "DELETE", r"/v2/orders/[^/]+"),)
SHARED = ("orders",)
LIMITS = (
    Limit("orders", 200, 60, _SINCE, _DOCS),
    Limit("market-data", 200, 60, _SINCE, _DATA_DOCS),
)


def endpoint_of(method: str, path: str) -> str:
    return find_endpoint(RULES, method=method, path=path)
