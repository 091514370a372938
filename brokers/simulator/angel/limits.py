"""How many calls the simulated Angel One takes: its published table, by the calendar."""

from collections.abc import Sequence

from brokers.simulator.wire import Limit, Window

_S, _M, _H = Window.SECOND, Window.MINUTE, Window.HOUR
# Path ending, bucket, and how many a second, minute and hour.
_TABLE: tuple[tuple[str, str, dict[Window, int]], ...] = (
    ("/loginByPassword", "login", {_S: 1}),
    ("/logout", "logout", {_S: 1}),
    ("/generateTokens", "token", {_S: 1, _H: 1000}),
    ("/getProfile", "profile", {_S: 3, _H: 1000}),
    ("/getRMS", "rms", {_S: 2}),
    ("/placeOrder", "orders", {_S: 9, _M: 500, _H: 1000}),
    ("/modifyOrder", "orders", {_S: 9, _M: 500, _H: 1000}),
    ("/cancelOrder", "orders", {_S: 9, _M: 500, _H: 1000}),
    ("/getOrderBook", "book", {_S: 1}),
    ("/getTradeBook", "trades", {_S: 1}),
    ("/getPosition", "positions", {_S: 1}),
    ("/getHolding", "holdings", {_S: 1}),
    ("/getAllHolding", "all holdings", {_S: 1}),
    ("/searchScrip", "search", {_S: 1}),
    ("/getLtpData", "ltp", {_S: 10, _M: 500, _H: 5000}),
    ("/convertPosition", "convert", {_S: 10, _M: 500, _H: 5000}),
    ("/margin/v1/batch", "margin", {_S: 10, _M: 500, _H: 5000}),
    ("/market/v1/quote", "quote", {_S: 1, _M: 500, _H: 5000}),
    ("/ruleDetails", "rule reads", {_S: 10, _M: 500, _H: 5000}),
    ("/ruleList", "rule reads", {_S: 10, _M: 500, _H: 5000}),
    ("/createRule", "rules", {_S: 9, _M: 500, _H: 5000}),
    ("/modifyRule", "rules", {_S: 9, _M: 500, _H: 5000}),
    ("/cancelRule", "rules", {_S: 9, _M: 500, _H: 5000}),
    ("/getCandleData", "candles", {_S: 3, _M: 180, _H: 5000}),
    ("/optionGreek", "greeks", {_S: 1}),
)
_LIMITS = {
    ending: tuple(Limit(bucket, window, most) for window, most in counts.items())
    for ending, bucket, counts in _TABLE
}
_DETAILS = (Limit("details", _S, 10), Limit("details", _M, 500), Limit("details", _H, 5000))


def limits_of(_: str, path: str) -> Sequence[Limit]:
    """Return the limits that a call counts against."""
    if "/order/v1/details/" in path:
        return _DETAILS
    plain = path.rstrip("/")
    return next((limits for ending, limits in _LIMITS.items() if plain.endswith(ending)), ())
