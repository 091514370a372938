"""How many calls Angel One takes, per client code, as its rate limit page publishes them."""

from datetime import date

from brokers.limits import EndpointRule, Limit
from brokers.limits import endpoint_of as _endpoint_of

_PAGE = "smartapi.angelone.in/docs/RateLimit"
_NOTICE = "Angel One's notice of 25 Feb 2026 on algorithmic orders"
_QUOTE_PAGE = "smartapi.angelone.in/docs/MarketData (50 symbols a request)"
_FIRST = date(2024, 1, 1)
_RULES_OF_2026 = date(2026, 4, 1)
_USER = r"/rest/(?:auth|secure)/angelbroking/user/v1/"
_ORDER = r"/rest/secure/angelbroking/order/v1/"
_GTT = r"(?:/gtt-service)?/rest/secure/angelbroking/gtt/v1/"
_SECURE = r"/rest/secure/angelbroking/"

RULES = (
    EndpointRule("login", "POST", _USER + r"(?:loginByPassword|logout)"),
    EndpointRule("token", "POST", r"/rest/auth/angelbroking/jwt/v1/generateTokens"),
    EndpointRule("profile", "GET", _USER + "getProfile"),
    EndpointRule("funds", "GET", _USER + "getRMS"),
    EndpointRule("orders", "POST", _ORDER + r"(?:placeOrder|modifyOrder|cancelOrder)"),
    EndpointRule("order book", "GET", _ORDER + "getOrderBook"),
    EndpointRule("trade book", "GET", _ORDER + "getTradeBook"),
    EndpointRule("positions", "GET", _ORDER + "getPosition"),
    EndpointRule("holdings", "GET", _SECURE + "portfolio/v1/getHolding"),
    EndpointRule("all holdings", "GET", _SECURE + "portfolio/v1/getAllHolding"),
    EndpointRule("search", "POST", _ORDER + "searchScrip"),
    EndpointRule("last price", "POST", _ORDER + "getLtpData"),
    EndpointRule("convert", "POST", _ORDER + "convertPosition"),
    EndpointRule("one order", "GET", _ORDER + "details/.+"),
    EndpointRule("quote", "POST", _SECURE + "market/v1/quote/?"),
    EndpointRule("margin", "POST", _SECURE + "margin/v1/batch"),
    EndpointRule("triggers", "POST", _GTT + r"(?:createRule|modifyRule|cancelRule)"),
    EndpointRule("trigger reads", "POST", _GTT + r"(?:ruleDetails|ruleList)"),
    EndpointRule("candles", "POST", _SECURE + "historical/v1/getCandleData"),
    EndpointRule("greeks", "POST", _SECURE + "marketData/v1/optionGreek"),
)
CANCELS = (
    EndpointRule("orders", "POST", _ORDER + "cancelOrder"),
    EndpointRule("triggers", "POST", _GTT + "cancelRule"),
)
_TEN_A_SECOND = ("last price", "convert", "one order", "margin", "trigger reads")
_ONE_A_SECOND = (
    "login",
    "token",
    "order book",
    "trade book",
    "positions",
    "holdings",
    "all holdings",
    "search",
    "greeks",
)
SHARED = ("orders", "triggers")
LIMITS = (
    *(Limit(endpoint, 1, 1, _FIRST, _PAGE) for endpoint in _ONE_A_SECOND),
    *(
        Limit(endpoint, count, seconds, _FIRST, _PAGE)
        for endpoint in _TEN_A_SECOND
        for count, seconds in ((10, 1), (500, 60), (5000, 3600))
    ),
    Limit("token", 1000, 3600, _FIRST, _PAGE),
    Limit("profile", 3, 1, _FIRST, _PAGE),
    Limit("profile", 1000, 3600, _FIRST, _PAGE),
    Limit("funds", 2, 1, _FIRST, _PAGE),
    # Placing, changing and cancelling count together since April 2026.
    Limit("orders", 20, 1, _FIRST, _PAGE),
    Limit("orders", 9, 1, _RULES_OF_2026, _NOTICE),
    Limit("orders", 500, 60, _FIRST, _PAGE),
    Limit("orders", 1000, 3600, _FIRST, _PAGE),
    Limit("triggers", 10, 1, _FIRST, _PAGE),
    Limit("triggers", 9, 1, _RULES_OF_2026, _NOTICE),
    Limit("triggers", 500, 60, _FIRST, _PAGE),
    Limit("triggers", 5000, 3600, _FIRST, _PAGE),
    # Two pages disagree (ten a second, and one): the stricter one is kept.
    Limit("quote", 1, 1, _FIRST, _QUOTE_PAGE),
    Limit("quote", 500, 60, _FIRST, _PAGE),
    Limit("quote", 5000, 3600, _FIRST, _PAGE),
    Limit("candles", 3, 1, _FIRST, _PAGE),
    Limit("candles", 500, 60, _FIRST, _PAGE),
    Limit("candles", 180, 60, _RULES_OF_2026, _PAGE),
    Limit("candles", 5000, 3600, _FIRST, _PAGE),
)


def endpoint_of(method: str, path: str) -> str:
    """Return the endpoint class of a call."""
    return _endpoint_of(RULES, method=method, path=path)
