"""How often Dhan may be called, as it published it."""

from datetime import date

from brokers.limits import EndpointRule, Limit

_SECOND, _MINUTE, _HOUR, _DAY = 1, 60, 3_600, 86_400
_DOCS = "dhanhq.co/docs/v2, rate limits"
_CUT = "madefortrade.in/t/61689: 25 orders a second became 10 on 21 March 2026"
_V2 = date(2024, 9, 1)

LIMITS = (
    Limit("orders", 25, _SECOND, _V2, _DOCS),
    Limit("orders", 10, _SECOND, date(2026, 3, 21), _CUT),
    Limit("orders", 250, _MINUTE, _V2, _DOCS),
    Limit("orders", 1_000, _HOUR, _V2, _DOCS),
    Limit("orders", 7_000, _DAY, _V2, _DOCS),
    Limit("data", 5, _SECOND, _V2, _DOCS),
    Limit("data", 100_000, _DAY, _V2, _DOCS),
    Limit("quote", 1, _SECOND, _V2, _DOCS),
    Limit("option_chain", 1, 3, _V2, _DOCS),
    Limit("non_trading", 20, _SECOND, _V2, _DOCS),
)

_ORDERS = r"(/v2)?/(orders|super/orders|forever/orders|alerts/orders)(/.*)?"
RULES = (
    EndpointRule("orders", "POST", _ORDERS),
    EndpointRule("orders", "PUT", _ORDERS),
    EndpointRule("orders", "DELETE", _ORDERS),
    EndpointRule("quote", "POST", r"(/v2)?/marketfeed/.*"),
    EndpointRule("option_chain", "POST", r"(/v2)?/optionchain(/.*)?"),
    EndpointRule("data", "POST", r"(/v2)?/charts/.*"),
    EndpointRule("non_trading", "*", r"(/v2)?/.*"),
)
CANCELS = (EndpointRule("orders", "DELETE", _ORDERS),)
SHARED = ("orders",)
MODIFIES_PER_ORDER = 25
