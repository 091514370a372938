"""Alpaca's prices and candles as the house's messages. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from brokers.abilities import BrokerCandle, CandleRequest, DepthLevel, QuoteReport
from brokers.adapters.alpaca import words
from brokers.adapters.alpaca.words import row_in
from brokers.gateway import Margin, PlaceRequest
from brokers.rows import rows_of
from brokers.terms import Side
from brokers.values import MOST_PRICE, Row, Unreadable, number, number_or_zero, price, text

MOST_QUOTES = 100
BARS_A_PAGE = 10_000
_TIMEFRAMES = {
    "1m": ("1Min", timedelta(minutes=1)),
    "3m": ("3Min", timedelta(minutes=3)),
    "5m": ("5Min", timedelta(minutes=5)),
    "10m": ("10Min", timedelta(minutes=10)),
    "15m": ("15Min", timedelta(minutes=15)),
    "30m": ("30Min", timedelta(minutes=30)),
    "1h": ("1Hour", timedelta(hours=1)),
    "1d": ("1Day", timedelta(days=1)),
}
_CENT = Decimal("0.01")


def quote_reports(data: object, *, keys: Mapping[str, str]) -> dict[str, QuoteReport]:
    """Return quotes by the house's key; what was asked and is absent is unknown to Alpaca."""
    told = row_in(data)
    found = {}
    for symbol, row in told.items():
        if symbol in keys and isinstance(row, dict):
            quote = _quote(row, key=keys[symbol])
            if quote is not None:
                found[quote.key] = quote
    return found


def _quote(row: Row, *, key: str) -> QuoteReport | None:
    """Read a snapshot; one without a last trade has no price."""
    trade, quote = _part(row, "latestTrade"), _part(row, "latestQuote")
    day, before = _part(row, "dailyBar"), _part(row, "prevDailyBar")
    at = words.moment(trade.get("t"))
    if at is None:
        return None
    return QuoteReport(
        key=key,
        ltp=number(trade.get("p"), "the last price", most=MOST_PRICE),
        at=at,
        open=price(day.get("o"), "o"),
        high=price(day.get("h"), "h"),
        low=price(day.get("l"), "l"),
        previous_close=price(before.get("c"), "c"),
        volume=int(number_or_zero(day.get("v"), "the volume")) if day else None,
        average_price=price(day.get("vw"), "the average price"),
        bids=_level(quote, "bp", "bs"),
        asks=_level(quote, "ap", "as"),
    )


def _part(row: Row, name: str) -> Row:
    part = row.get(name)
    return part if isinstance(part, dict) else {}


def _level(quote: Row, name: str, size: str) -> tuple[DepthLevel, ...]:
    """Return the best level, empty where nobody quotes."""
    best = price(quote.get(name), "the best price")
    shares = int(number_or_zero(quote.get(size), "its size"))
    return () if best is None else (DepthLevel(best, shares),)


def candle_fields(request: CandleRequest, *, symbol: str, feed: str) -> dict[str, object]:
    """:raises Unreadable: when Alpaca has no candles of that length."""
    if request.interval not in _TIMEFRAMES:
        raise Unreadable(f"Alpaca has no candles of {request.interval}")
    return {
        "symbols": symbol,
        "timeframe": _TIMEFRAMES[request.interval][0],
        "start": words.moment_words(request.start),
        "end": words.moment_words(request.end),
        "limit": BARS_A_PAGE,
        "adjustment": "raw",
        "feed": feed,
        "sort": "asc",
    }


def candles(data: object, *, symbol: str) -> tuple[list[BrokerCandle], str]:
    """Return a page's candles and the token of the next page, empty after the last one."""
    row = row_in(data)
    bars = row_in(row.get("bars") if row.get("bars") is not None else {})
    told = rows_of(bars.get(symbol, []), "candles")
    return [_candle(bar) for bar in told], text(row.get("next_page_token"))


def _candle(bar: Row) -> BrokerCandle:
    at = words.moment(bar.get("t"))
    if at is None:
        raise Unreadable("Alpaca told a candle without its time")
    opening, high, low, close = (number(bar.get(each), each, most=MOST_PRICE) for each in "ohlc")
    volume = int(number_or_zero(bar.get("v"), "the volume"))
    return BrokerCandle(at, opening, high, low, close, volume)


def margin_of(request: PlaceRequest, last_price: Decimal | None) -> Margin:
    """Work out what an order would block: Alpaca has no calculator for it.

    A purchase takes its whole price, for nothing is borrowed; a sale gives back and takes nothing.
    """
    if request.side is Side.SELL:
        return Margin(total=Decimal(0))
    own = request.price if request.order_type.needs_price else request.trigger_price
    asked = own if own is not None else last_price
    if asked is None:
        raise Unreadable(f"There is no price of {request.instrument.trading_symbol}")
    total = (asked * request.quantity).quantize(_CENT)
    return Margin(total=total, var=total)
