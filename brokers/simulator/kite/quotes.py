"""Kite's quotes, candles and instrument file."""

import gzip
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brokers.simulator.candles import TooManyCandles
from brokers.simulator.kite.answers import bad_input
from brokers.simulator.kite.desk import Asked, KiteDesk, endpoint
from brokers.simulator.kite.listing import SEGMENTS, kite_token
from brokers.simulator.kite.rows import stamp
from brokers.simulator.records import DepthLevel, SimQuote
from brokers.venue import IST

_MOST = {"full": 500, "ohlc": 1000, "ltp": 1000}
# Length and longest span in days of each kind of candle.
INTERVALS = {
    "minute": (timedelta(minutes=1), 60),
    "3minute": (timedelta(minutes=3), 100),
    "5minute": (timedelta(minutes=5), 100),
    "10minute": (timedelta(minutes=10), 100),
    "15minute": (timedelta(minutes=15), 200),
    "30minute": (timedelta(minutes=30), 200),
    "60minute": (timedelta(hours=1), 400),
    "day": (timedelta(days=1), 2000),
}
_ZONE = "+0530"


def quote_routes(desk: KiteDesk) -> list[Route]:
    return [
        Route("/quote", endpoint(desk, _quotes), methods=["GET"]),
        Route("/quote/ohlc", endpoint(desk, _ohlc), methods=["GET"]),
        Route("/quote/ltp", endpoint(desk, _ltp), methods=["GET"]),
        Route(
            "/instruments/historical/{token:int}/{interval}",
            endpoint(desk, _candles),
            methods=["GET"],
        ),
        Route("/instruments", _master(desk), methods=["GET"]),
        Route("/instruments/{exchange}", _master(desk), methods=["GET"]),
    ]


def _quotes(desk: KiteDesk, asked: Asked) -> object:
    return {words: _full(quote) for words, quote in _asked(desk, asked, "full").items()}


def _ohlc(desk: KiteDesk, asked: Asked) -> object:
    return {
        words: {**_last(quote), "ohlc": _prices(quote)}
        for words, quote in _asked(desk, asked, "ohlc").items()
    }


def _ltp(desk: KiteDesk, asked: Asked) -> object:
    return {words: _last(quote) for words, quote in _asked(desk, asked, "ltp").items()}


def _asked(desk: KiteDesk, asked: Asked, kind: str) -> dict[str, SimQuote]:
    """Return what is known of the instruments asked for; the others are simply absent."""
    names = asked.request.query_params.getlist("i")
    if not names or len(names) > _MOST[kind]:
        raise bad_input(f"Between 1 and {_MOST[kind]} instruments can be asked for at once.")
    found = {words: desk.listing.asked(words) for words in names}
    return {words: desk.broker.quote(each.token) for words, each in found.items() if each}


def _last(quote: SimQuote) -> dict[str, object]:
    return {"instrument_token": kite_token(quote.instrument), "last_price": quote.last_price}


def _prices(quote: SimQuote) -> dict[str, object]:
    return {"open": quote.open, "high": quote.high, "low": quote.low, "close": quote.close}


def _full(quote: SimQuote) -> dict[str, object]:
    return {
        **_last(quote),
        "timestamp": stamp(quote.at),
        "last_trade_time": stamp(quote.at),
        "last_quantity": quote.last_quantity,
        "buy_quantity": sum(level.quantity for level in quote.bids),
        "sell_quantity": sum(level.quantity for level in quote.asks),
        "volume": quote.volume,
        "average_price": quote.average_price,
        "oi": quote.open_interest,
        "oi_day_high": quote.open_interest,
        "oi_day_low": quote.open_interest,
        "net_change": 0,
        "lower_circuit_limit": quote.lower_circuit,
        "upper_circuit_limit": quote.upper_circuit,
        "ohlc": _prices(quote),
        "depth": {"buy": five(quote.bids), "sell": five(quote.asks)},
    }


def five(levels: tuple[DepthLevel, ...]) -> list[dict[str, object]]:
    """Return five levels of a side; those that hold nothing are zeros."""
    told: list[dict[str, object]] = [
        {"price": e.price, "quantity": e.quantity, "orders": e.orders} for e in levels[:5]
    ]
    empty: dict[str, object] = {"price": 0, "quantity": 0, "orders": 0}
    return [*told, *[dict(empty) for _ in range(5 - len(told))]]


def _candles(desk: KiteDesk, asked: Asked) -> object:
    instrument = desk.listing.numbered(int(asked.part("token")))
    interval = asked.part("interval")
    if instrument is None or interval not in INTERVALS:
        raise bad_input("invalid token" if instrument is None else "invalid interval")
    length, days = INTERVALS[interval]
    start, end = _moment(asked, "from"), _moment(asked, "to")
    if end - start > timedelta(days=days):
        raise bad_input(f"interval exceeds max limit: {days} days")
    try:
        made = desk.broker.candles(instrument.token, length, start, end)
    except TooManyCandles as error:
        raise bad_input(str(error)) from error
    has_interest = asked.request.query_params.get("oi") == "1"
    return {
        "candles": [
            [
                f"{each.start.astimezone(IST):%Y-%m-%dT%H:%M:%S}{_ZONE}",
                *(each.open, each.high, each.low, each.close, each.volume),
                *([each.open_interest] if has_interest else []),
            ]
            for each in made
        ]
    }


def _moment(asked: Asked, name: str) -> datetime:
    value = asked.request.query_params.get(name, "")
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=IST)
    except ValueError:
        raise bad_input(f"invalid {name} date") from None


def _master(desk: KiteDesk) -> Callable[[Request], Awaitable[Response]]:
    """Serve the instrument file, which Kite gives to anybody."""

    async def serve(request: Request) -> Response:
        exchange = request.path_params.get("exchange")
        if exchange is not None and exchange not in SEGMENTS:
            return bad_input("Invalid `exchange`.").response()
        packed = gzip.compress(desk.listing.master(exchange).encode())
        return Response(packed, media_type="text/csv", headers={"content-encoding": "gzip"})

    return serve
