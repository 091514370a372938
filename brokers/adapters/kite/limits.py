"""How many calls Kite takes, for each API key; orders for each account."""

from datetime import date

from brokers.limits import EndpointRule, Limit
from brokers.limits import endpoint_of as find_endpoint

_DOCS = "kite.trade/docs/connect/v3/exceptions, API rate limit"
_RULES_2026 = "kite.trade/forum/discussion/15912, as of 1 April 2026"
_SINCE = date(2021, 1, 1)
_ORDER = r"/orders/[^/]+"

RULES = (
    EndpointRule("place", "POST", _ORDER),
    EndpointRule("change", "PUT", _ORDER + "/[^/]+"),
    EndpointRule("change", "DELETE", _ORDER + "/[^/]+"),
    EndpointRule("quote", "GET", r"/quote(/ohlc|/ltp)?"),
    EndpointRule("historical", "GET", r"/instruments/historical/.*"),
)
CANCELS = (EndpointRule("change", "DELETE", _ORDER + "/[^/]+"),)
SHARED = ("place", "change")
LIMITS = (
    Limit("place", 10, 1, date(2026, 4, 1), _RULES_2026),
    Limit("place", 10, 1, _SINCE, _DOCS),
    Limit("place", 200, 60, _SINCE, _DOCS),
    Limit("place", 3000, 86_400, _SINCE, _DOCS),
    Limit("change", 10, 1, _SINCE, _DOCS),
    Limit("quote", 1, 1, _SINCE, _DOCS),
    Limit("historical", 3, 1, _SINCE, _DOCS),
    Limit("other", 10, 1, _SINCE, _DOCS),
)


def endpoint_of(method: str, path: str) -> str:
    return find_endpoint(RULES, method=method, path=path)
