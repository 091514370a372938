"""Alpaca's market data over REST: snapshots and bars, with pages and numbers that are numbers."""

import base64
from datetime import UTC, datetime, timedelta

from starlette.routing import Route

from brokers.simulator.alpaca.answers import AlpacaError, bad_form, plain, stamp
from brokers.simulator.alpaca.desk import AlpacaDesk, Asked, endpoint
from brokers.simulator.candles import TooManyCandles
from brokers.simulator.records import SimCandle, SimQuote

MOST_BARS = 10_000
TIMEFRAMES = {
    "1Min": timedelta(minutes=1),
    "3Min": timedelta(minutes=3),
    "5Min": timedelta(minutes=5),
    "10Min": timedelta(minutes=10),
    "15Min": timedelta(minutes=15),
    "30Min": timedelta(minutes=30),
    "1Hour": timedelta(hours=1),
    "1Day": timedelta(days=1),
}
FEEDS = ("iex", "sip")


def price_routes(desk: AlpacaDesk) -> list[Route]:
    return [
        Route("/v2/stocks/snapshots", endpoint(desk, _snapshots), methods=["GET"]),
        Route("/v2/stocks/bars", endpoint(desk, _bars), methods=["GET"]),
    ]


def _snapshots(desk: AlpacaDesk, asked: Asked) -> object:
    _check_feed(asked)
    known = [desk.by_symbol[each] for each in _symbols(asked) if each in desk.by_symbol]
    return plain({each.symbol: _snapshot(desk.broker.quote(each.token)) for each in known})


def _snapshot(quote: SimQuote) -> dict[str, object]:
    at = stamp(quote.at)
    bid = quote.bids[0] if quote.bids else None
    ask = quote.asks[0] if quote.asks else None
    bar = {
        "t": at,
        "o": quote.open,
        "h": quote.high,
        "l": quote.low,
        "c": quote.last_price,
        "v": quote.volume,
        "n": 1,
        "vw": quote.average_price,
    }
    return {
        "latestTrade": {
            "t": at, "x": "V", "p": quote.last_price, "s": quote.last_quantity,
            "c": ["@"], "i": 1, "z": "C",
        },
        "latestQuote": {
            "t": at, "ax": "V", "ap": ask.price if ask else 0, "as": ask.quantity if ask else 0,
            "bx": "V", "bp": bid.price if bid else 0, "bs": bid.quantity if bid else 0,
            "c": ["R"], "z": "C",
        },
        "minuteBar": bar,
        "dailyBar": bar,
        "prevDailyBar": {**bar, "o": quote.close, "h": quote.close, "l": quote.close,
                         "c": quote.close},
    }  # fmt: skip


def _bars(desk: AlpacaDesk, asked: Asked) -> object:
    _check_feed(asked)
    length = TIMEFRAMES.get(asked.query("timeframe"))
    limit = int(asked.query("limit") or 1000)
    if length is None or not 1 <= limit <= MOST_BARS:
        raise AlpacaError(400, 0, "invalid timeframe or limit")
    made = [bar for symbol in _symbols(asked) for bar in _made(desk, asked, symbol, length)]
    start = _start(asked.query("page_token"))
    page, bars = made[start : start + limit], dict[str, list[object]]()
    for symbol, candle in page:
        bars.setdefault(symbol, []).append(_bar(candle))
    following = start + limit
    token = base64.b64encode(str(following).encode()).decode() if following < len(made) else None
    return plain({"bars": bars, "next_page_token": token})


def _made(
    desk: AlpacaDesk, asked: Asked, symbol: str, length: timedelta
) -> list[tuple[str, SimCandle]]:
    instrument = desk.by_symbol.get(symbol)
    if instrument is None:
        return []
    start, end = _moment(asked, "start"), _moment(asked, "end")
    try:
        candles = desk.broker.candles(instrument.token, length, start, end)
    except TooManyCandles as error:
        raise AlpacaError(400, 0, str(error)) from error
    return [(symbol, each) for each in candles]


def _bar(candle: SimCandle) -> dict[str, object]:
    return {
        "t": f"{candle.start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "o": candle.open,
        "h": candle.high,
        "l": candle.low,
        "c": candle.close,
        "v": candle.volume,
        "n": 10,
        "vw": candle.close,
    }


def _check_feed(asked: Asked) -> None:
    if asked.query("feed", "iex") not in FEEDS:
        raise AlpacaError(400, 0, "invalid feed")


def _symbols(asked: Asked) -> list[str]:
    symbols = [each for each in asked.query("symbols").split(",") if each]
    if not symbols:
        raise bad_form("symbols is required")
    return symbols


def _start(token: str) -> int:
    try:
        return int(base64.b64decode(token)) if token else 0
    except ValueError:
        raise AlpacaError(400, 0, "invalid page_token") from None


def _moment(asked: Asked, name: str) -> datetime:
    try:
        return datetime.fromisoformat(asked.query(name))
    except ValueError:
        raise AlpacaError(400, 0, f"invalid {name}") from None
